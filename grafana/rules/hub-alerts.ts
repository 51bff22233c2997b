/** Alerts on the hub itself: that it is there, its event loop, its disk, its trail, Chroma, and its scheduler. */
import { labels, series } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import {
  countedBy,
  duration,
  grows,
  hubLabels,
  noneOf,
  oneOf,
  type RuleOptions,
  scrapeJobs,
  selector,
} from './promql.ts';
import type { Alert } from './rule.ts';

const onHub = 'on the hub {{ $labels.instance }}';

/** The alerts on the hub. */
export function hubAlerts(options: RuleOptions): Alert[] {
  return [
    hubDown(options),
    eventLoopLag(),
    storageFailing(options),
    auditGap(),
    chromaUnreachable(options),
    cleanupFailed(options),
    schedulerStalled(options),
    schedulerNotRunning(),
  ];
}

/**
 * A hub that is gone is gone from the collector's export; one that never came never was there. Both are told only
 * while that export is read, since a collector that is down has an alert of its own. A hub that ended in order said so
 * in its last export: whoever scales down or deploys is not called for it, while others still send.
 */
function hubDown({ timeScale }: RuleOptions): Alert {
  const { windowSeconds, forSeconds } = thresholds.hubDown;
  const alive = series.auditGap;
  const remembered = `max by (${hubLabels}) (last_over_time(${alive}[${duration(windowSeconds * timeScale)}]))`;
  const inOrder = `last_over_time(${series.ending}[${duration(windowSeconds * timeScale)}]) == 1`;
  const oneGone = `(${remembered} unless on (${hubLabels}) (${alive} or ${inOrder})) and on () ${alive}`;
  const allGone = `absent(${alive}) and on () (up{job="${scrapeJobs.hub}"} == 1)`;
  return {
    name: 'HestiaHubDown',
    severity: 'critical',
    expr: `(${oneGone}) or (${allGone})`,
    forSeconds,
    summary: 'A hub is down, or never came up',
    description:
      '{{ if $labels.instance }}The hub {{ $labels.instance }} has stopped sending metrics, while others still send.{{ else }}No hub sends metrics to the collector.{{ end }}',
  };
}

function eventLoopLag(): Alert {
  const { above, forSeconds } = thresholds.eventLoopLag;
  return {
    name: 'HestiaEventLoopLag',
    severity: 'warning',
    expr: `max by (${hubLabels}) (${series.eventLoopDelayP99}) > ${above}`,
    forSeconds,
    summary: 'The hub is busy with itself and answers late',
    description: `The event loop ${onHub} is {{ $value | humanizeDuration }} late, 99th percentile, for ${duration(forSeconds)} (threshold ${above}s).`,
  };
}

function storageFailing(options: RuleOptions): Alert {
  const { storageFailing: hard, storageBusy: soft } = thresholds;
  const passing = ['busy', 'overload'];
  const by = `${hubLabels}, ${labels.errorType}`;
  const failures = (matcher: string, windowSeconds: number) =>
    countedBy(by, selector(series.storageFailures, matcher), windowSeconds, options);
  return {
    name: 'HestiaStorageFailing',
    severity: 'critical',
    expr: [
      `${failures(noneOf(labels.errorType, passing), hard.windowSeconds)} > ${hard.above}`,
      `${failures(oneOf(labels.errorType, passing), soft.windowSeconds)} > ${soft.above}`,
    ].join(' or '),
    forSeconds: hard.forSeconds,
    summary: 'The database or its disk fails',
    description: `{{ $value }} reads or writes of the database failed as "{{ $labels.${labels.errorType} }}" in the last ${duration(hard.windowSeconds)}, ${onHub} (threshold ${hard.above}; ${soft.above} where the database was only busy).`,
  };
}

function auditGap(): Alert {
  const { above, forSeconds } = thresholds.auditGap;
  return {
    name: 'HestiaAuditGap',
    severity: 'critical',
    expr: `max by (${hubLabels}) (${series.auditGap}) > ${above}`,
    forSeconds,
    summary: 'Operations are missing from the audit trail',
    description: `{{ $value }} operations since the start of the hub {{ $labels.instance }} are not on record (threshold ${above}).`,
  };
}

function chromaUnreachable(options: RuleOptions): Alert {
  const { windowSeconds, forSeconds } = thresholds.chromaUnreachable;
  const named = (condition: string, problem: string) => `label_replace(${condition}, "problem", "${problem}", "", "")`;
  const down = `max by (${hubLabels}) (${series.chromaUp}) == 0`;
  const backlog = `max by (${hubLabels}) (${series.chromaBacklog})`;
  const growing = `${backlog} and on (${hubLabels}) (${grows(series.chromaBacklog, windowSeconds, options)})`;
  return {
    name: 'HestiaChromaUnreachable',
    severity: 'warning',
    expr: `${named(down, 'unreachable')} or ${named(`${growing} unless on (${hubLabels}) ${series.chromaUp} == 0`, 'backlog')}`,
    forSeconds,
    summary: 'Chroma cannot be reached, or does not keep up',
    description: `{{ if eq $labels.problem "unreachable" }}Chroma has not answered the hub {{ $labels.instance }} for ${duration(forSeconds)}.{{ else }}{{ $value }} items of the hub {{ $labels.instance }} wait for Chroma, and for ${duration(windowSeconds)} there have been more and more of them.{{ end }}`,
  };
}

function cleanupFailed(options: RuleOptions): Alert {
  const { cleanupFailed: cleanup, jobFailed: other } = thresholds;
  const failures = (matcher: string, windowSeconds: number) =>
    countedBy(
      `${hubLabels}, ${labels.jobName}`,
      selector(series.schedulerRuns, matcher, `${labels.jobResult}="failure"`),
      windowSeconds,
      options,
    );
  return {
    name: 'HestiaCleanupFailed',
    severity: 'warning',
    expr: [
      `${failures(`${labels.jobName}="cleanup"`, cleanup.windowSeconds)} > ${cleanup.above}`,
      `${failures(`${labels.jobName}!="cleanup"`, other.windowSeconds)} > ${other.above}`,
    ].join(' or '),
    forSeconds: cleanup.forSeconds,
    summary: 'A scheduled job failed',
    description: `{{ $value }} runs of the job "{{ $labels.${labels.jobName} }}" failed in the last ${duration(cleanup.windowSeconds)}, ${onHub} (threshold ${cleanup.above} for the cleanup, ${other.above} for others).`,
  };
}

/**
 * The time since the last success of any hub; where there was none, since the oldest hub started. A scheduler that does
 * not run at all has an alert of its own.
 */
function schedulerStalled({ timeScale }: RuleOptions): Alert {
  const { above, forSeconds } = thresholds.schedulerStalled;
  const success = selector(series.schedulerLastSuccessTime, `${labels.jobName}="cleanup"`);
  const running = `max by (job) (${series.schedulerRunning}) == 1`;
  const since = `time() - max by (job) (${success} or min by (job) (time() - ${series.uptime}))`;
  return {
    name: 'HestiaSchedulerStalled',
    severity: 'warning',
    expr: `${since} > ${above * timeScale} * max by (job) (${series.schedulerInterval}) and ${running}`,
    forSeconds,
    summary: 'No cleanup has succeeded for two intervals',
    description: `The last cleanup that succeeded was {{ $value | humanizeDuration }} ago (threshold ${above} intervals); skills and records stay past their time.`,
  };
}

function schedulerNotRunning(): Alert {
  const { forSeconds } = thresholds.schedulerNotRunning;
  return {
    name: 'HestiaSchedulerNotRunning',
    severity: 'warning',
    expr: `max by (job) (${series.schedulerRunning}) == 0`,
    forSeconds,
    summary: 'No hub runs its scheduler',
    description: `Hubs are up and none of them has run the scheduler for ${duration(forSeconds)}; skills do not expire and nothing is cleaned up.`,
  };
}

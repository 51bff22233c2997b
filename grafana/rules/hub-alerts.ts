/** Alerts on the hub: availability, event loop, database, audit trail, Chroma and scheduler. */
import { boardUids } from '../board-uid.ts';
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
    projectorLag(),
    chromaUnreachable(options),
    cleanupFailed(options),
    schedulerStalled(options),
    schedulerNotRunning(),
  ];
}

/**
 * Fires if the metrics of a hub stopped while others continue, or if no hub sends metrics. Both need a successful scrape,
 * since a collector that is down has its own alert. A hub that shuts down in order reports this in its last export and does
 * not count, so that scaling down and deploying cause no alert while other hubs run.
 */
function hubDown({ timeScale }: RuleOptions): Alert {
  const { windowSeconds, forSeconds } = thresholds.hubDown;
  const alive = series.auditGap;
  const seenInWindow = `max by (${hubLabels}) (last_over_time(${alive}[${duration(windowSeconds * timeScale)}]))`;
  const endedInOrder = `last_over_time(${series.ending}[${duration(windowSeconds * timeScale)}]) == 1`;
  const oneGone = `(${seenInWindow} unless on (${hubLabels}) (${alive} or ${endedInOrder})) and on () ${alive}`;
  const allGone = `absent(${alive}) and on () (up{job="${scrapeJobs.hub}"} == 1)`;
  return {
    name: 'HestiaHubDown',
    severity: 'critical',
    expr: `(${oneGone}) or (${allGone})`,
    forSeconds,
    summary: 'A hub is down or did not start',
    description:
      '{{ if $labels.instance }}The hub {{ $labels.instance }} has stopped sending metrics, while other hubs still send them.{{ else }}No hub sends metrics to the collector.{{ end }}',
  };
}

function eventLoopLag(): Alert {
  const { above, forSeconds } = thresholds.eventLoopLag;
  return {
    name: 'HestiaEventLoopLag',
    severity: 'warning',
    expr: `max by (${hubLabels}) (${series.eventLoopDelayP99}) > ${above}`,
    forSeconds,
    summary: 'The event loop of the hub lags, so all responses are delayed',
    description: `The event loop ${onHub} has lagged by {{ $value | humanizeDuration }} (99th percentile) for ${duration(forSeconds)} (threshold ${above}s).`,
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
    summary: 'The database or its disk is failing',
    description: `{{ $value }} reads or writes of the database failed as "{{ $labels.${labels.errorType} }}" in the last ${duration(hard.windowSeconds)}, ${onHub} (threshold ${hard.above}; ${soft.above} if the database was only busy).`,
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
    description: `{{ $value }} operations since the start of the hub {{ $labels.instance }} are not recorded (threshold ${above}).`,
  };
}

function projectorLag(): Alert {
  const { above, forSeconds } = thresholds.projectorLag;
  return {
    name: 'HestiaProjectorLag',
    severity: 'warning',
    expr: `max by (${hubLabels}) (${series.projectorLag}) > ${above}`,
    forSeconds,
    summary: 'The views of the audit trail are late, so reads of it fail',
    description: `An audit record ${onHub} has been missing in the views for {{ $value | humanizeDuration }}, and the views have been late for ${duration(forSeconds)} (threshold ${above}s).`,
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
    board: boardUids.searchAndLearning,
    expr: `${named(down, 'unreachable')} or ${named(`${growing} unless on (${hubLabels}) ${series.chromaUp} == 0`, 'backlog')}`,
    forSeconds,
    summary: 'Chroma is unreachable or does not keep up',
    description: `{{ if eq $labels.problem "unreachable" }}Chroma has not answered the hub {{ $labels.instance }} for ${duration(forSeconds)}.{{ else }}{{ $value }} items of the hub {{ $labels.instance }} are queued for Chroma, and the queue has grown for ${duration(windowSeconds)}.{{ end }}`,
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
    board: boardUids.scheduler,
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
 * The time since the last success of any hub or, without one, since the start of the oldest hub. A scheduler that does not
 * run has its own alert.
 */
function schedulerStalled({ timeScale }: RuleOptions): Alert {
  const { above, forSeconds } = thresholds.schedulerStalled;
  const success = selector(series.schedulerLastSuccessTime, `${labels.jobName}="cleanup"`);
  const running = `max by (job) (${series.schedulerRunning}) == 1`;
  const since = `time() - max by (job) (${success} or min by (job) (time() - ${series.uptime}))`;
  return {
    name: 'HestiaSchedulerStalled',
    severity: 'warning',
    board: boardUids.scheduler,
    expr: `${since} > ${above * timeScale} * max by (job) (${series.schedulerInterval}) and ${running}`,
    forSeconds,
    summary: 'No cleanup has succeeded for two intervals',
    description: `The last successful cleanup was {{ $value | humanizeDuration }} ago (threshold ${above} intervals). Expired skills and records are not deleted.`,
  };
}

function schedulerNotRunning(): Alert {
  const { forSeconds } = thresholds.schedulerNotRunning;
  return {
    name: 'HestiaSchedulerNotRunning',
    severity: 'warning',
    board: boardUids.scheduler,
    expr: `max by (job) (${series.schedulerRunning}) == 0`,
    forSeconds,
    summary: 'No hub runs its scheduler',
    description: `Hubs are up, but none of them has run the scheduler for ${duration(forSeconds)}. Skills do not expire and nothing is cleaned up.`,
  };
}

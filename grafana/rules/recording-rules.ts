/**
 * What is computed once for alerts and dashboards: the two indicators of the objectives for tool calls in each window,
 * what is left of the budget, rates and the 95th percentile by server, and what the collector lost.
 */
import { labels, series } from '../prometheus-name.ts';
import {
  burnWindows,
  durationQuantile,
  objectives,
  sloWindowSeconds,
  slowCallSeconds,
  thresholds,
} from '../thresholds.ts';
import { duration, noneOf, oneOf, type RuleOptions, scrapeJobs, selector } from './promql.ts';
import type { RecordingRule, RuleGroup } from './rule.ts';
import { errorTypesOf } from './tool-error-fault.ts';

/** Calls that are not about the caller's own mistake, and those of them that broke the promise. */
export const countedCalls = selector(series.serverCalls, noneOf(labels.errorType, errorTypesOf('caller')));
const failedCalls = selector(series.serverCalls, oneOf(labels.errorType, errorTypesOf('server', 'hub')));

/** Calls by which a server, or its tool, did not do what was asked; a timeout is another matter, and another alert. */
const refusedCalls = selector(
  series.serverCalls,
  oneOf(
    labels.errorType,
    errorTypesOf('server', 'hub', 'tool').filter((type) => type !== 'timeout'),
  ),
);

const duringCall = `${labels.mcpMethodName}="tools/call"`;
const succeeded = `${labels.errorType}=""`;
const calls = series.mcpClientOperationDuration;
const successes = selector(`${calls}_count`, duringCall, succeeded);
// Text format and OpenMetrics write whole bounds as 5 and as 5.0; one scrape has one of them.
const fastSuccesses = selector(`${calls}_bucket`, duringCall, succeeded, `le=~"${slowCallSeconds}([.]0)?"`);

const byServer = `job, ${labels.serverId}`;

/** The two indicators: the share of bad calls, as `job:<name>:ratio_rate<window>`. */
export const indicators = { availability: 'hestia_tool_calls_failed', latency: 'hestia_tool_calls_slow' } as const;

/** An indicator of the objectives. */
export type Indicator = keyof typeof indicators;

/** The recorded share of bad calls in a window of so many seconds. The name is that of the unscaled window. */
export function badShare(indicator: Indicator, windowSeconds: number): string {
  return `job:${indicators[indicator]}:ratio_rate${duration(windowSeconds)}`;
}

/** The recorded number of bad calls in a window. */
export function badCalls(indicator: Indicator, windowSeconds: number): string {
  return `job:${indicators[indicator]}:increase${duration(windowSeconds)}`;
}

/** The recorded share of the error budget that is left; below zero it is overspent. */
export function budgetLeft(indicator: Indicator): string {
  return `job:${indicators[indicator]}:budget_remaining${duration(sloWindowSeconds)}`;
}

/** The recorded rates and durations by server, in calls a second, share of calls, and seconds. */
export const serverRecords = {
  rate: `job_server:hestia_server_calls:rate${duration(thresholds.toolErrors.windowSeconds)}`,
  errorShare: `job_server:hestia_server_calls_refused:ratio_rate${duration(thresholds.toolErrors.windowSeconds)}`,
  durationP95: `job_server:${calls}:p95_${duration(thresholds.toolCallsSlow.windowSeconds)}`,
} as const;

/** The recorded number of items that a collector did not take or lost, by `failure`. */
export const collectorFailures = 'instance_failure:otelcol_items:sum';

/** How often the rates of calls are recorded; a longer window adds up these records, and so needs to know. */
const recordSeconds = 15;
/** The window of those rates: the shortest one of the objectives. */
const rateSeconds = Math.min(...burnWindows.map(({ shortSeconds }) => shortSeconds));

/** The recorded rates that longer windows add up, in calls a second. */
const rates = {
  availability: { bad: rateName(indicators.availability), all: rateName('hestia_tool_calls') },
  latency: { bad: rateName(indicators.latency), all: rateName('hestia_tool_calls_succeeded') },
} as const;

function rateName(metric: string): string {
  return `job:${metric}:rate${duration(rateSeconds)}`;
}

/** The recording rules. */
export function recordingRules(options: RuleOptions): RuleGroup<RecordingRule>[] {
  const windows = [...new Set(burnWindows.flatMap(({ longSeconds, shortSeconds }) => [longSeconds, shortSeconds]))];
  const longWindows = burnWindows.map(({ longSeconds }) => longSeconds);
  const interval = duration(recordInterval(options));
  return [
    {
      name: 'hestia-objectives',
      interval,
      rules: [
        ...rateRules(options),
        ...windows.toSorted((left, right) => left - right).flatMap((seconds) => shareRules(seconds, options)),
        ...longWindows.flatMap((seconds) => countRules(seconds, options)),
        ...shareRules(sloWindowSeconds, options),
        ...budgetRules(),
      ],
    },
    { name: 'hestia-servers', rules: serverRules(options) },
    { name: 'hestia-collector', rules: collectorRules() },
  ];
}

/** Seconds between two records; no less than a second, which is as often as Prometheus can be expected to keep up. */
function recordInterval({ timeScale }: RuleOptions): number {
  return Math.max(1, recordSeconds * timeScale);
}

/** A sum that is there, as zero, where `whole` is and none of `part` ever was. */
function sumOrZero(part: string, whole: string, by: string): string {
  return `(sum by (${by}) (${part}) or 0 * sum by (${by}) (${whole}))`;
}

function rateRules({ timeScale }: RuleOptions): RecordingRule[] {
  const rate = (of: string) => `rate(${of}[${duration(rateSeconds * timeScale)}])`;
  const fast = sumOrZero(rate(fastSuccesses), rate(successes), 'job');
  return [
    { record: rates.availability.all, expr: `sum by (job) (${rate(countedCalls)})` },
    { record: rates.availability.bad, expr: sumOrZero(rate(failedCalls), rate(countedCalls), 'job') },
    { record: rates.latency.all, expr: `sum by (job) (${rate(successes)})` },
    { record: rates.latency.bad, expr: `clamp_min(${rates.latency.all} - ${fast}, 0)` },
  ];
}

/**
 * Bad calls over all calls. Longer windows add up the recorded rates: to read each histogram of a month again every
 * quarter of a minute would be more than a Prometheus can do. Without calls there is no share: a quiet night neither
 * spends nor earns.
 */
function shareRules(windowSeconds: number, { timeScale }: RuleOptions): RecordingRule[] {
  const over = (rate: string) =>
    windowSeconds === rateSeconds ? rate : `sum_over_time(${rate}[${duration(windowSeconds * timeScale)}])`;
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: badShare(indicator, windowSeconds),
    expr: `${over(rates[indicator].bad)} / (${over(rates[indicator].all)} > 0)`,
  }));
}

function countRules(windowSeconds: number, options: RuleOptions): RecordingRule[] {
  const window = duration(windowSeconds * options.timeScale);
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: badCalls(indicator, windowSeconds),
    expr: `sum_over_time(${rates[indicator].bad}[${window}]) * ${recordInterval(options)}`,
  }));
}

function budgetRules(): RecordingRule[] {
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: budgetLeft(indicator),
    expr: `1 - ${badShare(indicator, sloWindowSeconds)} / (1 - ${objectives[indicator].objective})`,
  }));
}

function serverRules({ timeScale }: RuleOptions): RecordingRule[] {
  const rate = (of: string) => `rate(${of}[${duration(thresholds.toolErrors.windowSeconds * timeScale)}])`;
  const durations = selector(`${calls}_bucket`, duringCall, noneOf(labels.errorType, errorTypesOf('caller')));
  const window = duration(thresholds.toolCallsSlow.windowSeconds * timeScale);
  return [
    { record: serverRecords.rate, expr: `sum by (${byServer}) (${rate(countedCalls)})` },
    {
      record: serverRecords.errorShare,
      expr: `${sumOrZero(rate(refusedCalls), rate(countedCalls), byServer)} / (${serverRecords.rate} > 0)`,
    },
    {
      record: serverRecords.durationP95,
      expr: `histogram_quantile(${durationQuantile}, sum by (${byServer}, le) (rate(${durations}[${window}])))`,
    },
  ];
}

/**
 * Versions of the collector differ in `_total` and make each series at its first failure, so they are added up by what
 * they begin with, over a zero that is there whenever the scrape succeeded. They all end with the process, so that the
 * sum is a counter too.
 */
function collectorRules(): RecordingRule[] {
  const zero = `0 * max by (job, instance) (up{job="${scrapeJobs.collector}"} == 1)`;
  const names = {
    refused: 'otelcol_receiver_(refused|failed)',
    'not sent': 'otelcol_exporter_send_failed',
    'not queued': 'otelcol_exporter_enqueue_failed',
  };
  return Object.entries(names).map(([failure, name]) => ({
    record: collectorFailures,
    expr: `sum by (job, instance) ({__name__=~"${name}_(spans|log_records|metric_points)(_total)?"}) or ${zero}`,
    labels: { failure },
  }));
}

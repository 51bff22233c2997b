/**
 * Recording rules for alerts and dashboards: indicators of the objectives in each window, the remaining error budget,
 * rates and the 95th percentile by server, and the items that the collector lost.
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
import {
  type CountWindow,
  duration,
  growth,
  hubLabels,
  noneOf,
  oneOf,
  type RuleOptions,
  ruleWindow,
  scrapeJobs,
  selector,
} from './promql.ts';
import type { RecordingRule, RuleGroup } from './rule.ts';
import { errorTypesOf } from './tool-error-fault.ts';

/** Calls that did not fail by a mistake of the caller. */
export const countedCalls = selector(series.serverCalls, noneOf(labels.errorType, errorTypesOf('caller')));
const failedCalls = selector(series.serverCalls, oneOf(labels.errorType, errorTypesOf('server', 'hub')));

/** Calls that a server or its tool failed, without timeouts, which have their own alert. */
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
// The text format writes whole bounds as 5, OpenMetrics as 5.0. A scrape uses one of them.
const fastSuccesses = selector(`${calls}_bucket`, duringCall, succeeded, `le=~"${slowCallSeconds}([.]0)?"`);

const byServer = `job, ${labels.serverId}`;

/** The two indicators: the share of bad calls, as `job:<name>:ratio_rate<window>`. */
export const indicators = { availability: 'hestia_tool_calls_failed', latency: 'hestia_tool_calls_slow' } as const;

/** An indicator of the objectives. */
export type Indicator = keyof typeof indicators;

/** The recorded share of bad calls in a window. The name contains the unscaled window. */
export function badShare(indicator: Indicator, windowSeconds: number): string {
  return `job:${indicators[indicator]}:ratio_rate${duration(windowSeconds)}`;
}

/** The recorded number of bad calls in a window. */
export function badCalls(indicator: Indicator, windowSeconds: number): string {
  return `job:${indicators[indicator]}:increase${duration(windowSeconds)}`;
}

/** The recorded number of bad calls, or of all calls that an indicator counts, of each hub in a window. */
export function hubCalls(indicator: Indicator, calls: 'bad' | 'all', windowSeconds: number): string {
  return `${rates[indicator][calls].replace(/:[^:]+$/, '')}:increase${duration(windowSeconds)}`;
}

/** The recorded remaining share of the error budget; negative if it is exceeded. */
export function budgetLeft(indicator: Indicator): string {
  return `job:${indicators[indicator]}:budget_remaining${duration(sloWindowSeconds)}`;
}

/** The recorded rates and durations by server, in calls a second, share of calls, and seconds. */
export const serverRecords = {
  rate: `job_server:hestia_server_calls:rate${duration(thresholds.toolErrors.windowSeconds)}`,
  errorShare: `job_server:hestia_server_calls_refused:ratio_rate${duration(thresholds.toolErrors.windowSeconds)}`,
  durationP95: `job_server:${calls}:p95_${duration(thresholds.toolCallsSlow.windowSeconds)}`,
} as const;

/** The recorded number of items that a collector refused or lost, by `failure`. */
export const collectorFailures = 'instance_failure:otelcol_items:sum';

/** The interval at which rates of calls are recorded. Rules over longer windows add up these samples. */
const recordSeconds = 15;
/** The window of these rates: the shortest window of the objectives. */
const rateSeconds = Math.min(...burnWindows.map(({ shortSeconds }) => shortSeconds));

/** The recorded rates of each hub, in calls a second, which longer windows add up. */
const rates = {
  availability: { bad: rateName(indicators.availability), all: rateName('hestia_tool_calls') },
  latency: { bad: rateName(indicators.latency), all: rateName('hestia_tool_calls_succeeded') },
} as const;

function rateName(metric: string): string {
  return `job_instance:${metric}:rate${duration(rateSeconds)}`;
}

/** The windows of the burn rate that the dashboard draws: the long windows of the critical alerts. */
export const chartWindowsSeconds = burnWindows
  .filter(({ severity }) => severity === 'critical')
  .map(({ longSeconds }) => longSeconds);

/** The windows that are recorded for each hub, because dashboards show the selected hubs only. */
const hubWindows = [...chartWindowsSeconds, sloWindowSeconds];

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
        ...hubWindows.flatMap((seconds) => hubCountRules(seconds, options)),
      ],
    },
    { name: 'hestia-servers', rules: serverRules(options) },
    { name: 'hestia-collector', rules: collectorRules() },
  ];
}

/** Seconds between two samples, at least one: Prometheus does not keep up with less. */
function recordInterval({ timeScale }: RuleOptions): number {
  return Math.max(1, recordSeconds * timeScale);
}

/** The sum of `part`, or zero if only series of `whole` exist. */
function sumOrZero(part: string, whole: string, by: string): string {
  return `(sum by (${by}) (${part}) or 0 * sum by (${by}) (${whole}))`;
}

/** A rate that includes the events with which a series is born, unlike `rate`. */
function perSecond(counter: string, window: CountWindow): string {
  return `(${growth(counter, window)}) / ${window.seconds}`;
}

function rateRules(options: RuleOptions): RecordingRule[] {
  const rate = (of: string) => perSecond(of, ruleWindow(rateSeconds, options));
  const fast = sumOrZero(rate(fastSuccesses), rate(successes), hubLabels);
  return [
    { record: rates.availability.all, expr: `sum by (${hubLabels}) (${rate(countedCalls)})` },
    { record: rates.availability.bad, expr: sumOrZero(rate(failedCalls), rate(countedCalls), hubLabels) },
    { record: rates.latency.all, expr: `sum by (${hubLabels}) (${rate(successes)})` },
    { record: rates.latency.bad, expr: `clamp_min(${rates.latency.all} - ${fast}, 0)` },
  ];
}

/**
 * Bad calls divided by all calls. Longer windows add up the recorded rates, because reading each histogram of a month every
 * 15 s would overload Prometheus. Without calls there is no share, so a period without traffic does not change the budget.
 */
function shareRules(windowSeconds: number, { timeScale }: RuleOptions): RecordingRule[] {
  const over = (rate: string) =>
    `sum by (job) (${windowSeconds === rateSeconds ? rate : `sum_over_time(${rate}[${duration(windowSeconds * timeScale)}])`})`;
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: badShare(indicator, windowSeconds),
    expr: `${over(rates[indicator].bad)} / (${over(rates[indicator].all)} > 0)`,
  }));
}

function countRules(windowSeconds: number, options: RuleOptions): RecordingRule[] {
  const window = duration(windowSeconds * options.timeScale);
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: badCalls(indicator, windowSeconds),
    expr: `sum by (job) (sum_over_time(${rates[indicator].bad}[${window}])) * ${recordInterval(options)}`,
  }));
}

function hubCountRules(windowSeconds: number, options: RuleOptions): RecordingRule[] {
  const window = duration(windowSeconds * options.timeScale);
  return (['availability', 'latency'] as const).flatMap((indicator) =>
    (['bad', 'all'] as const).map((calls) => ({
      record: hubCalls(indicator, calls, windowSeconds),
      expr: `sum_over_time(${rates[indicator][calls]}[${window}]) * ${recordInterval(options)}`,
    })),
  );
}

function budgetRules(): RecordingRule[] {
  return (['availability', 'latency'] as const).map((indicator) => ({
    record: budgetLeft(indicator),
    expr: `1 - ${badShare(indicator, sloWindowSeconds)} / (1 - ${objectives[indicator].objective})`,
  }));
}

function serverRules(options: RuleOptions): RecordingRule[] {
  const rate = (of: string) => perSecond(of, ruleWindow(thresholds.toolErrors.windowSeconds, options));
  const durations = selector(`${calls}_bucket`, duringCall, noneOf(labels.errorType, errorTypesOf('caller')));
  const window = ruleWindow(thresholds.toolCallsSlow.windowSeconds, options);
  return [
    { record: serverRecords.rate, expr: `sum by (${byServer}) (${rate(countedCalls)})` },
    {
      record: serverRecords.errorShare,
      expr: `${sumOrZero(rate(refusedCalls), rate(countedCalls), byServer)} / (${serverRecords.rate} > 0)`,
    },
    {
      record: serverRecords.durationP95,
      expr: `histogram_quantile(${durationQuantile}, sum by (${byServer}, le) (${growth(durations, window)}))`,
    },
  ];
}

/**
 * Versions of the collector differ in the suffix `_total`, and create each series at its first failure. The rule therefore
 * sums by name prefix, and is zero while the scrape succeeds. All series reset with the process, so the sum is a counter.
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

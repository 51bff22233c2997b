/**
 * Alerts that Prometheus recorded, without those that a busy machine explains. A machine with more work than processors
 * delays every process on it, so alerts on latency are then correct without being caused by the test.
 */
import { z } from 'zod';
import { series } from '../../../grafana/prometheus-name.ts';
import { scrapeJobs } from '../../../grafana/rules/promql.ts';
import { thresholds } from '../../../grafana/thresholds.ts';
import { type Prometheus, scrapeSecondsDefault } from './prometheus.ts';

/** An alert with the first and the last time at which it was active, in Unix seconds. */
export interface FiredAlert {
  alert: string;
  job: string | undefined;
  instance: string | undefined;
  firstSeconds: number;
  lastSeconds: number;
}

const recordedSchema = z.object({
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      values: z.array(z.tuple([z.number(), z.string()])).min(1),
    }),
  ),
});

/** Every alert that fired in a period, given in Unix seconds. */
export async function firedAlerts(
  prometheus: Prometheus,
  { fromSeconds, toSeconds }: { fromSeconds: number; toSeconds: number },
): Promise<FiredAlert[]> {
  const range = { query: 'ALERTS{alertstate="firing"}', start: `${fromSeconds}`, end: `${toSeconds}`, step: '1' };
  const { result } = recordedSchema.parse(await prometheus.api(`query_range?${new URLSearchParams(range)}`));
  return result.map(({ metric, values }) => ({
    alert: metric.alertname ?? '',
    job: metric.job,
    instance: metric.instance,
    firstSeconds: values[0]?.[0] ?? 0,
    lastSeconds: values.at(-1)?.[0] ?? 0,
  }));
}

/** The alerts that fire now; with `pending`, also those that wait for their `for`. */
export async function activeAlerts(prometheus: Prometheus, { pending = false } = {}): Promise<FiredAlert[]> {
  const lastSeconds = Date.now() / 1000;
  return (await prometheus.alerts())
    .filter(({ state }) => pending || state === 'firing')
    .map(({ labels, activeAt }) => ({
      alert: labels.alertname ?? '',
      job: labels.job,
      instance: labels.instance,
      firstSeconds: Date.parse(activeAt) / 1000,
      lastSeconds,
    }));
}

/** The alerts that a busy machine does not explain. */
export async function unexplainedAlerts(prometheus: Prometheus, alerts: readonly FiredAlert[]): Promise<FiredAlert[]> {
  const explained = await Promise.all(alerts.map((one) => isCausedByBusyMachine(prometheus, one)));
  return alerts.filter((_, index) => explained[index] === false);
}

/** A hub that used less than this share of one processor while it was late waited for a processor, not for its own work. */
const starvedShareMax = 0.5;
/** A scrape of a stopped target fails at once. A scrape that timed out took at least this long. */
const scrapeTimedOutSeconds = 0.9 * scrapeSecondsDefault;

/** The time from the last export of a hub until it is reported as down, with a reserve. */
const lookBehindSeconds = 30;

/**
 * Whether the metrics show that a busy machine made the alert fire. For latency and timeouts of a hub: its event loop was
 * late while the hub hardly used a processor. For a collector that could not be scraped: every failed scrape had timed out.
 * For a hub whose metrics stopped: a scrape timed out at that time, so Prometheus may have missed its last export.
 * For a queue that grew: it stayed almost empty, and the collector hardly used a processor.
 */
async function isCausedByBusyMachine(prometheus: Prometheus, fired: FiredAlert): Promise<boolean> {
  switch (fired.alert) {
    case 'HestiaEventLoopLag':
    case 'HestiaToolCallsSlow':
    case 'HestiaToolCallLatencyBurn':
    case 'HestiaTelemetryDropped':
      return wasStarved(prometheus, fired);
    case 'HestiaHubDown':
      return missedExports(prometheus, fired);
    case 'HestiaCollectorQueueFilling':
      return isSlowCollector(prometheus, fired);
    case 'HestiaCollectorDown':
      return onlyTimedOut(prometheus, fired);
    default:
      return false;
  }
}

async function wasStarved(prometheus: Prometheus, fired: FiredAlert): Promise<boolean> {
  const window = windowOf(fired);
  const selector = selectorOf(fired);
  const { above } = thresholds.eventLoopLag;
  const late = `max(max_over_time(${series.eventLoopDelayP99}${selector}[${window}])) > ${above}`;
  const used = `sum(rate(${series.cpuTime}${selector}[${window}])) < ${starvedShareMax}`;
  return (await prometheus.query(`(${late}) and (${used})`, fired.lastSeconds)).length > 0;
}

async function onlyTimedOut(prometheus: Prometheus, fired: FiredAlert): Promise<boolean> {
  const selector = selectorOf(fired);
  const failed = (condition: string) =>
    `count(count_over_time((up${selector} == 0 ${condition})[${windowOf(fired)}:${scrapeSecondsDefault}s]))`;
  const failedAtOnce = failed(`and scrape_duration_seconds${selector} < ${scrapeTimedOutSeconds}`);
  const anyFailed = await prometheus.query(failed(''), fired.lastSeconds);
  return anyFailed.length > 0 && (await prometheus.query(failedAtOnce, fired.lastSeconds)).length === 0;
}

/** A queue that holds a longer outage of a backend fills more than this share; a delay of seconds does not. */
const queueShareMin = 0.01;

async function isSlowCollector(prometheus: Prometheus, fired: FiredAlert): Promise<boolean> {
  const window = windowOf(fired);
  const { job, instance } = fired;
  const selector = selectorOf({ job, instance });
  const share = `otelcol_exporter_queue_size${selector} / otelcol_exporter_queue_capacity${selector}`;
  const used = `rate({__name__=~"otelcol_process_cpu_seconds(_total)?", job="${job}", instance="${instance}"}[${window}])`;
  const query = `max(max_over_time((${share})[${window}:1s])) < ${queueShareMin} and max(${used}) < ${starvedShareMax}`;
  return (await prometheus.query(query, fired.lastSeconds)).length > 0;
}

async function missedExports(prometheus: Prometheus, fired: FiredAlert): Promise<boolean> {
  const timedOut = `up{job="${scrapeJobs.hub}"} == 0 and scrape_duration_seconds >= ${scrapeTimedOutSeconds}`;
  const query = `count_over_time((${timedOut})[${lookBehindSeconds}s:${scrapeSecondsDefault}s])`;
  return (await prometheus.query(query, fired.firstSeconds)).length > 0;
}

/** From ten seconds before the alert fired, since it waits before it fires, to the last time that it fired. */
function windowOf({ firstSeconds, lastSeconds }: FiredAlert): string {
  return `${Math.ceil(lastSeconds - firstSeconds) + 10}s`;
}

function selectorOf({ job, instance }: Pick<FiredAlert, 'job' | 'instance'>): string {
  const matchers = Object.entries({ job, instance }).filter(([, value]) => value !== undefined);
  return `{${matchers.map(([label, value]) => `${label}="${value}"`).join(', ')}}`;
}

/** PromQL building blocks of the rules: selectors, scalable windows, and exact counts. */
import { labels, series } from '../prometheus-name.ts';

/** The jobs of `grafana/prometheus.yaml`: metrics of hubs, exported by the collector, and metrics of the collector. */
export const scrapeJobs = { hub: 'hestia', collector: 'otel-collector' } as const;

/** The labels that identify one hub on every series. */
export const hubLabels = 'job, instance';

/** Options of the rules. */
export interface RuleOptions {
  /** Factor of all times: 1 in the committed files, less in tests of real faults, so that minutes last seconds. */
  timeScale: number;
}

/** Formats seconds as a PromQL duration: `90` as `90s`, `3600` as `1h`; fractions of a second as milliseconds. */
export function duration(seconds: number): string {
  const milliseconds = Math.max(1, Math.round(seconds * 1000));
  const [unit, length] = durationUnits.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / length}${unit}`;
}

const durationUnits: readonly [unit: string, milliseconds: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** A series with matchers, such as `name{a="b"}`. Without matchers, only the name. */
export function selector(name: string, ...matchers: readonly string[]): string {
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}

/**
 * True if a gauge was higher at every moment of a window than at any moment of an earlier window, which noise does not
 * cause. Half a window lies between the two, because a sample in both would equal itself.
 */
export function grows(gauge: string, windowSeconds: number, { timeScale }: RuleOptions): string {
  const window = duration(windowSeconds * timeScale);
  const before = duration(windowSeconds * 1.5 * timeScale);
  return `min_over_time(${gauge}[${window}]) > max_over_time(${gauge}[${window}] offset ${before})`;
}

/** A matcher for any of these values. They must not contain special characters of regular expressions. */
export function oneOf(label: string, values: readonly string[]): string {
  return values.length === 1 ? `${label}="${values[0]}"` : `${label}=~"${values.join('|')}"`;
}

/** A matcher for none of these values. A series without the label matches too. */
export function noneOf(label: string, values: readonly string[]): string {
  return `${label}!~"${values.join('|')}"`;
}

/** A window of a query: as text, such as `1h` or a variable of Grafana, and in seconds. */
export interface CountWindow {
  text: string;
  seconds: string;
  /** How far back the window ends and begins, as PromQL durations; now and `text` by default. */
  ago?: { end: string; begin: string };
}

/** The uptime of a hub, by which a new series is distinguished from one that is seen again. */
const hubUptime = series.uptime;

/**
 * How much the series of a counter grew within a window. Rules and dashboards count with this expression, so that they agree.
 * - A series that existed when the window began grew by the exact difference.
 * - A series whose value is lower than when the window began started again right there, and grew by its value.
 * - A series that was born within the window grew by its value, because it was born with its first event. Its process must
 *   have been seen when the window began, or have started since: a series that is merely missing there, because Prometheus
 *   was down, is not new. `uptime` is the metric of that process.
 * - Otherwise, as after a restart within the window, `increase` applies, which extrapolates.
 */
export function growth(counter: string, { text, seconds, ago }: CountWindow, uptime = hubUptime): string {
  const end = ago === undefined ? '' : ` offset ${ago.end}`;
  const begin = `offset ${ago?.begin ?? text}`;
  const last = `last_over_time(${counter}[${text}]${end})`;
  const before = `(${counter} ${begin})`;
  const steady = `resets(${counter}[${text}]${end}) == 0`;
  const knownOrNew = `((${uptime} ${begin}) or max_over_time(${uptime}[${text}]${end}) < ${seconds})`;
  return [
    `(${last} - ${before}) >= 0 and ${steady}`,
    `(${last} < ${before}) and ${steady}`,
    `(${last} unless ${before}) and ${steady} and on (${hubLabels}) ${knownOrNew}`,
    `increase(${counter}[${text}]${end})`,
  ].join(' or ');
}

/** The window of a rule, scaled. */
export function ruleWindow(windowSeconds: number, { timeScale }: RuleOptions): CountWindow {
  return { text: duration(windowSeconds * timeScale), seconds: `${windowSeconds * timeScale}` };
}

/** The sum of {@link growth} by labels, rounded because `increase` extrapolates to fractions. */
export function countedBy(by: string, counter: string, windowSeconds: number, options: RuleOptions): string {
  return `round(sum by (${by}) (${growth(counter, ruleWindow(windowSeconds, options))}))`;
}

/** Series of security events with these names. */
export function securityEvents(...names: readonly string[]): string {
  return selector(series.securityEvents, oneOf(labels.securityEvent, names));
}

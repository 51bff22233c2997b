/** Pieces of PromQL that the rules share: selectors, windows that can be scaled, and counts that miss nothing. */
import { labels, series } from '../prometheus-name.ts';

/** The jobs of `grafana/prometheus.yaml`: the hub's metrics as the collector exports them, and the collector's own. */
export const scrapeJobs = { hub: 'hestia', collector: 'otel-collector' } as const;

/** What identifies one hub on every series. */
export const hubLabels = 'job, instance';

/** How rules are made for another pace of time. */
export interface RuleOptions {
  /** 1 in the committed files; tests of real faults use less, so that windows of minutes last seconds. */
  timeScale: number;
}

/** Seconds as PromQL writes a duration: `90` is `90s`, `3600` is `1h`; below a second, milliseconds. */
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

/** A series with matchers, such as `name{a="b"}`; empty ones are left out. */
export function selector(name: string, ...matchers: readonly string[]): string {
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}

/**
 * Where a gauge was higher at every moment of a window than at any moment of an earlier one: noise does not do that. Half
 * a window lies between the two, since a sample on the border of both would always be as high as itself.
 */
export function grows(gauge: string, windowSeconds: number, { timeScale }: RuleOptions): string {
  const window = duration(windowSeconds * timeScale);
  const before = duration(windowSeconds * 1.5 * timeScale);
  return `min_over_time(${gauge}[${window}]) > max_over_time(${gauge}[${window}] offset ${before})`;
}

/** A matcher for any of these values. None of them may hold a character that means something in a regular expression. */
export function oneOf(label: string, values: readonly string[]): string {
  return values.length === 1 ? `${label}="${values[0]}"` : `${label}=~"${values.join('|')}"`;
}

/** A matcher for none of these values; what has no such label matches too. */
export function noneOf(label: string, values: readonly string[]): string {
  return `${label}!~"${values.join('|')}"`;
}

/**
 * How much a hub's counter grew within a window, series by series. For a process younger than the window that is the
 * counter itself: what happened before the first scrape, at start or before Prometheus came up, counts too, which
 * `increase` cannot see. Only for counters whose series all exist from the start, so that a restart replaces them all.
 */
export function counted(counter: string, windowSeconds: number, { timeScale }: RuleOptions): string {
  const seconds = windowSeconds * timeScale;
  const isYoung = `${series.uptime} < ${seconds}`;
  return `(${counter} + 0 and on (${hubLabels}) ${isYoung}) or increase(${counter}[${duration(seconds)}])`;
}

/** {@link counted}, added up by labels and rounded: `increase` extrapolates, and nothing happens two thirds of a time. */
export function countedBy(by: string, counter: string, windowSeconds: number, options: RuleOptions): string {
  return `round(sum by (${by}) (${counted(counter, windowSeconds, options)}))`;
}

/** Series of security events with these names. */
export function securityEvents(...names: readonly string[]): string {
  return selector(series.securityEvents, oneOf(labels.securityEvent, names));
}

/** PromQL building blocks of the dashboards: matchers, rates, increases and quantiles. */
import { growth, selector } from '../rules/promql.ts';
import { collectorUptime } from './collector-metrics.ts';

/** Matcher of the selected deployments, and of the selected hubs of them. Fault drills are not among them by default. */
export const ofDeployment = 'job=~"$job"';
const ofInstance = 'instance=~"$instance"';

/** The time range of the dashboard, as a window. */
const range = { text: '$__range', seconds: '$__range_s' };

/** The window of a rate at a point of a chart: at least four scrapes, and at least the distance to the next point. */
const rateInterval = { text: '$__rate_interval', seconds: '($__rate_interval_ms / 1000)' };

/** The time from one point of a chart to the next, at least the interval of scrapes. */
const interval = { text: '$__interval', seconds: '($__interval_ms / 1000)' };

/** `label="value"`. */
export function is(label: string, value: string): string {
  return `${label}="${value}"`;
}

/** `label!="value"`; with an empty value, the label must exist. */
export function isNot(label: string, value: string): string {
  return `${label}!="${value}"`;
}

/** `label=~"pattern"`. The pattern may be a variable. */
export function matches(label: string, pattern: string): string {
  return `${label}=~"${pattern}"`;
}

/** Series of the selected hubs, or series made from their spans. */
export function hub(name: string, ...matchers: readonly string[]): string {
  return selector(name, ofDeployment, ofInstance, ...matchers);
}

/** The growth of a counter per second, summed by labels. Unlike `rate`, it has the event with which a series is born. */
export function perSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (${growth(selector, rateInterval)}) / ${rateInterval.seconds}`;
}

/** {@link perSecond} of a counter of a collector. */
export function collectorPerSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (${growth(selector, rateInterval, collectorUptime)}) / ${rateInterval.seconds}`;
}

/** The exact growth of a counter over the time range, summed by labels: what an alert over the same window counts. */
export function overRange(selector: string, ...by: readonly string[]): string {
  return `round(${sumOverRange(selector, ...by)})`;
}

/** The growth of a counter that is not a whole number, such as a sum of shares, over the time range. */
export function sumOverRange(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (${growth(selector, range)})`;
}

/** The exact growth of a counter since the previous point of a chart: each event is in one point. */
export function overInterval(selector: string, ...by: readonly string[]): string {
  return `round(sum${grouping(by)} (${growth(selector, interval)}))`;
}

/** A quantile of a histogram at each point of a chart. `by` must not contain `le`. */
export function quantile(share: number, bucketSelector: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${perSecond(bucketSelector, 'le', ...by)})`;
}

/** A quantile of a histogram over the time range. */
export function quantileOverRange(share: number, bucketSelector: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${overRange(bucketSelector, 'le', ...by)})`;
}

/** A share of a total; no value if the total is zero. */
export function shareOf(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? '' : ` by (${by.join(', ')})`;
}

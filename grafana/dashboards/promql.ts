/** PromQL building blocks of the dashboards: matchers, rates, increases and quantiles. */
import { growth, selector } from '../rules/promql.ts';

/** Matcher of the selected deployments, and of the selected hubs of them. Fault drills are not among them by default. */
export const ofDeployment = 'job=~"$job"';
const ofInstance = 'instance=~"$instance"';

/** The time range of the dashboard, as a window. */
const range = { text: '$__range', seconds: '$__range_s' };

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

/** The increase of a counter per second, summed by labels. */
export function perSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (rate(${selector}[$__rate_interval]))`;
}

/** The exact growth of a counter over the time range, summed by labels: what an alert over the same window counts. */
export function overRange(selector: string, ...by: readonly string[]): string {
  return `round(sum${grouping(by)} (${growth(selector, range)}))`;
}

/** The increase of a counter between two points of a chart, summed by labels. */
export function overInterval(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (increase(${selector}[$__rate_interval]))`;
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

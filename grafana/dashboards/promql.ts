/** PromQL building blocks of the dashboards: matchers, rates, increases and quantiles. */
import { selector } from '../rules/promql.ts';

/** The variable that selects hubs. It filters every series of a hub. */
const ofInstance = 'instance=~"$instance"';

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
  return selector(name, ofInstance, ...matchers);
}

/** The increase of a counter per second, summed by labels. */
export function perSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (rate(${selector}[$__rate_interval]))`;
}

/** The increase of a counter over the time range, summed by labels. */
export function overRange(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (increase(${selector}[$__range]))`;
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

/** The few forms of PromQL the boards are made of. Knows no metric: names and labels are handed in. */
import { selector } from '../rules/promql.ts';

/** The variable that chooses among hubs; every series of the hub is narrowed by it. */
const ofInstance = 'instance=~"$instance"';

/** `label="value"`. */
export function is(label: string, value: string): string {
  return `${label}="${value}"`;
}

/** `label!="value"`; with an empty value: the label is there. */
export function isNot(label: string, value: string): string {
  return `${label}!="${value}"`;
}

/** `label=~"pattern"`; the pattern may be a variable. */
export function matches(label: string, pattern: string): string {
  return `${label}=~"${pattern}"`;
}

/** Series that the hub makes, or that are made of its spans, of the chosen hubs. */
export function hub(name: string, ...matchers: readonly string[]): string {
  return selector(name, ofInstance, ...matchers);
}

/** The increase of a counter each second, added up by labels. */
export function perSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (rate(${selector}[$__rate_interval]))`;
}

/** The increase of a counter over the time shown, added up by labels. */
export function overRange(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (increase(${selector}[$__range]))`;
}

/** The increase of a counter from one point of a chart to the next, added up by labels. */
export function overInterval(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (increase(${selector}[$__rate_interval]))`;
}

/** A quantile of a histogram at each point of a chart; `by` never names `le`. */
export function quantile(share: number, bucketSelector: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${perSecond(bucketSelector, 'le', ...by)})`;
}

/** A quantile of a histogram over the time shown. */
export function quantileOverRange(share: number, bucketSelector: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${overRange(bucketSelector, 'le', ...by)})`;
}

/** A part of a whole; no value where the whole is nothing. */
export function shareOf(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? '' : ` by (${by.join(', ')})`;
}

/** What the collector makes of the hub's spans: the only histograms with exemplars, since the SDK makes none. */
import { labels } from '../prometheus-name.ts';
import { hub, matches } from './promql.ts';

/** The series of the collector's span metrics connector, in seconds. */
export const spanSeries = {
  duration: 'traces_span_metrics_duration_seconds',
  calls: 'traces_span_metrics_calls_total',
} as const;

/** The connector's own labels; the dimensions that it is given are spelled as the hub's labels are. */
export const spanLabels = {
  kind: 'span_kind',
  name: 'span_name',
  status: 'status_code',
  service: 'service_name',
} as const;

/** Buckets of the durations of calls to upstream servers. */
export function callDurations(matchers: readonly string[] = []): string {
  return hub(`${spanSeries.duration}_bucket`, matches(spanLabels.kind, 'SPAN_KIND_CLIENT'), ...matchers);
}

/** Buckets of the durations of MCP requests that the hub served. */
export function requestDurations(): string {
  return hub(
    `${spanSeries.duration}_bucket`,
    matches(spanLabels.kind, 'SPAN_KIND_SERVER'),
    matches(labels.mcpMethodName, '.+'),
  );
}

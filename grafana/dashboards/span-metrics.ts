/** Span metrics that the collector derives from the hub's spans. The only histograms with exemplars; the SDK has none. */
import { labels } from '../prometheus-name.ts';
import { hub, matches } from './promql.ts';

/** The series of the collector's span metrics connector, in seconds. */
export const spanSeries = {
  duration: 'traces_span_metrics_duration_seconds',
  calls: 'traces_span_metrics_calls_total',
} as const;

/** The labels of the connector itself. Configured dimensions have the same names as the hub's labels. */
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

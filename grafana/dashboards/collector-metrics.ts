/** The metrics that the collector tells of itself, and the jobs by which Prometheus scrapes it. */

/** The job that scrapes the collector's own metrics. */
export const collectorJob = 'otel-collector';

/** The job that scrapes the hub's metrics from the collector; the series themselves carry the hub's own `job`. */
export const hubJob = 'hestia';

/** The collector's word for each signal of OpenTelemetry. */
export const collectorItems = { traces: 'spans', logs: 'log_records', metrics: 'metric_points' } as const;

/** A counter that the collector has for each signal. */
export type CollectorCounter =
  | 'receiver_accepted'
  | 'receiver_refused'
  | 'exporter_sent'
  | 'exporter_send_failed'
  | 'exporter_enqueue_failed';

/** The name of such a counter in Prometheus. */
export function collectorCounter(counter: CollectorCounter, signal: keyof typeof collectorItems): string {
  return `otelcol_${counter}_${collectorItems[signal]}_total`;
}

/** Gauges of the collector. */
export const collectorGauges = {
  queueSize: 'otelcol_exporter_queue_size',
  queueCapacity: 'otelcol_exporter_queue_capacity',
  memory: 'otelcol_process_memory_rss_bytes',
} as const;

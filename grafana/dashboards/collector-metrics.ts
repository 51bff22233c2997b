/** Names of the metrics of the collector. */

/** The collector's name for the items of each signal. */
export const collectorItems = { traces: 'spans', logs: 'log_records', metrics: 'metric_points' } as const;

/** A counter of the collector with one series name for each signal. */
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

/** The uptime of the process, in seconds. */
export const collectorUptime = 'otelcol_process_uptime_seconds_total';

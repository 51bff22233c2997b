/**
 * Batch processors for spans and log records that count every lost item.
 * The SDK's batch processors drop items silently when their queue is full. These count the queue, refuse items at the same
 * limit, and report each item that will not arrive.
 */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { BatchLogRecordProcessor, type LogRecordExporter, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { BatchConfiguration } from '../shapes/configuration/config.ts';

/** The signals; the values of `otel.signal`. */
export type Signal = 'traces' | 'logs' | 'metrics';

/** Counts of a signal's items: added to the queue, exported, lost, and waiting or being exported now. */
export interface Delivery {
  accepted: number;
  exported: number;
  dropped: number;
  queueSize: number;
  /** The capacity of the queue in items; 0 if there is no queue. */
  queueCapacity: number;
}

/** Receives the events of a pipeline. */
export interface DeliveryObserver {
  /** An item was added to the queue. */
  accepted(signal: Signal): void;
  /** Items were lost: the queue was full, or their export failed after all retries. */
  lost(signal: Signal, count: number): void;
  /** An export of `count` items finished. */
  exported(signal: Signal, succeeded: boolean, count: number): void;
}

/** A processor, and the number of items waiting in its queue or being exported. */
export interface Pipeline<Processor> {
  processor: Processor;
  pending(): number;
}

const sampledFlag = 1;

/** A batch span processor for `exporter`, with the limits of `settings`. */
export function createSpanPipeline(
  exporter: SpanExporter,
  settings: BatchConfiguration,
  observer: DeliveryObserver,
): Pipeline<SpanProcessor> {
  const queue = createQueueCount('traces', settings.queueSizeMax, observer);
  const batch = new BatchSpanProcessor({
    exporter: {
      export: (spans, done) => queue.exporting(spans.length, (settled) => exporter.export(spans, settled), done),
      forceFlush: async () => exporter.forceFlush?.(),
      shutdown: () => exporter.shutdown(),
    },
    ...batchOptions(settings),
  });
  return {
    pending: queue.pending,
    processor: {
      onStart: () => undefined,
      onEnd: (span) => {
        if ((span.spanContext().traceFlags & sampledFlag) !== 0 && queue.admits()) batch.onEnd(span);
      },
      forceFlush: () => batch.forceFlush(),
      shutdown: () => batch.shutdown(),
    },
  };
}

/** A batch log record processor for `exporter`, with the limits of `settings`. */
export function createLogPipeline(
  exporter: LogRecordExporter,
  settings: BatchConfiguration,
  observer: DeliveryObserver,
): Pipeline<LogRecordProcessor> {
  const queue = createQueueCount('logs', settings.queueSizeMax, observer);
  const batch = new BatchLogRecordProcessor({
    exporter: {
      export: (records, done) => queue.exporting(records.length, (settled) => exporter.export(records, settled), done),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
    ...batchOptions(settings),
  });
  return {
    pending: queue.pending,
    processor: {
      onEmit: (record) => {
        if (queue.admits()) batch.onEmit(record);
      },
      forceFlush: () => batch.forceFlush(),
      shutdown: () => batch.shutdown(),
    },
  };
}

/** A metric exporter that reports the result of each export. Metrics are cumulative, so a failed export loses nothing. */
export function observedMetricExporter(exporter: PushMetricExporter, observer: DeliveryObserver): PushMetricExporter {
  return {
    export: (batch, done) =>
      exporter.export(batch, (result) => {
        observer.exported('metrics', result.code === ExportResultCode.SUCCESS, metricsCount(batch));
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    ...(exporter.selectAggregationTemporality && {
      selectAggregationTemporality: exporter.selectAggregationTemporality.bind(exporter),
    }),
    ...(exporter.selectAggregation && { selectAggregation: exporter.selectAggregation.bind(exporter) }),
  };
}

function metricsCount({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics.reduce((count, scope) => count + scope.metrics.length, 0);
}

function batchOptions(settings: BatchConfiguration) {
  return {
    maxQueueSize: settings.queueSizeMax,
    maxExportBatchSize: settings.batchSizeMax,
    scheduledDelayMillis: settings.delayMs,
    exportTimeoutMillis: settings.timeoutMs,
  };
}

/** Mirrors the length of a batch processor's queue, which only grows in `onEnd` and only shrinks in `export`. */
function createQueueCount(signal: Signal, queueSizeMax: number, observer: DeliveryObserver) {
  let waiting = 0;
  let exporting = 0;
  return {
    pending: () => waiting + exporting,
    admits: (): boolean => {
      if (waiting >= queueSizeMax) {
        observer.lost(signal, 1);
        return false;
      }
      waiting += 1;
      observer.accepted(signal);
      return true;
    },
    exporting: (
      count: number,
      send: (settled: (result: ExportResult) => void) => void,
      done: (result: ExportResult) => void,
    ): void => {
      waiting -= count;
      exporting += count;
      send((result) => {
        exporting -= count;
        const succeeded = result.code === ExportResultCode.SUCCESS;
        if (!succeeded) observer.lost(signal, count);
        observer.exported(signal, succeeded, count);
        done(result);
      });
    },
  };
}

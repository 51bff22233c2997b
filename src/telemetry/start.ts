/**
 * Start and shutdown of the OpenTelemetry SDK: processors, exporters, metric reader and resource.
 * At shutdown, traces and logs are flushed first and metrics last.
 */
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { LogRecordExporter, LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler, ParentBasedSampler, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { settledWithin } from '../flow/time-limit.ts';
import type {
  BatchConfiguration,
  SignalConfiguration,
  TelemetryConfiguration,
} from '../shapes/configuration/config.ts';
import type { Log } from './log.ts';
import {
  createLogPipeline,
  createSpanPipeline,
  type Delivery,
  type DeliveryObserver,
  observedMetricExporter,
  type Pipeline,
  type Signal,
} from './pipeline.ts';
import { createRecentSpans, type RecentSpan } from './recent-spans.ts';
import { observeRuntime } from './runtime.ts';
import { createTraceIds } from './trace-ids.ts';

/** Running telemetry. */
export interface Telemetry extends AsyncDisposable {
  /** Counts of each signal's items since the start. Of metrics only exports are counted, since they are cumulative. */
  delivery(): Readonly<Record<Signal, Delivery>>;
  /** The spans of a trace that this process ended lately, whatever is exported; undefined where telemetry is disabled. */
  spansOf(traceId: string): RecentSpan[] | undefined;
}

/** How long the shutdown waits for the last traces and logs, and then for the last metrics, in milliseconds. */
const flushTimeoutMs = 1200;

/**
 * Starts telemetry and sets the global providers. An unreachable collector causes one warning, and one line when it is reachable
 * again; lost items are counted. Disposing takes at most 3 seconds, whatever the collector does.
 */
export async function startTelemetry({
  configuration,
  log,
}: {
  configuration: TelemetryConfiguration;
  log: Log;
}): Promise<Telemetry> {
  const { observer, counts } = createDeliveryCounts(log);
  if (configuration.disabled)
    return { delivery: () => counts, spansOf: () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const recentSpans = createRecentSpans();
  const traces = await spanPipeline(configuration, observer);
  const logs = await logPipeline(configuration, observer);
  const reader = await metricReader(configuration, observer);
  const sdk = new NodeSDK({
    resource: resourceFromAttributes(configuration.resourceAttributes),
    autoDetectResources: false,
    instrumentations: [],
    idGenerator: createTraceIds(),
    spanProcessors: [recentSpans, ...(traces ? [traces.processor] : [])],
    logRecordProcessors: logs ? [logs.processor] : [],
    metricReaders: reader ? [reader] : [],
    // A caller must not hide its security events by the flag "not sampled".
    ...(!configuration.samplerFromEnvironment && {
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler(), remoteParentNotSampled: new AlwaysOnSampler() }),
    }),
  });
  sdk.start();
  const runtime = observeRuntime();
  return {
    spansOf: recentSpans.ofTrace,
    delivery: () => ({
      traces: { ...counts.traces, ...queueState(traces, configuration.traces) },
      logs: { ...counts.logs, ...queueState(logs, configuration.logs) },
      metrics: counts.metrics,
    }),
    [Symbol.asyncDispose]: async () => {
      const flushed = Promise.allSettled([traces?.processor.forceFlush(), logs?.processor.forceFlush()]);
      await settledWithin(flushTimeoutMs, flushed);
      if (traces) observer.lost('traces', traces.pending());
      if (logs) observer.lost('logs', logs.pending());
      if (reader) await settledWithin(flushTimeoutMs, reader.forceFlush());
      runtime[Symbol.dispose]();
      logLoss(log, counts);
      await settledWithin(shutdownTimeoutMs, sdk.shutdown());
    },
  };
}

/** Logs how much telemetry was lost since the start, if any. */
function logLoss(log: Log, counts: Readonly<Record<Signal, Delivery>>): void {
  const lost = { spans_lost: counts.traces.dropped, log_records_lost: counts.logs.dropped };
  if (lost.spans_lost + lost.log_records_lost > 0) log.warn('Telemetry was lost', lost, { local: true });
}

/** How long the providers may take to shut down after they are flushed, in milliseconds. */
const shutdownTimeoutMs = 300;

function queueState(pipeline: Pipeline<unknown> | undefined, { queueSizeMax }: BatchConfiguration) {
  return pipeline === undefined ? {} : { queueSize: pipeline.pending(), queueCapacity: queueSizeMax };
}

const nothingYet: Delivery = { accepted: 0, exported: 0, dropped: 0, queueSize: 0, queueCapacity: 0 };

function createDeliveryCounts(log: Log): { observer: DeliveryObserver; counts: Record<Signal, Delivery> } {
  const counts = { traces: { ...nothingYet }, logs: { ...nothingYet }, metrics: { ...nothingYet } };
  const failing = new Set<Signal>();
  let isWarned = false;
  return {
    counts,
    observer: {
      accepted: (signal) => {
        counts[signal].accepted += 1;
      },
      lost: (signal, count) => {
        counts[signal].dropped += count;
      },
      exported: (signal, succeeded, count) => {
        if (succeeded) counts[signal].exported += count;
        if (!succeeded) {
          failing.add(signal);
          if (!isWarned)
            log.warn('The collector cannot be reached; lost telemetry is counted', { signal }, { local: true });
          isWarned = true;
        } else if (failing.delete(signal) && failing.size === 0) {
          log.info(
            'The collector can be reached again',
            { spans_lost: counts.traces.dropped, log_records_lost: counts.logs.dropped },
            { local: true },
          );
          isWarned = false;
        }
      },
    },
  };
}

async function spanPipeline(
  { traces }: TelemetryConfiguration,
  observer: DeliveryObserver,
): Promise<Pipeline<SpanProcessor> | undefined> {
  if (traces.exporter === 'none') return undefined;
  const exporter: SpanExporter = usesJson(traces)
    ? new (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter()
    : (await import('./otlp/exporters.ts')).createSpanExporter();
  return createSpanPipeline(exporter, traces, observer);
}

async function logPipeline(
  { logs }: TelemetryConfiguration,
  observer: DeliveryObserver,
): Promise<Pipeline<LogRecordProcessor> | undefined> {
  if (logs.exporter === 'none') return undefined;
  const exporter: LogRecordExporter = usesJson(logs)
    ? new (await import('@opentelemetry/exporter-logs-otlp-http')).OTLPLogExporter()
    : (await import('./otlp/exporters.ts')).createLogExporter();
  return createLogPipeline(exporter, logs, observer);
}

async function metricReader({ metrics }: TelemetryConfiguration, observer: DeliveryObserver) {
  if (metrics.exporter === 'none') return undefined;
  const exporter: PushMetricExporter = usesJson(metrics)
    ? new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter()
    : new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter();
  return new PeriodicExportingMetricReader({
    exporter: observedMetricExporter(exporter, observer),
    exportIntervalMillis: metrics.intervalMs,
    exportTimeoutMillis: metrics.timeoutMs,
  });
}

function usesJson(signal: SignalConfiguration): boolean {
  return signal.protocol === 'http/json';
}

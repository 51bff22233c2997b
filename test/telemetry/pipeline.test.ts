/** Telemetry with a failing collector or a full queue: every lost item is counted. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logs, metrics, trace } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { createLogPipeline, createSpanPipeline, type DeliveryObserver } from '../../src/telemetry/pipeline.ts';
import { startTelemetry } from '../../src/telemetry/start.ts';
import { readLines } from '../support/hub/hub.ts';
import { startOtlpReceiver } from '../support/telemetry/otlp-receiver.ts';

const settings = {
  exporter: 'otlp',
  protocol: 'http/protobuf',
  queueSizeMax: 20,
  batchSizeMax: 10,
  delayMs: 5,
  timeoutMs: 500,
} as const;

function countingObserver() {
  const counts = { accepted: 0, lost: 0, succeeded: 0, failed: 0 };
  const observer: DeliveryObserver = {
    accepted: () => {
      counts.accepted += 1;
    },
    lost: (_signal, count) => {
      counts.lost += count;
    },
    exported: (_signal, succeeded) => {
      counts[succeeded ? 'succeeded' : 'failed'] += 1;
    },
  };
  return { counts, observer };
}

/** An exporter whose result the test sets. */
function exporterOf(code: () => ExportResultCode) {
  const taken: ReadableSpan[] = [];
  const exporter: SpanExporter = {
    export: (spans, done) => {
      if (code() === ExportResultCode.SUCCESS) taken.push(...spans);
      setImmediate(() => done({ code: code() }));
    },
    shutdown: async () => undefined,
  };
  return { taken, exporter };
}

describe('a burst that is larger than the queue', () => {
  test('of spans: exported and lost spans add up to all', async () => {
    const { counts, observer } = countingObserver();
    const { taken, exporter } = exporterOf(() => ExportResultCode.SUCCESS);
    const pipeline = createSpanPipeline(exporter, settings, observer);
    const tracer = new TracerProvider({ spanProcessors: [pipeline.processor] }).getTracer('test');
    for (let index = 0; index < 1000; index += 1) tracer.startSpan('work').end();
    await pipeline.processor.forceFlush();
    await expect.poll(() => pipeline.pending()).toBe(0);
    expect(counts.lost).toBeGreaterThan(0);
    expect(taken.length + counts.lost).toBe(1000);
    expect(counts.accepted).toBe(taken.length);
  });

  test('of log records: exported and lost records add up to all', async () => {
    const { counts, observer } = countingObserver();
    let taken = 0;
    const exporter = {
      export: (records: unknown[], done: (result: { code: ExportResultCode }) => void) => {
        taken += records.length;
        setImmediate(() => done({ code: ExportResultCode.SUCCESS }));
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    };
    const pipeline = createLogPipeline(exporter, settings, observer);
    const logger = new LoggerProvider({ processors: [pipeline.processor] }).getLogger('test');
    for (let index = 0; index < 1000; index += 1) logger.emit({ body: 'line' });
    await pipeline.processor.forceFlush();
    await expect.poll(() => pipeline.pending()).toBe(0);
    expect(counts.lost).toBeGreaterThan(0);
    expect(taken + counts.lost).toBe(1000);
    expect(counts.accepted).toBe(taken);
  });
});

describe('an exporter that fails', () => {
  test('loses the given items, which are counted, and no others once it works again', async () => {
    let code = ExportResultCode.FAILED;
    const { counts, observer } = countingObserver();
    const { taken, exporter } = exporterOf(() => code);
    const pipeline = createSpanPipeline(exporter, settings, observer);
    const tracer = new TracerProvider({ spanProcessors: [pipeline.processor] }).getTracer('test');
    for (let index = 0; index < 7; index += 1) tracer.startSpan('work').end();
    await pipeline.processor.forceFlush().catch(() => undefined);
    await expect.poll(() => counts).toMatchObject({ lost: 7, succeeded: 0 });
    code = ExportResultCode.SUCCESS;
    for (let index = 0; index < 5; index += 1) tracer.startSpan('work').end();
    await pipeline.processor.forceFlush();
    expect(taken).toHaveLength(5);
    expect(counts.lost).toBe(7);
  });
});

describe('telemetry with an unavailable collector', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    trace.disable();
    metrics.disable();
    logs.disable();
  });

  test('logs one warning, counts lost items, and logs one line when the collector is available again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-telemetry-'));
    const receiver = await startOtlpReceiver();
    receiver.mode = 'reject400';
    // The SDK and its exporters read these two themselves.
    vi.stubEnv('OTEL_SDK_DISABLED', 'false');
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    const environment = {
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_BLRP_SCHEDULE_DELAY: '10',
      OTEL_METRIC_EXPORT_INTERVAL: '50',
    };
    const { telemetry: configuration } = loadConfig({ environment, workingDirectory: folder });
    const log = await openLog({ file: join(folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
    const telemetry = await startTelemetry({ configuration, log });
    const lines = (text: string) =>
      readLines(join(folder, 'hestia.log')).filter((line) => String(line.message).startsWith(text));
    for (let index = 0; index < 3; index += 1) {
      const before = telemetry.delivery().traces.dropped;
      trace.getTracer('test').startSpan('lost').end();
      await expect.poll(() => telemetry.delivery().traces.dropped).toBe(before + 1);
    }
    expect(lines('The collector cannot be reached')).toHaveLength(1);
    receiver.mode = 'ok';
    trace.getTracer('test').startSpan('kept').end();
    await receiver.waitFor(() => receiver.spans().some((span) => span.name === 'kept'));
    await expect.poll(() => lines('The collector can be reached again')).toMatchObject([{ spans_lost: 3 }]);
    const { traces } = telemetry.delivery();
    expect(traces).toMatchObject({ accepted: 4, exported: 1, dropped: 3, queueSize: 0, queueCapacity: 8192 });
    await telemetry[Symbol.asyncDispose]();
    await log.close();
    await receiver.close();
    await rm(folder, { recursive: true });
  });
});

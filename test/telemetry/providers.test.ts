import { context, logs, metrics, propagation, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { AlwaysOffSampler, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { registerProviders } from '../../src/telemetry/providers.ts';
import { createTraceIds } from '../../src/telemetry/trace-ids.ts';

/** Registers providers that keep everything in memory. */
async function observed({ needsSdk, isOff = false }: { needsSdk: boolean; isOff?: boolean }) {
  const spans = new InMemorySpanExporter();
  const records = new InMemoryLogRecordExporter();
  const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 });
  const providers = await registerProviders(
    {
      resource: resourceFromAttributes({ 'service.name': 'hub' }),
      idGenerator: createTraceIds(),
      spanProcessor: new SimpleSpanProcessor({ exporter: spans }),
      logProcessors: [new SimpleLogRecordProcessor({ exporter: records })],
      metricReaders: [reader],
      sampler: isOff ? new AlwaysOffSampler() : undefined,
    },
    needsSdk,
  );
  return { spans, records, points, reader, providers };
}

describe.each([
  ['of parts', false],
  ['of the whole SDK', true],
])('providers %s', (_name, needsSdk) => {
  afterEach(() => {
    vi.unstubAllEnvs();
    for (const api of [trace, metrics, logs, context, propagation]) api.disable();
  });

  test('carry a span through asynchronous calls and in headers, and all three signals to their exporters', async () => {
    // The SDK reads this itself; vitest's configuration turns it off for all tests.
    vi.stubEnv('OTEL_SDK_DISABLED', 'false');
    const { spans, records, points, reader, providers } = await observed({ needsSdk });
    const tracer = trace.getTracer('test');
    const headers: Record<string, string> = {};
    await tracer.startActiveSpan('outer', async (outer) => {
      await Promise.resolve();
      tracer.startSpan('inner').end();
      logs.getLogger('test').emit({ body: 'told' });
      metrics.getMeter('test').createCounter('counted').add(1);
      const baggage = propagation.createBaggage({ team: { value: 'red' } });
      propagation.inject(propagation.setBaggage(context.active(), baggage), headers);
      outer.end();
    });
    await reader.forceFlush();
    const [inner, outer] = spans.getFinishedSpans();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(inner?.resource.attributes['service.name']).toBe('hub');
    expect(headers).toMatchObject({ traceparent: expect.stringContaining(String(outer?.spanContext().traceId)) });
    expect(headers).toMatchObject({ baggage: 'team=red' });
    expect(records.getFinishedLogRecords()).toMatchObject([{ body: 'told', spanContext: outer?.spanContext() }]);
    expect(points.getMetrics().at(-1)?.scopeMetrics[0]?.metrics[0]?.descriptor.name).toBe('counted');
    await providers.shutdown();
  });

  test('ask the sampler that is given', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'false');
    const { spans, providers } = await observed({ needsSdk, isOff: true });
    trace.getTracer('test').startSpan('left out').end();
    expect(spans.getFinishedSpans()).toEqual([]);
    await providers.shutdown();
  });
});

describe('providers of the whole SDK', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    for (const api of [trace, metrics, logs, context, propagation]) api.disable();
  });

  test('hold the limits that only it reads', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'false');
    vi.stubEnv('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', '1');
    const { spans, providers } = await observed({ needsSdk: true });
    trace.getTracer('test').startSpan('short').setAttributes({ first: 1, second: 2 }).end();
    expect(spans.getFinishedSpans()[0]?.attributes).toEqual({ first: 1 });
    await providers.shutdown();
  });
});

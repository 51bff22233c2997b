/** The OTLP receiver with the real SDK and exporters, in both encodings. */
import { context, ROOT_CONTEXT, SeverityNumber, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPLogExporter as LogJsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricJsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricProtoExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TraceJsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TraceProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';

const resource = resourceFromAttributes({ 'service.name': 'hestia', 'service.instance.id': 'one' });

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await receiver.close();
});

const encodings = [
  {
    encoding: 'http/protobuf',
    contentType: 'application/x-protobuf',
    TraceExporter: TraceProtoExporter,
    LogExporter: LogProtoExporter,
    MetricExporter: MetricProtoExporter,
  },
  {
    encoding: 'http/json',
    contentType: 'application/json',
    TraceExporter: TraceJsonExporter,
    LogExporter: LogJsonExporter,
    MetricExporter: MetricJsonExporter,
  },
];

describe.each(encodings)('a receiver of $encoding', ({ TraceExporter, LogExporter, MetricExporter, contentType }) => {
  const traces = (options = {}) => {
    const exporter = new TraceExporter({ url: `${receiver.url}/v1/traces`, ...options });
    return new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  };
  const metrics = () => {
    const exporter = new MetricExporter({ url: `${receiver.url}/v1/metrics` });
    return new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter })] });
  };

  test('returns a span with all its parts', async () => {
    const provider = traces();
    const tracer = provider.getTracer('hestia-test');
    const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT);
    const other = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    const span = tracer.startSpan(
      'tools/call echo',
      {
        kind: SpanKind.CLIENT,
        startTime: [1_700_000_000, 5],
        attributes: { text: 'été', whole: -7, fraction: 0.5, yes: true, list: ['a', 'b'], empty: '' },
        links: [{ context: other, attributes: { why: 'http' } }],
      },
      trace.setSpan(context.active(), parent),
    );
    span.addEvent('retry', { attempt: 2 }).setStatus({ code: SpanStatusCode.ERROR, message: 'no' });
    span.end([1_700_000_001, 0]);
    parent.end();
    await provider.shutdown();

    expect(receiver.spans()).toHaveLength(2);
    expect(receiver.spans().find(({ name }) => name === 'tools/call echo')).toMatchObject({
      traceId: parent.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: parent.spanContext().spanId,
      kind: 'CLIENT',
      startTimeUnixNano: 1_700_000_000_000_000_005n,
      endTimeUnixNano: 1_700_000_001_000_000_000n,
      attributes: { text: 'été', whole: -7, fraction: 0.5, yes: true, list: ['a', 'b'], empty: '' },
      events: [{ name: 'retry', attributes: { attempt: 2 } }],
      links: [{ traceId: other.traceId, spanId: other.spanId, attributes: { why: 'http' } }],
      status: { code: 'ERROR', message: 'no' },
      resource: { 'service.name': 'hestia', 'service.instance.id': 'one' },
      scope: 'hestia-test',
    });
    expect(receiver.spans().find(({ name }) => name === 'parent')).toMatchObject({
      parentSpanId: undefined,
      kind: 'INTERNAL',
      status: { code: 'UNSET', message: '' },
    });
    expect(receiver.requests()[0]).toMatchObject({ path: '/v1/traces', contentType, status: 200 });
  });

  test('returns a log record with its span and nested values', async () => {
    const exporter = new LogExporter({ url: `${receiver.url}/v1/logs` });
    const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter })] });
    const spanContext = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1 };
    provider.getLogger('hestia-test').emit({
      severityNumber: SeverityNumber.WARN,
      severityText: 'warn',
      eventName: 'tool.outcome',
      body: 'Tool outcome recorded',
      attributes: {
        outcome: 'error',
        latency_ms: 12.5,
        nested: { deep: [1, { x: false }] },
        bytes: Uint8Array.of(1, 2),
      },
      context: trace.setSpanContext(ROOT_CONTEXT, spanContext),
    });
    provider.getLogger('hestia-test').emit({ body: 'alone', context: ROOT_CONTEXT });
    await provider.shutdown();

    expect(receiver.logRecords()).toMatchObject([
      {
        severityNumber: 13,
        severityText: 'warn',
        eventName: 'tool.outcome',
        body: 'Tool outcome recorded',
        attributes: { outcome: 'error', latency_ms: 12.5, nested: { deep: [1, { x: false }] }, bytes: 'AQI=' },
        traceId: spanContext.traceId,
        spanId: spanContext.spanId,
        scope: 'hestia-test',
        resource: { 'service.name': 'hestia' },
      },
      { body: 'alone', traceId: undefined, spanId: undefined },
    ]);
  });

  test('returns the newest point of each series, and totals over them', async () => {
    const provider = metrics();
    const meter = provider.getMeter('hestia-test');
    const counter = meter.createCounter('hestia.tool.outcomes', { unit: '{call}', description: 'Calls.' });
    const histogram = meter.createHistogram('hestia.search.duration', {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.1, 1] },
    });
    const active = meter.createUpDownCounter('hestia.skills.active');
    meter.createObservableGauge('hestia.audit.gap').addCallback((result) => result.observe(0.25));
    counter.add(1, { outcome: 'success' });
    active.add(2);
    active.add(-3);
    histogram.record(0.05);
    histogram.record(5);
    await provider.forceFlush();
    counter.add(2, { outcome: 'success' });
    counter.add(4, { outcome: 'error' });
    await provider.shutdown();

    const outcomes = receiver.metricPoints('hestia.tool.outcomes');
    expect(outcomes.map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ outcome: 'success' }, 3],
      [{ outcome: 'error' }, 4],
    ]);
    expect(outcomes[0]).toMatchObject({
      type: 'sum',
      isMonotonic: true,
      temporality: 'CUMULATIVE',
      unit: '{call}',
      description: 'Calls.',
      scope: 'hestia-test',
    });
    expect(receiver.metricPoints('hestia.skills.active')).toMatchObject([{ value: -1, isMonotonic: false }]);
    expect(receiver.metricPoints('hestia.audit.gap')).toMatchObject([{ type: 'gauge', value: 0.25 }]);
    expect(receiver.metricPoints('hestia.search.duration')).toMatchObject([
      {
        type: 'histogram',
        count: 2,
        sum: 5.05,
        min: 0.05,
        max: 5,
        bounds: [0.1, 1],
        bucketCounts: [1, 0, 1],
        unit: 's',
      },
    ]);
    expect(receiver.metricTotal('hestia.tool.outcomes')).toBe(7);
    expect(receiver.metricTotal('hestia.tool.outcomes', { outcome: 'error' })).toBe(4);
    expect(receiver.metricTotal('hestia.search.duration')).toBe(2);
    expect(receiver.metricTotal('hestia.tool.outcomes', { outcome: 'timeout' })).toBeUndefined();
  });

  test('reads gzip', async () => {
    const provider = traces({ compression: 'gzip' });
    provider.getTracer('hestia-test').startSpan('small').end();
    await provider.shutdown();
    expect(receiver.spans().map(({ name }) => name)).toEqual(['small']);
    expect(receiver.requests()[0]?.contentEncoding).toBe('gzip');
  });

  test('that refuses receives the request again, and accepts it in mode ok', async () => {
    receiver.mode = 'refuse503';
    const provider = traces();
    provider.getTracer('hestia-test').startSpan('late').end();
    await receiver.waitFor(() => receiver.requests().some(({ status }) => status === 503));
    expect(receiver.spans()).toEqual([]);
    receiver.mode = 'ok';
    expect(await receiver.waitFor(() => receiver.spans()[0]?.name)).toBe('late');
    await provider.shutdown();
  });

  test('that rejects a request does not receive it again', async () => {
    receiver.mode = 'reject400';
    const provider = traces();
    provider.getTracer('hestia-test').startSpan('lost').end();
    await provider.shutdown();
    expect(receiver.requests().map(({ status }) => status)).toEqual([400]);
    expect(receiver.spans()).toEqual([]);
  });

  test('that hangs does not answer', async () => {
    receiver.mode = 'hang';
    const provider = traces({ timeoutMillis: 200 });
    provider.getTracer('hestia-test').startSpan('waiting').end();
    await receiver.waitFor(() => receiver.requests().some(({ status }) => status === undefined));
    await provider.shutdown().catch(() => undefined);
    expect(receiver.spans()).toEqual([]);
  });
});

describe('a receiver', () => {
  const post = (path: string, contentType: string, body: string) =>
    fetch(`${receiver.url}${path}`, { method: 'POST', headers: { 'content-type': contentType }, body });

  test.each([
    ['/v1/traces', 'application/json', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":9}]}]}]}', 400],
    ['/v1/traces', 'application/json', 'nonsense', 400],
    ['/v1/traces', 'application/x-protobuf', 'nonsense', 400],
    ['/v1/traces', 'text/plain', 'nonsense', 415],
    ['/v1/elsewhere', 'application/json', '{}', 404],
    ['/v1/logs', 'application/json', '{}', 200],
  ])('answers %s as %s with %j: %i', async (path, contentType, body, status) => {
    expect((await post(path, contentType, body)).status).toBe(status);
    expect(receiver.requests()).toMatchObject([{ path, contentType, status }]);
  });

  test('that hangs closes the request when it is closed', async () => {
    receiver.mode = 'hang';
    const request = expect(post('/v1/logs', 'application/json', '{}')).rejects.toThrow();
    await receiver.waitFor(() => receiver.requests()[0]);
    await receiver.close();
    await request;
  });

  test('can be cleared', async () => {
    await post('/v1/logs', 'application/json', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}');
    expect(receiver.logRecords()).toHaveLength(1);
    receiver.clear();
    expect([receiver.logRecords(), receiver.requests()]).toEqual([[], []]);
  });

  test('fails a wait that times out with a list of what was received', async () => {
    await post('/v1/logs', 'application/json', '{}');
    await expect(receiver.waitFor(() => false, 10)).rejects.toThrow(
      'not received within 10 ms; spans: ; log records: ; requests: /v1/logs 200',
    );
  });
});

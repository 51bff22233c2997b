/**
 * Decodes OTLP requests in protobuf or JSON to plain values.
 * Attributes become flat objects, ids hex, kinds and status names. Both encodings are converted to the JSON shape and then
 * parsed by the same schemas.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { z } from 'zod';

/** Attributes, or a log record's fields, by key. Nested values are plain objects and arrays; bytes are base64. */
export type ReceivedAttributes = Record<string, unknown>;

/** The origin of an item: its resource, and the name of its instrumentation scope. */
export interface ReceivedOrigin {
  resource: ReceivedAttributes;
  scope: string;
}

/** A span. Times are Unix nanoseconds; an absent parent is undefined. */
export interface ReceivedSpan extends ReceivedOrigin {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  traceState: string;
  flags: number;
  name: string;
  kind: (typeof spanKinds)[number];
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  attributes: ReceivedAttributes;
  events: { name: string; timeUnixNano: bigint; attributes: ReceivedAttributes }[];
  links: { traceId: string; spanId: string; attributes: ReceivedAttributes }[];
  status: { code: (typeof statusCodes)[number]; message: string };
}

/** A log record. Ids are undefined if it belongs to no span. */
export interface ReceivedLogRecord extends ReceivedOrigin {
  timeUnixNano: bigint;
  observedTimeUnixNano: bigint;
  severityNumber: number;
  severityText: string;
  eventName: string;
  body: unknown;
  attributes: ReceivedAttributes;
  flags: number;
  traceId: string | undefined;
  spanId: string | undefined;
}

/** One point of one series. Sums and gauges have `value`; histograms have `count`, `sum`, `bounds` and `bucketCounts`. */
export interface ReceivedMetricPoint extends ReceivedOrigin {
  name: string;
  description: string;
  unit: string;
  type: 'sum' | 'gauge' | 'histogram';
  attributes: ReceivedAttributes;
  startTimeUnixNano: bigint;
  timeUnixNano: bigint;
  temporality?: (typeof temporalities)[number];
  isMonotonic?: boolean;
  value?: number;
  count?: number;
  sum?: number;
  min?: number | undefined;
  max?: number | undefined;
  bounds?: number[];
  bucketCounts?: number[];
}

const spanKinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const statusCodes = ['UNSET', 'OK', 'ERROR'] as const;
const temporalities = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'] as const;

/** Converts a number of the wire format to its name. A number without a name is invalid. */
const named = <const T extends readonly string[]>(names: T) =>
  z
    .int()
    .default(0)
    .transform((value, context): T[number] => {
      const name = names[value];
      if (name === undefined) context.addIssue({ code: 'custom', message: `must be below ${names.length}` });
      return name ?? 'UNSPECIFIED';
    });

// Ids are hex in JSON and bytes on the wire; other bytes are base64 in JSON.
const id = z
  .union([z.string(), z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('hex'))])
  .default('');
const optionalId = id.transform((text) => text || undefined);
const base64 = z.union([
  z.string(),
  z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('base64')),
]);
const nanoseconds = z.union([z.string(), z.number()]).default('0').transform(BigInt);
const number = z.union([z.number(), z.string()]).transform(Number);
const text = z.string().default('');

const anyValueSchema = z.object({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  intValue: number.optional(),
  doubleValue: number.optional(),
  bytesValue: base64.optional(),
  get arrayValue() {
    return z.object({ values: z.array(anyValueSchema).default([]) }).optional();
  },
  get kvlistValue() {
    return z.object({ values: keyValuesSchema }).optional();
  },
});
const keyValuesSchema = z.array(z.object({ key: z.string(), value: anyValueSchema.optional() })).default([]);
type AnyValue = z.infer<typeof anyValueSchema>;

const attributesSchema = keyValuesSchema.transform(plainAttributes);
const resourceSchema = z.object({ attributes: attributesSchema }).prefault({});
const scopeSchema = z.object({ name: text }).prefault({});

const spanSchema = z.object({
  traceId: id,
  spanId: id,
  parentSpanId: optionalId,
  traceState: text,
  flags: number.default(0),
  name: text,
  kind: named(spanKinds),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes: attributesSchema,
  events: z.array(z.object({ name: text, timeUnixNano: nanoseconds, attributes: attributesSchema })).default([]),
  links: z.array(z.object({ traceId: id, spanId: id, attributes: attributesSchema })).default([]),
  status: z.object({ code: named(statusCodes), message: text }).prefault({}),
});

const logRecordSchema = z.object({
  timeUnixNano: nanoseconds,
  observedTimeUnixNano: nanoseconds,
  severityNumber: z.int().default(0),
  severityText: text,
  eventName: text,
  body: anyValueSchema.prefault({}).transform(plainValue),
  attributes: attributesSchema,
  flags: number.default(0),
  traceId: optionalId,
  spanId: optionalId,
});

const pointTimes = { startTimeUnixNano: nanoseconds, timeUnixNano: nanoseconds, attributes: attributesSchema };
const numberPointSchema = z
  .object({ ...pointTimes, asDouble: number.optional(), asInt: number.optional() })
  .transform(({ asDouble, asInt, ...point }) => ({ ...point, value: asInt ?? asDouble ?? 0 }));
const histogramPointSchema = z
  .object({
    ...pointTimes,
    count: number.default(0),
    sum: number.default(0),
    min: number.optional(),
    max: number.optional(),
    explicitBounds: z.array(number).default([]),
    bucketCounts: z.array(number).default([]),
  })
  .transform(({ explicitBounds, ...point }) => ({ ...point, bounds: explicitBounds }));
const temporality = { aggregationTemporality: named(temporalities) };
const metricSchema = z.object({
  name: z.string(),
  description: text,
  unit: text,
  gauge: z.object({ dataPoints: z.array(numberPointSchema).default([]) }).optional(),
  sum: z
    .object({
      dataPoints: z.array(numberPointSchema).default([]),
      isMonotonic: z.boolean().default(false),
      ...temporality,
    })
    .optional(),
  histogram: z.object({ dataPoints: z.array(histogramPointSchema).default([]), ...temporality }).optional(),
});

const tracesSchema = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: resourceSchema,
        scopeSpans: z.array(z.object({ scope: scopeSchema, spans: z.array(spanSchema).default([]) })).default([]),
      }),
    )
    .default([]),
});
const logsSchema = z.object({
  resourceLogs: z
    .array(
      z.object({
        resource: resourceSchema,
        scopeLogs: z
          .array(z.object({ scope: scopeSchema, logRecords: z.array(logRecordSchema).default([]) }))
          .default([]),
      }),
    )
    .default([]),
});
const metricsSchema = z.object({
  resourceMetrics: z
    .array(
      z.object({
        resource: resourceSchema,
        scopeMetrics: z.array(z.object({ scope: scopeSchema, metrics: z.array(metricSchema).default([]) })).default([]),
      }),
    )
    .default([]),
});

const messages = protobuf.parse(readFileSync(new URL('./otlp.proto', import.meta.url), 'utf8')).root;

/** Converts a protobuf message `TracesData`, `LogsData` or `MetricsData` to the shape of its JSON. Throws if it is not one. */
export function protobufToJson(message: 'TracesData' | 'LogsData' | 'MetricsData', bytes: Uint8Array): unknown {
  const type = messages.lookupType(`otlp.${message}`);
  return type.toObject(type.decode(bytes), { longs: String, enums: Number });
}

/** The spans of a trace request. Throws if it is not one. */
export function decodeSpans(json: unknown): ReceivedSpan[] {
  return tracesSchema
    .parse(json)
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) =>
        spans.map((span) => ({ resource: resource.attributes, scope: scope.name, ...span })),
      ),
    );
}

/** The records of a log request. Throws if it is not one. */
export function decodeLogRecords(json: unknown): ReceivedLogRecord[] {
  return logsSchema
    .parse(json)
    .resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ scope, logRecords }) =>
        logRecords.map((record) => ({ resource: resource.attributes, scope: scope.name, ...record })),
      ),
    );
}

/** The points of a metric request. Throws if it is not one. */
export function decodeMetricPoints(json: unknown): ReceivedMetricPoint[] {
  return metricsSchema
    .parse(json)
    .resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ scope, metrics }) =>
        metrics.flatMap((metric) => metricPoints(metric, { resource: resource.attributes, scope: scope.name })),
      ),
    );
}

function metricPoints(metric: z.infer<typeof metricSchema>, origin: ReceivedOrigin): ReceivedMetricPoint[] {
  const { gauge, sum, histogram, ...naming } = metric;
  const common = { ...origin, ...naming };
  return [
    ...(gauge?.dataPoints ?? []).map((point) => ({ ...common, type: 'gauge' as const, ...point })),
    ...(sum?.dataPoints ?? []).map((point) => ({
      ...common,
      type: 'sum' as const,
      temporality: sum?.aggregationTemporality ?? 'UNSPECIFIED',
      isMonotonic: sum?.isMonotonic ?? false,
      ...point,
    })),
    ...(histogram?.dataPoints ?? []).map((point) => ({
      ...common,
      type: 'histogram' as const,
      temporality: histogram?.aggregationTemporality ?? 'UNSPECIFIED',
      ...point,
    })),
  ];
}

function plainAttributes(pairs: z.infer<typeof keyValuesSchema>): ReceivedAttributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value ?? {})]));
}

function plainValue(value: AnyValue): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(plainValue);
  if (value.kvlistValue !== undefined) return plainAttributes(value.kvlistValue.values);
  return value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? value.bytesValue;
}

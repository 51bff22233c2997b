/**
 * Prints the telemetry of a hub without a collector: an OTLP receiver that prints each trace as a tree, each log record and
 * each changed metric. Readable text on a terminal, NDJSON in a pipe. Stop it with Ctrl-C. It listens on the port of
 * OTEL_EXPORTER_OTLP_ENDPOINT, 4318 by default.
 */
import { setInterval } from 'node:timers/promises';
import { metricNames } from '../../src/telemetry/names.ts';
import type { ReceivedMetricPoint, ReceivedSpan } from '../../test/support/telemetry/otlp-decode.ts';
import { startOtlpReceiver } from '../../test/support/telemetry/otlp-receiver.ts';

const port = Number(new URL(process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318').port || 4318);
const receiver = await startOtlpReceiver({ port });
const isReadable = process.stdout.isTTY === true;
const withoutBigInt = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const printJson = (signal: string, value: object) => console.log(JSON.stringify({ signal, ...value }, withoutBigInt));
const idOf = (id: string | undefined) => (id ?? '').slice(-8).padEnd(8);
const timeOf = (nanoseconds: bigint) => new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(11, 23);
const msOf = (span: ReceivedSpan) => Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6;
const shownAttributes = new Set(['hestia.outcome', 'http.response.status_code', 'security_event', 'error.type']);

/** Prints the spans of a trace below their parents, with the time of their start and their duration. */
function printTrace(spans: readonly ReceivedSpan[]): void {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const byStart = spans.toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano));
  const printBelow = (parent: string | undefined, depth: number) => {
    for (const span of byStart) {
      const parentHere =
        span.parentSpanId !== undefined && known.has(span.parentSpanId) ? span.parentSpanId : undefined;
      if (parentHere !== parent) continue;
      const attributes = Object.entries(span.attributes).filter(([name]) => shownAttributes.has(name));
      const facts = attributes.map(([name, value]) => `${name}=${value}`).join(' ');
      const head = `span    ${timeOf(span.startTimeUnixNano)} ${idOf(span.traceId)}`;
      console.log(
        `${head} ${msOf(span).toFixed(1).padStart(8)} ms  ${'  '.repeat(depth)}${span.name} ${facts}`.trimEnd(),
      );
      printBelow(span.spanId, depth + 1);
    }
  };
  printBelow(undefined, 0);
}

/** The bound below which a share of the values lies: the upper bound of its bucket. */
function quantileBound({ count = 0, bounds = [], bucketCounts = [] }: ReceivedMetricPoint, share: number): string {
  let seen = 0;
  const bucket = bucketCounts.findIndex((values) => {
    seen += values;
    return seen >= share * count;
  });
  const bound = bounds[bucket];
  return bound === undefined ? `over ${bounds.at(-1)}` : `${bound}`;
}

function metricText(point: ReceivedMetricPoint): string {
  if (point.type !== 'histogram') return `${point.value}`;
  return `${point.count} measured, p50 <= ${quantileBound(point, 0.5)}, p95 <= ${quantileBound(point, 0.95)} ${point.unit}`;
}

/** Metrics that change with each export, whatever happens. */
const ownState = /^(?:process|nodejs|hestia\.telemetry)\./;
const shown = { spans: 0, logs: 0 };
const totals = new Map<string, number>();
if (isReadable) console.log(`Listening for OTLP on http://127.0.0.1:${port} …`);

for await (const _tick of setInterval(500)) {
  const spans = receiver.spans().slice(shown.spans);
  shown.spans += spans.length;
  if (isReadable) for (const trace of Map.groupBy(spans, ({ traceId }) => traceId).values()) printTrace(trace);
  else for (const span of spans) printJson('span', span);
  const records = receiver.logRecords().slice(shown.logs);
  shown.logs += records.length;
  for (const record of records) {
    if (!isReadable) printJson('log', record);
    else console.log(`log     ${timeOf(record.timeUnixNano)} ${idOf(record.traceId)} ${String(record.body)}`);
  }
  for (const name of Object.values(metricNames)) {
    if (ownState.test(name)) continue;
    for (const point of receiver.metricPoints(name)) {
      const series = `${name}${JSON.stringify([point.resource, point.attributes])}`;
      const total = point.count ?? point.value ?? 0;
      const isChanged = total !== 0 && totals.get(series) !== total;
      totals.set(series, total);
      if (!isChanged) continue;
      if (!isReadable) printJson('metric', point);
      else console.log(`metric  ${name} ${JSON.stringify(point.attributes)} = ${metricText(point)}`);
    }
  }
}

/**
 * Prints the telemetry of a hub without a collector: an OTLP receiver on port 4318 that prints each span, log record and
 * changed counter. Readable text on a terminal, NDJSON in a pipe. Stop it with Ctrl-C.
 */
import { setInterval } from 'node:timers/promises';
import { metricNames } from '../../src/telemetry/names.ts';
import { startOtlpReceiver } from '../../test/support/telemetry/otlp-receiver.ts';

const port = 4318;
const receiver = await startOtlpReceiver({ port });
const readable = process.stdout.isTTY === true;
const print = (signal: string, text: string, value: object) =>
  console.log(readable ? `${signal.padEnd(7)} ${text}` : JSON.stringify({ signal, ...value }, withoutBigInt));
const withoutBigInt = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const shown = { spans: 0, logs: 0 };
const totals = new Map<string, number>();
if (readable) console.log(`Listening for OTLP on http://127.0.0.1:${port} …`);

for await (const _tick of setInterval(500)) {
  const spans = receiver.spans();
  for (const span of spans.slice(shown.spans)) {
    const text = `${span.traceId.slice(0, 8)} ${span.kind.padEnd(8)} ${span.name} ${JSON.stringify(span.attributes)}`;
    print('span', text, span);
  }
  shown.spans = spans.length;
  const records = receiver.logRecords();
  for (const record of records.slice(shown.logs))
    print('log', `${record.traceId?.slice(0, 8) ?? ''} ${String(record.body)}`, record);
  shown.logs = records.length;
  for (const name of Object.values(metricNames)) {
    for (const point of receiver.metricPoints(name)) {
      const series = `${name}${JSON.stringify([point.resource, point.attributes])}`;
      const total = point.count ?? point.value ?? 0;
      if (total !== 0 && totals.get(series) !== total)
        print('metric', `${name} ${JSON.stringify(point.attributes)} = ${total}`, point);
      totals.set(series, total);
    }
  }
}

/** What the collector keeps where others would lose it: large attributes, large batches, and traces when it is killed. */
import { expect, test } from 'vitest';
import { startCollector } from '../../support/programs/collector.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { sendLogRecord, sendLogRecords, sendSpans } from '../../support/telemetry/otlp-send.ts';

const attributeBytesMax = 4096;
const bodyBytesMax = 65_536;
/** What Loki accepts in one request, `ingestion_burst_size_mb`. A larger one would be retried without end. */
const lokiRequestBytesMax = 6_000_000;
const slow = { timeout: 180_000 };

const asBytes = (text: unknown) => Buffer.byteLength(String(text));
const names = (count: number) => Array.from({ length: count }, (_, index) => `span ${index}`);

describeWith('otelcol', 'a collector', () => {
  test('cuts large attributes and texts between characters, and keeps their span and record', slow, async () => {
    await using collector = await startCollector();
    const { receiver } = collector;
    // 70 KB of characters of three bytes, which do not divide the limit.
    const large = '€'.repeat(24_000);
    const attributes = { large, small: 'as it is' };
    await sendSpans(collector.otlpUrl, [{ name: 'large', attributes }]);
    await sendLogRecord(collector.otlpUrl, { body: large, attributes });
    const span = await receiver.waitFor(() => receiver.spans()[0]);
    const record = await receiver.waitFor(() => receiver.logRecords()[0]);
    for (const { attributes: kept } of [span, record]) {
      expect(kept.small).toBe('as it is');
      expect(kept.large).toMatch(/^€+$/);
      expect(asBytes(kept.large)).toBe(attributeBytesMax - (attributeBytesMax % 3));
    }
    expect(record.body).toMatch(/^€+$/);
    expect(asBytes(record.body)).toBe(bodyBytesMax - (bodyBytesMax % 3));
  });

  test('sends no more at once than Loki takes', slow, async () => {
    await using collector = await startCollector();
    const { receiver } = collector;
    const records = Array.from({ length: 300 }, (_, index) => ({
      body: `${index} `.padEnd(50_000, '.'),
      attributes: {},
    }));
    await sendLogRecords(collector.otlpUrl, records);
    await receiver.waitFor(() => receiver.logRecords().length === records.length);
    const requests = receiver.requests().filter(({ path, status }) => path === '/v1/logs' && status === 200);
    expect(requests.length).toBeGreaterThan((records.length * 50_000) / lokiRequestBytesMax);
  });

  test('that is killed loses no trace that it has accepted', slow, async () => {
    await using collector = await startCollector();
    const { receiver } = collector;
    receiver.mode = 'refuse503';
    for (const name of names(50)) await sendSpans(collector.otlpUrl, [{ name }]);
    await collector.stop('SIGKILL');
    receiver.mode = 'ok';
    await collector.start();
    await receiver.waitFor(() => new Set(receiver.spans().map(({ name }) => name)).size === 50);
  });

  test('that samples and is stopped decides on the traces in memory, and loses none', slow, async () => {
    await using collector = await startCollector({
      COLLECTOR_TRACE_PROCESSORS: '[tail_sampling]',
      COLLECTOR_DECISION_WAIT: '600s',
    });
    const { receiver } = collector;
    await sendSpans(
      collector.otlpUrl,
      names(50).map((name) => ({ name })),
    );
    await collector.stop('SIGTERM');
    await collector.start();
    await receiver.waitFor(() => new Set(receiver.spans().map(({ name }) => name)).size === 50);
  });
});

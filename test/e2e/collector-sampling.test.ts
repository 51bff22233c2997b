/** Tail sampling of the collector, and the number of series of its span metrics. */
import { expect, test, vi } from 'vitest';
import { type Collector, startCollector } from '../support/programs/collector.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { sendSpans } from '../support/telemetry/otlp-send.ts';

const poll = { timeout: 60_000, interval: 100 };

/** The calls that the span metrics count, by span name. */
async function callsCounted(collector: Collector): Promise<{ name: string; calls: number; line: string }[]> {
  const lines = (await collector.hubMetrics()).split('\n');
  return lines
    .filter((line) => line.startsWith('traces_span_metrics_calls_total{'))
    .map((line) => ({
      name: /span_name="([^"]*)"/.exec(line)?.[1] ?? '',
      calls: Number(/\} ([\d.e+]+)/.exec(line)?.[1]),
      line,
    }));
}

const sum = (counted: { calls: number }[]) => counted.reduce((total, { calls }) => total + calls, 0);

describeWith('otelcol', 'a collector with a trace share of 0 %', () => {
  const worthKeeping = [
    { name: 'failed', failed: true },
    { name: 'security', attributes: { security_event: 'ACCESS_DENIED' } },
    { name: 'monitoring', attributes: { monitoring_event: 'SCHEDULER_START' } },
    { name: 'slow', durationMs: 1500 },
  ];
  const ordinary = Array.from({ length: 200 }, () => ({ name: 'ordinary' }));

  test('keeps errors, events and slow traces, and counts the spans of the others too', async () => {
    await using collector = await startCollector({
      COLLECTOR_TRACE_PROCESSORS: '[tail_sampling]',
      COLLECTOR_TRACE_SHARE_PERCENT: '0',
    });
    await sendSpans(collector.otlpUrl, [...ordinary, ...worthKeeping]);
    await vi.waitFor(async () => {
      expect(await collector.ownMetrics()).toMatch(
        new RegExp(`global_count_traces_sampled_total\\{[^}]*sampled="false"[^}]*\\} ${ordinary.length}\\b`),
      );
    }, poll);
    const { receiver } = collector;
    await receiver.waitFor(() => receiver.spans().length >= worthKeeping.length);
    const names = receiver.spans().map(({ name }) => name);
    expect(names.sort()).toEqual(worthKeeping.map(({ name }) => name).sort());
    await vi.waitFor(async () => {
      expect(sum(await callsCounted(collector))).toBe(ordinary.length + worthKeeping.length);
    }, poll);
  });
});

describeWith('otelcol', 'a sender with a different name for each span', () => {
  const seriesMax = 1000;

  test('gets a limited number of series; further spans are counted together, and no trace is lost', async () => {
    await using collector = await startCollector();
    const spans = Array.from({ length: 1500 }, (_, index) => ({ name: `invented ${index}` }));
    await sendSpans(collector.otlpUrl, spans);
    const counted = await vi.waitFor(async () => {
      const found = await callsCounted(collector);
      expect(sum(found)).toBe(spans.length);
      return found;
    }, poll);
    expect(counted.length).toBeLessThanOrEqual(seriesMax + 1);
    const overflow = counted.filter(({ line }) => line.includes('otel_metric_overflow="true"'));
    expect(overflow).toHaveLength(1);
    await collector.receiver.waitFor(() => collector.receiver.spans().length === spans.length);
  });
});

describeWith('otelcol', 'a sender that restarts with a new version', () => {
  test('continues the same series, which only grow', async () => {
    await using collector = await startCollector();
    await sendSpans(collector.otlpUrl, Array(3).fill({ name: 'work' }), '1.0.0');
    await vi.waitFor(async () => expect(sum(await callsCounted(collector))).toBe(3), poll);
    await sendSpans(collector.otlpUrl, Array(2).fill({ name: 'work' }), '2.0.0');
    await vi.waitFor(async () => expect(sum(await callsCounted(collector))).toBe(5), poll);
  });
});

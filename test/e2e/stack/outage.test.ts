/** A part of the watched stack goes away under traffic and comes back: nothing is miscounted, nothing lost in silence. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWatchedHub, type WatchedHub } from '../../support/hub/hub-watched.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { supportServer } from '../../support/servers/support-server.ts';

// The hub tries an export again for 10 s: what it sends at the start of such an outage is lost for good.
const outageMs = 15_000;
const quietMs = 2000;

// The HTTP request, the call to the upstream, the record of its outcome; and one line.
const itemsPerCall = { traces: 3, logs: 1 };

// A checkpoint has a span and a line of its own, at times of its own.
const unsigned = { checkpointRecords: 100_000, checkpointSeconds: 86_400 };

const poll = { timeout: 30_000, interval: 250 };
const testTimeoutMs = 90_000;

describeWith(['otelcol', 'prometheus'], 'a hub under traffic', () => {
  let watched: WatchedHub;
  let callsMade = 0;
  beforeAll(async () => {
    watched = await startWatchedHub({ faulty: supportServer('faulty-server.ts') }, { file: { audit: unsigned } });
    await vi.waitFor(async () => {
      for (const signal of ['traces', 'logs'] as const) {
        toldBefore[signal] = received[signal]();
        expect(await total('hestia_telemetry_exported_total', `otel_signal="${signal}"`)).toBe(toldBefore[signal]);
        expect(await total('hestia_telemetry_queue_size', `otel_signal="${signal}"`)).toBe(0);
      }
    }, poll);
  });
  afterAll(() => watched?.[Symbol.asyncDispose]());

  /** Calls a tool again and again for so long; gives the median of how long an answer took, in milliseconds. */
  async function callFor(durationMs: number): Promise<number> {
    const latencies: number[] = [];
    const end = performance.now() + durationMs;
    while (performance.now() < end) {
      const start = performance.now();
      const response = await watched.hub.fetch('/v1/tools/faulty/pid/call', { json: {} });
      await response.arrayBuffer();
      latencies.push(performance.now() - start);
      expect(response.status).toBe(200);
    }
    callsMade += latencies.length;
    return latencies.sort((left, right) => left - right)[Math.floor(latencies.length / 2)] ?? 0;
  }

  async function total(metric: string, label = ''): Promise<number> {
    const [sample] = await watched.prometheus.query(`sum(${metric}{job="hestia/hestia", ${label}})`);
    return sample?.value ?? Number.NaN;
  }

  const received = {
    traces: () => new Set(watched.collector.receiver.spans().map(({ spanId }) => spanId)).size,
    logs: () => watched.collector.receiver.logRecords().length,
  };

  /** What was told before the first call: the start, the connection to the server. */
  const toldBefore = { traces: 0, logs: 0 };

  /** Everything the hub has told of is either in Tempo and Loki or counted as dropped, to the last item. */
  async function expectAllAccountedFor(): Promise<typeof toldBefore> {
    const dropped = { traces: 0, logs: 0 };
    await vi.waitFor(async () => {
      expect(await total('hestia_tool_outcomes_total')).toBe(callsMade);
      for (const signal of ['traces', 'logs'] as const) {
        const counted = (name: string) => total(`hestia_telemetry_${name}_total`, `otel_signal="${signal}"`);
        dropped[signal] = await counted('dropped');
        const arrived = received[signal]();
        expect(await counted('exported'), signal).toBe(arrived);
        expect(arrived + dropped[signal], signal).toBe(toldBefore[signal] + itemsPerCall[signal] * callsMade);
      }
    }, poll);
    return dropped;
  }

  test('is counted and told in full while all is well', { timeout: testTimeoutMs }, async () => {
    await callFor(quietMs);
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('loses nothing when Tempo and Loki are away and the collector restarts meanwhile', {
    timeout: testTimeoutMs,
  }, async () => {
    watched.collector.receiver.mode = 'refuse503';
    await callFor(quietMs);
    await watched.collector.stop();
    await watched.collector.start();
    watched.collector.receiver.mode = 'ok';
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('is counted in full when Prometheus is away', { timeout: testTimeoutMs }, async () => {
    await watched.prometheus.stop();
    await callFor(quietMs);
    await watched.prometheus.start();
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('does not wait for a collector that is away, and counts what it had to drop', {
    timeout: testTimeoutMs,
  }, async () => {
    const before = await callFor(quietMs);
    await watched.collector.stop();
    const during = await callFor(outageMs);
    await watched.collector.start();
    await callFor(quietMs);
    const lost = await expectAllAccountedFor();
    expect(lost.traces).toBeGreaterThan(0);
    expect(lost.logs).toBeGreaterThan(0);
    // A hub that waited for the collector would wait for seconds.
    expect(during).toBeLessThan(3 * before + 10);
  });
});

/** Outages of the monitoring stack under traffic: all telemetry is either received or counted as dropped. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWatchedHub, type WatchedHub } from '../../support/hub/hub-watched.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { supportServer } from '../../support/servers/support-server.ts';

// The hub retries an export for 10 s, so what it sends at the start of this outage is lost.
const outageMs = 15_000;
const trafficMs = 2000;

// Spans of the HTTP request and the call to the upstream; one log record.
const itemsPerCall = { traces: 2, logs: 1 };

// No checkpoints and no cleanup at the full hour: each would add a span and a log record at an unknown time.
const withoutJobs = {
  audit: { checkpointRecords: 100_000, checkpointSeconds: 86_400 },
  scheduler: { enabled: false },
};

const poll = { timeout: 60_000, interval: 250 };
const testTimeoutMs = 240_000;

describeWith(['otelcol', 'prometheus'], 'a hub under traffic', () => {
  let watched: WatchedHub;
  let callsMade = 0;
  beforeAll(async () => {
    watched = await startWatchedHub({ faulty: supportServer('faulty-server.ts') }, { file: withoutJobs });
    await vi.waitFor(async () => {
      for (const signal of ['traces', 'logs'] as const) {
        sentBefore[signal] = received[signal]();
        expect(await total('hestia_telemetry_exported_total', `otel_signal="${signal}"`)).toBe(sentBefore[signal]);
        expect(await total('hestia_telemetry_queue_size', `otel_signal="${signal}"`)).toBe(0);
      }
    }, poll);
  });
  afterAll(() => watched?.[Symbol.asyncDispose]());

  /** Calls a tool repeatedly for a time, and returns the latency of the fastest tenth of the calls, in milliseconds. */
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
    return latencies.sort((left, right) => left - right)[Math.floor(latencies.length / 10)] ?? 0;
  }

  async function total(metric: string, label = ''): Promise<number> {
    const [sample] = await watched.prometheus.query(`sum(${metric}{job="hestia/hestia", ${label}})`);
    return sample?.value ?? Number.NaN;
  }

  const received = {
    traces: () => new Set(watched.collector.receiver.spans().map(({ spanId }) => spanId)).size,
    logs: () => watched.collector.receiver.logRecords().length,
  };

  /** Items sent before the first call: the start, the connection to the server. */
  const sentBefore = { traces: 0, logs: 0 };

  /** Every item of the hub is either in Tempo and Loki, or counted as dropped. Returns the number of dropped items. */
  async function expectAllAccountedFor(): Promise<typeof sentBefore> {
    const dropped = { traces: 0, logs: 0 };
    await vi.waitFor(async () => {
      expect(await total('hestia_tool_outcomes_total')).toBe(callsMade);
      for (const signal of ['traces', 'logs'] as const) {
        const counted = (name: string) => total(`hestia_telemetry_${name}_total`, `otel_signal="${signal}"`);
        dropped[signal] = await counted('dropped');
        const arrived = received[signal]();
        expect(await counted('exported'), signal).toBe(arrived);
        expect(arrived + dropped[signal], signal).toBe(sentBefore[signal] + itemsPerCall[signal] * callsMade);
      }
    }, poll);
    return dropped;
  }

  test('loses no telemetry while the stack is up', { timeout: testTimeoutMs }, async () => {
    await callFor(trafficMs);
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('loses no telemetry while Tempo and Loki are down and the collector restarts', {
    timeout: testTimeoutMs,
  }, async () => {
    watched.collector.receiver.mode = 'refuse503';
    await callFor(trafficMs);
    await watched.collector.stop();
    await watched.collector.start();
    watched.collector.receiver.mode = 'ok';
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('loses no counts while Prometheus is down', { timeout: testTimeoutMs }, async () => {
    await watched.prometheus.stop();
    await callFor(trafficMs);
    await watched.prometheus.start();
    expect(await expectAllAccountedFor()).toEqual({ traces: 0, logs: 0 });
  });

  test('does not wait for a collector that is down, and counts what it dropped', {
    timeout: testTimeoutMs,
  }, async () => {
    const before = await callFor(trafficMs);
    await watched.collector.stop();
    const during = await callFor(outageMs);
    await watched.collector.start();
    await callFor(trafficMs);
    const lost = await expectAllAccountedFor();
    expect(lost.traces).toBeGreaterThan(0);
    expect(lost.logs).toBeGreaterThan(0);
    // A hub that waited for the collector would delay every call by seconds. A busy machine delays some calls only.
    expect(during).toBeLessThan(3 * before + 10);
  });
});

import { metrics } from '@opentelemetry/api';
import { MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observeRuntime } from '../../src/telemetry/runtime.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

let reader: ManualReader;
let runtime: Disposable;
beforeEach(() => {
  reader = new ManualReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  runtime = observeRuntime();
});
afterEach(() => {
  runtime[Symbol.dispose]();
  metrics.disable();
});

async function collected(): Promise<Record<string, number>> {
  const { resourceMetrics } = await reader.collect();
  const all: MetricData[] = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return Object.fromEntries(all.map(({ descriptor, dataPoints }) => [descriptor.name, Number(dataPoints[0]?.value)]));
}

/** Holds the event loop up for `milliseconds`, and lets the sampler see it. */
async function block(milliseconds: number): Promise<void> {
  const tick = () => new Promise((resolve) => setTimeout(resolve, 30));
  await tick();
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  await tick();
}

describe('the runtime gauges of a process whose event loop was held up', () => {
  test('show the delay in seconds, once, without the sampler’s own resolution', async () => {
    await block(300);
    const held = await collected();
    expect(held['nodejs.eventloop.delay.p99']).toBeGreaterThan(0.2);
    expect(held['nodejs.eventloop.utilization']).toBeGreaterThan(0.2);
    const after = await collected();
    expect(after['nodejs.eventloop.delay.p99']).toBeLessThan(0.2);
    expect(after['nodejs.eventloop.delay.p99']).toBeGreaterThanOrEqual(0);
  });

  test('show memory in bytes, processor time and uptime in seconds', async () => {
    const { 'process.memory.usage': memory, 'process.cpu.time': cpu, 'process.uptime': uptime } = await collected();
    expect(memory).toBeGreaterThan(10e6);
    expect(cpu).toBeGreaterThan(0);
    expect(cpu).toBeLessThan(1000);
    expect(uptime).toBeCloseTo(process.uptime(), 0);
  });
});

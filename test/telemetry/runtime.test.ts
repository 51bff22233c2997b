import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observeRuntime } from '../../src/telemetry/runtime.ts';
import { type ReadMetrics, readMetrics } from '../support/telemetry/metric-reader.ts';

let reader: ReadMetrics;
let runtime: Disposable;
beforeEach(() => {
  reader = readMetrics();
  runtime = observeRuntime();
});
afterEach(() => {
  runtime[Symbol.dispose]();
  reader[Symbol.dispose]();
});

async function collected(): Promise<Record<string, number>> {
  const all = await reader.collect();
  return Object.fromEntries(all.map(({ descriptor, dataPoints }) => [descriptor.name, Number(dataPoints[0]?.value)]));
}

/** Blocks the event loop for `milliseconds`, between two samples of its delay. */
async function block(milliseconds: number): Promise<void> {
  const tick = () => new Promise((resolve) => setTimeout(resolve, 30));
  await tick();
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  await tick();
}

describe('the runtime gauges of a process whose event loop was blocked', () => {
  test('show the delay in seconds, once, without the sampling interval', async () => {
    await block(300);
    const blocked = await collected();
    expect(blocked['nodejs.eventloop.delay.p99']).toBeGreaterThan(0.2);
    expect(blocked['nodejs.eventloop.utilization']).toBeGreaterThan(0.2);
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

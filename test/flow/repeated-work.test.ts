import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRepeatedWork } from '../../src/flow/repeated-work.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work every 100 ms whose runs note their times and take `runMs`. */
function observed(runMs = 0) {
  const runs: number[] = [];
  const startedAt = Date.now();
  const work = createRepeatedWork({
    run: async () => {
      runs.push(Date.now() - startedAt);
      if (runMs > 0) await new Promise((resolve) => setTimeout(resolve, runMs));
    },
    intervalMs: () => 100,
  });
  return { runs, work };
}

describe('repeated work', () => {
  test('runs again an interval after the end of each run', async () => {
    const { runs, work } = observed(50);
    work.runNow();
    await vi.advanceTimersByTimeAsync(400);
    expect(runs).toEqual([0, 150, 300]);
  });

  test('begins after a delay of its own', async () => {
    const { runs, work } = observed();
    work.runIn(250);
    await vi.advanceTimersByTimeAsync(400);
    expect(runs).toEqual([250, 350]);
  });

  test('runs earlier or later than due when it is told to, and goes on from there', async () => {
    const { runs, work } = observed();
    work.runNow();
    await vi.advanceTimersByTimeAsync(30);
    work.runNow();
    await vi.advanceTimersByTimeAsync(10);
    work.runIn(200);
    await vi.advanceTimersByTimeAsync(310);
    expect(runs).toEqual([0, 30, 240, 340]);
  });

  test('never runs twice at a time', async () => {
    const { runs, work } = observed(50);
    work.runNow();
    await vi.advanceTimersByTimeAsync(10);
    work.runNow();
    work.runIn(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(runs).toEqual([0]);
  });

  test('takes its interval after each run', async () => {
    const runs: number[] = [];
    const startedAt = Date.now();
    const work = createRepeatedWork({
      run: () => void runs.push(Date.now() - startedAt),
      intervalMs: () => runs.length * 100,
    });
    work.runNow();
    await vi.advanceTimersByTimeAsync(700);
    expect(runs).toEqual([0, 100, 300, 600]);
  });
});

describe('repeated work that is disposed', () => {
  test('starts no further run, also when a run was under way', async () => {
    const { runs, work } = observed(50);
    work.runNow();
    await vi.advanceTimersByTimeAsync(10);
    work[Symbol.dispose]();
    work.runNow();
    work.runIn(10);
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

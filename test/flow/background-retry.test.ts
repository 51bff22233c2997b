import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBackgroundRetry } from '../../src/flow/background-retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work of a number of steps, each of which fails while `isFailing` is set. */
function work(steps: number) {
  const state = { left: steps, done: [] as number[], isReady: true, isFailing: false, reports: [] as string[] };
  const startedAt = Date.now();
  const retry = createBackgroundRetry({
    isNeeded: () => state.left > 0,
    isReady: () => state.isReady,
    step: async () => {
      state.done.push(Date.now() - startedAt);
      if (state.isFailing) throw new Error('failed');
      state.left -= 1;
    },
    onFailing: () => state.reports.push('failing'),
    onRecovered: () => state.reports.push('recovered'),
  });
  return { state, retry };
}

describe('background work', () => {
  test('gathers requests for 50 ms, then runs until nothing is left', async () => {
    const { state, retry } = work(3);
    retry.soon();
    retry.soon();
    await vi.advanceTimersByTimeAsync(1000);
    expect(state.done).toEqual([50, 50, 50]);
    await retry.settled();
  });

  test('starts at once when it is to run now', async () => {
    const { state, retry } = work(1);
    retry.soon();
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    expect(state.left).toBe(0);
  });

  test('does not start before it is ready', async () => {
    const { state, retry } = work(1);
    state.isReady = false;
    retry.soon();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.done).toEqual([]);
    state.isReady = true;
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    expect(state.left).toBe(0);
  });

  test('runs what was requested while the last step ran', async () => {
    const { state, retry } = work(1);
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    state.left = 1;
    retry.soon();
    await vi.advanceTimersByTimeAsync(50);
    expect(state.left).toBe(0);
  });
});

describe('background work that fails', () => {
  test('is retried after waits that double, up to 30 s', async () => {
    const { state, retry } = work(1);
    state.isFailing = true;
    retry.now();
    await vi.advanceTimersByTimeAsync(100_000);
    const waits = state.done.map((at, index) => at - (state.done[index - 1] ?? 0)).slice(1);
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    await retry[Symbol.asyncDispose]();
  });

  test('is reported once at the second failure, and once when it has recovered', async () => {
    const { state, retry } = work(1);
    state.isFailing = true;
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    expect(state.reports).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.reports).toEqual(['failing']);
    state.isFailing = false;
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    expect(state.reports).toEqual(['failing', 'recovered']);
  });

  test('starts nothing after disposal', async () => {
    const { state, retry } = work(1);
    state.isFailing = true;
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    await retry[Symbol.asyncDispose]();
    retry.now();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.done).toHaveLength(1);
    await retry.settled();
  });
});

describe('disposal of background work', () => {
  test('waits for the current step, at most 500 ms', async () => {
    const retry = createBackgroundRetry({
      isNeeded: () => true,
      isReady: () => true,
      step: () => new Promise(() => {}),
      onFailing: () => undefined,
      onRecovered: () => undefined,
    });
    retry.now();
    await vi.advanceTimersByTimeAsync(1);
    let isDisposed = false;
    const disposal = retry[Symbol.asyncDispose]().then(() => {
      isDisposed = true;
    });
    await vi.advanceTimersByTimeAsync(499);
    expect(isDisposed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await disposal;
  });
});

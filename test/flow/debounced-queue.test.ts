import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDebouncedQueue } from '../../src/flow/debounced-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A queue whose runs note their key and time, and take `runMs`. */
function observed(runMs = 0) {
  const runs: string[] = [];
  const startedAt = Date.now();
  const queue = createDebouncedQueue({
    pauseMs: 100,
    postponedMsMax: 250,
    run: async (key) => {
      runs.push(`${key} at ${Date.now() - startedAt}`);
      if (runMs > 0) await new Promise((resolve) => setTimeout(resolve, runMs));
    },
  });
  return { queue, runs };
}

describe('requests for one key', () => {
  test('become one run once they have paused', async () => {
    const { queue, runs } = observed();
    queue.request('a');
    await vi.advanceTimersByTimeAsync(60);
    queue.request('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toEqual(['a at 160']);
  });

  test('are not postponed beyond the limit by further ones', async () => {
    const { queue, runs } = observed();
    for (let count = 0; count < 5; count += 1) {
      queue.request('a');
      await vi.advanceTimersByTimeAsync(60);
    }
    expect(runs).toEqual(['a at 250']);
  });

  test('are run in time where the clock is set back meanwhile', async () => {
    const { queue, runs } = observed();
    queue.request('a');
    await vi.advanceTimersByTimeAsync(60);
    queue.request('a');
    vi.setSystemTime(Date.now() - 7_200_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toHaveLength(1);
  });

  test('made during a run lead to one more run, after it', async () => {
    const { queue, runs } = observed(500);
    queue.request('a');
    await vi.advanceTimersByTimeAsync(150);
    queue.request('a');
    await vi.advanceTimersByTimeAsync(150);
    queue.request('a');
    await vi.advanceTimersByTimeAsync(2000);
    expect(runs).toEqual(['a at 100', 'a at 600']);
  });
});

describe('a run that is asked for directly', () => {
  test('starts at once, and is shared by those who ask before it starts', async () => {
    const { queue, runs } = observed(500);
    void queue.run('a');
    await vi.advanceTimersByTimeAsync(10);
    const next = queue.run('a');
    expect(queue.run('a')).toBe(next);
    await vi.advanceTimersByTimeAsync(1000);
    await next;
    expect(runs).toEqual(['a at 0', 'a at 500']);
  });
});

describe('requests for different keys', () => {
  test('run side by side', async () => {
    const { queue, runs } = observed(500);
    queue.request('a');
    queue.request('b');
    await vi.advanceTimersByTimeAsync(100);
    expect(runs).toEqual(['a at 100', 'b at 100']);
  });
});

describe('a disposed queue', () => {
  test('drops what was requested, and waits for the current run', async () => {
    const { queue, runs } = observed(500);
    queue.request('a');
    await vi.advanceTimersByTimeAsync(100);
    queue.request('b');
    let isDisposed = false;
    const disposal = queue[Symbol.asyncDispose]().then(() => {
      isDisposed = true;
    });
    await vi.advanceTimersByTimeAsync(400);
    expect(isDisposed).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    await disposal;
    queue.request('c');
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toEqual(['a at 100']);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resultWithin, settledWithin, timedOut, unlessAborted } from '../../src/flow/time-limit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const endless = () => new Promise<never>(() => {});
const failure = new Error('failed');

describe('work with a time limit', () => {
  test('gives its value in time, and leaves no timer', async () => {
    await expect(resultWithin(100, Promise.resolve('done'))).resolves.toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rejects with its own error in time, and leaves no timer', async () => {
    await expect(resultWithin(100, Promise.reject(failure))).rejects.toBe(failure);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('times out at its limit, not before', async () => {
    const result = resultWithin(100, endless());
    vi.advanceTimersByTime(99);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    await expect(result).resolves.toBe(timedOut);
  });

  test('may fail late without an unhandled rejection', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const result = resultWithin(100, promise);
    vi.advanceTimersByTime(100);
    reject(failure);
    await expect(result).resolves.toBe(timedOut);
  });
});

describe('waiting for work to settle', () => {
  test.each([
    ['resolved', () => Promise.resolve()],
    ['rejected', () => Promise.reject(failure)],
  ])('is over once it has %s', async (_how, begin) => {
    await expect(settledWithin(100, begin())).resolves.toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is over at the limit', async () => {
    const settled = settledWithin(100, endless());
    await vi.advanceTimersByTimeAsync(100);
    await expect(settled).resolves.toBe(false);
  });
});

describe('work under a signal', () => {
  const listeners = (signal: AbortSignal) => vi.spyOn(signal, 'removeEventListener');

  test('settles as it would without the signal, and stops listening', async () => {
    const { signal } = new AbortController();
    const removed = listeners(signal);
    await expect(unlessAborted(Promise.resolve('done'), signal)).resolves.toBe('done');
    await expect(unlessAborted(Promise.reject(failure), signal)).rejects.toBe(failure);
    expect(removed).toHaveBeenCalledTimes(2);
  });

  test("rejects with the signal's reason as soon as it aborts", async () => {
    const controller = new AbortController();
    const work = unlessAborted(endless(), controller.signal);
    controller.abort(failure);
    await expect(work).rejects.toBe(failure);
  });

  test('rejects at once where the signal has aborted already', async () => {
    await expect(unlessAborted(endless(), AbortSignal.abort(failure))).rejects.toBe(failure);
  });

  test('may fail after the signal without an unhandled rejection', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const work = unlessAborted(promise, AbortSignal.abort(failure));
    reject(new Error('late'));
    await expect(work).rejects.toBe(failure);
  });
});

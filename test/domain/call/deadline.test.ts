/** The deadline of a call: its timeout, its caller, or the shutdown of the hub. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDeadline } from '../../../src/domain/call/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => {});
const open = (caller = new AbortController(), shutdown = new AbortController()) => ({
  caller,
  shutdown,
  deadline: openDeadline({ timeoutMs: 100, timeoutMsMax: 250, caller: caller.signal, shutdown: shutdown.signal }),
});

describe('a deadline', () => {
  test('does not affect work that finishes in time, nor anything after it is closed', async () => {
    const { deadline, caller } = open();
    await expect(deadline.race(Promise.resolve('done'))).resolves.toBe('done');
    deadline.close();
    caller.abort();
    vi.advanceTimersByTime(1000);
    expect(deadline.signal.aborted).toBe(false);
    expect(deadline.reason()).toBeUndefined();
  });

  test.each([
    ['timeout', (): void => void vi.advanceTimersByTime(100)],
    ['caller', ({ caller }: ReturnType<typeof open>) => caller.abort()],
    ['shutdown', ({ shutdown }: ReturnType<typeof open>) => shutdown.abort()],
  ] as const)('ends work for the reason %s', async (reason, end) => {
    const opened = open();
    const race = opened.deadline.race(never());
    end(opened);
    await expect(race).rejects.toThrow();
    expect(opened.deadline.signal.aborted).toBe(true);
    expect(opened.deadline.reason()).toBe(reason);
  });

  test('begins anew with each extension, up to its latest end', () => {
    const { deadline } = open();
    const advance = (ms: number) => void vi.advanceTimersByTime(ms);
    advance(90);
    deadline.extend();
    advance(90);
    deadline.extend();
    advance(69);
    expect(deadline.signal.aborted).toBe(false);
    advance(1);
    expect(deadline.reason()).toBe('timeout');
    deadline.extend();
    deadline.close();
  });

  test('keeps its first reason', () => {
    const { deadline, caller } = open();
    vi.advanceTimersByTime(100);
    caller.abort();
    expect(deadline.reason()).toBe('timeout');
  });

  test.each(['caller', 'shutdown'] as const)('ends work at once if the %s signal has aborted before', async (which) => {
    const ended = new AbortController();
    ended.abort();
    const { deadline } = which === 'caller' ? open(ended) : open(new AbortController(), ended);
    await expect(deadline.race(never())).rejects.toThrow();
    expect(deadline.reason()).toBe(which);
  });
});

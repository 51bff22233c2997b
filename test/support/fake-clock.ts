/** A clock for tests: a `setTimeout` fires only when the test advances the clock. Processes and the network stay real. */
import { vi } from 'vitest';

/** The clock. Disposing it restores the real one. */
export interface FakeClock extends Disposable {
  /** Advances by `ms` milliseconds and runs each timer that is due, also those that earlier ones set. */
  advance(ms: number): Promise<void>;
}

/**
 * Replaces `setTimeout` and `clearTimeout`. Timers set before, `AbortSignal.timeout` and `node:timers/promises` keep to the
 * real clock.
 */
export function useFakeClock(): FakeClock {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldClearNativeTimers: true });
  return {
    advance: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    [Symbol.dispose]: () => void vi.useRealTimers(),
  };
}

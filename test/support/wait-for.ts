/** Waits for a condition, in tests and in benchmarks, where vitest's functions are not available. */
import { setTimeout as delay } from 'node:timers/promises';

/** A limit for what hangs. On a busy machine, the start of a process takes many seconds. */
const waitMsMax = 120_000;
const intervalMs = 25;

/**
 * Calls `check` until it does not throw, and returns its value.
 * @throws the last error of `check`, after `timeoutMs` (120 s)
 */
export async function waitFor<T>(check: () => T | Promise<T>, timeoutMs: number = waitMsMax): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(intervalMs);
  }
}

/** Waiting for a condition, for tests and benchmarks alike: what vitest has for it works inside its tests only. */
import { setTimeout as delay } from 'node:timers/promises';

const waitMsMax = 15_000;
const intervalMs = 25;

/**
 * Tries `check` until it does not throw, and answers what it answers.
 * @throws what it throws last, after `timeoutMs` (15 s)
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

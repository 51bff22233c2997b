/**
 * A limit on child processes that start at the same time. With it many servers on a small machine all connect before
 * their deadlines.
 */
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { settledWithin } from '../flow/time-limit.ts';

/** Runs `start` when there is a place for it. Rejects if `signal` aborts before that; afterwards it settles as `start` does. */
export type StartLimit = <T>(start: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** A start takes its place for at most this time, so that servers that hang do not delay the others for long, in milliseconds. */
const placeMsMax = 10_000;

/** Creates a limit. Most servers need one core while they start. */
export function createStartLimit(startsMax: number = Math.max(2, availableParallelism())): StartLimit {
  const limit = pLimit(startsMax);
  return <T>(start: () => Promise<T>, signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void limit(async () => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) return;
      const started = start();
      started.then(resolve, reject);
      await settledWithin(placeMsMax, started);
    });
    return promise;
  };
}

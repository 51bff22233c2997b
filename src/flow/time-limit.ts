/** Time limits on promises: wait for work at most some milliseconds, or until a signal aborts. */

/** The result of {@link resultWithin} where the time was up first. */
export const timedOut: unique symbol = Symbol('timedOut');

/**
 * The value of `work`, or {@link timedOut} after `timeoutMs` milliseconds. Work that is late goes on, and what becomes
 * of it is ignored.
 * @throws what `work` rejects with in time.
 */
export function resultWithin<T>(timeoutMs: number, work: PromiseLike<T>): Promise<T | typeof timedOut> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, timedOut);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Whether `work` settled within `timeoutMs` milliseconds; a rejection counts as settled. Never rejects. */
export async function settledWithin(timeoutMs: number, work: PromiseLike<unknown>): Promise<boolean> {
  return (await resultWithin(timeoutMs, Promise.allSettled([work]))) !== timedOut;
}

/**
 * The value of `work`, unless `signal` aborts first. Work that is left goes on, and what becomes of it is ignored.
 * @throws what `work` rejects with, or the signal's reason as soon as it aborts; at once where it has aborted already.
 */
export function unlessAborted<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}

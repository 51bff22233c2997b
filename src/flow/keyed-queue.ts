/** Work on one key, one at a time: two requests that change the same skill never interleave. */

/** Runs `work` after all earlier work on the same key has settled. */
export type KeyedQueue = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Makes a queue; keys are forgotten once nothing waits on them. */
export function createKeyedQueue(): KeyedQueue {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const settledBefore = (tails.get(key) ?? Promise.resolve()).catch(() => undefined);
    const result = settledBefore.then(work);
    const tail = result
      .catch(() => undefined)
      .finally(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    tails.set(key, tail);
    return result;
  };
}

/** A queue for each key: work for one key runs one at a time, in order. Different keys run concurrently. */
import limitConcurrency, { type LimitFunction } from 'p-limit';

/** Runs `work` once all earlier works of the same key have settled. Settles as `work` does. */
export type KeyedQueue = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Creates a queue. A key is dropped once none of its works is left. */
export function createKeyedQueue(): KeyedQueue {
  const queues = new Map<string, { run: LimitFunction; worksCount: number }>();
  return async (key, work) => {
    const queue = queues.get(key) ?? { run: limitConcurrency(1), worksCount: 0 };
    queues.set(key, queue);
    queue.worksCount += 1;
    try {
      return await queue.run(work);
    } finally {
      queue.worksCount -= 1;
      if (queue.worksCount === 0) queues.delete(key);
    }
  };
}

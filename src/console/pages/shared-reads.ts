/** Reads that several readers share for a moment, where the reader's rights are the same. */
import type { Caller } from '../../shapes/access.ts';

/** How many different readers are remembered. */
const readersMax = 100;

/** Returns a read that is repeated at most every `maxAgeMs` milliseconds for the same namespace, role and scope. */
export function createSharedReads<T>(
  maxAgeMs: number,
  read: (caller: Caller) => Promise<T>,
): (caller: Caller) => Promise<T> {
  const shared = new Map<string, { at: number; result: Promise<T> }>();
  return (caller) => {
    const key = JSON.stringify([caller.namespace, caller.role, caller.scope]);
    const found = shared.get(key);
    if (found !== undefined && performance.now() - found.at < maxAgeMs) return found.result;
    if (shared.size >= readersMax) shared.clear();
    const result = read(caller);
    shared.set(key, { at: performance.now(), result });
    return result;
  };
}

/** Keys that were read, kept for the next request. One process owns the database, so only what it writes can change a key. */
import type { AccessStore, StoredKey } from '../../stores/access-store.ts';

/** The store's keys as authentication needs them. */
export interface KeyCache {
  /** As {@link AccessStore.findKey}, without reading a key twice. `lastUsedAt` may be old. */
  find(keyId: string): Promise<StoredKey | undefined>;
  /** Call it when a key may have changed, after the commit. */
  forget(keyId: string): void;
}

/** Keys kept at most; further ones are read each time. */
const keysMax = 10_000;

/** Makes an empty memory. */
export function createKeyCache(accessStore: AccessStore): KeyCache {
  const kept = new Map<string, StoredKey>();
  let changes = 0;
  return {
    find: async (keyId) => {
      const known = kept.get(keyId);
      if (known !== undefined) return known;
      const changesBefore = changes;
      const found = await accessStore.findKey(keyId);
      // What was read before a change and comes after it is not to be kept.
      if (found !== undefined && changes === changesBefore && kept.size < keysMax) kept.set(keyId, found);
      return found;
    },
    forget: (keyId) => {
      changes += 1;
      kept.delete(keyId);
    },
  };
}

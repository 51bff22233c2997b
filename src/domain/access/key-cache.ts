/** A cache of stored API keys. It stays valid because only this process writes to the database. */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { AccessStore, StoredKey } from '../../stores/access-store.ts';

/** Finds keys for authentication. */
export interface KeyCache {
  /** Like {@link AccessStore.findKey}, but reads a key once. `lastUsedAt` may be out of date. */
  find(keyId: string): Promise<StoredKey | undefined>;
  /** Removes a key from the cache. Call it after the commit of a change to the key. */
  forget(keyId: string): void;
  /** Removes all keys from the cache. Call it after the commit of a change to several keys. */
  forgetAll(): void;
}

/** The most keys in the cache. Beyond it, the key that was read longest ago is evicted. */
const keysMax = 10_000;

/** Creates an empty cache. */
export function createKeyCache(accessStore: AccessStore): KeyCache {
  const cached = new BoundedMap<string, StoredKey>(keysMax);
  let changes = 0;
  return {
    find: async (keyId) => {
      const hit = cached.get(keyId);
      if (hit !== undefined) return hit;
      const changesBefore = changes;
      const found = await accessStore.findKey(keyId);
      // A key that changed while it was read may be out of date, so it is not cached.
      if (found !== undefined && changes === changesBefore) cached.set(keyId, found);
      return found;
    },
    forget: (keyId) => {
      changes += 1;
      cached.delete(keyId);
    },
    forgetAll: () => {
      changes += 1;
      cached.clear();
    },
  };
}

/** The API key cache: each key is read once, and again after a change. */
import { describe, expect, test } from 'vitest';
import { createKeyCache } from '../../../src/domain/access/key-cache.ts';
import { createAccessStore } from '../../../src/stores/access-store.ts';
import { openStoreDatabase } from '../../support/store-database.ts';

const key = {
  keyId: 'a',
  agentId: 'agent',
  namespace: 'default',
  role: 'agent',
  createdAt: 1,
  expiresAt: undefined,
  revokedAt: undefined,
  lastUsedAt: undefined,
} as const;

async function openKeyCache() {
  const opened = await openStoreDatabase();
  const { database } = opened;
  const store = createAccessStore(database);
  let reads = 0;
  const cache = createKeyCache({
    ...store,
    findKey: (keyId) => {
      reads += 1;
      return store.findKey(keyId);
    },
  });
  await database.transaction((tx) => store.insertKey(tx, { key, secretHash: 'hash' }));
  const revoke = () => database.transaction((tx) => store.revokeKey(tx, 'a', 5));
  return { cache, revoke, reads: () => reads, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

describe('a cached key', () => {
  test('is read once', async () => {
    await using keys = await openKeyCache();
    expect(await keys.cache.find('a')).toEqual({ key, secretHash: 'hash' });
    await keys.cache.find('a');
    expect(keys.reads()).toBe(1);
  });

  test('is read again after it has changed', async () => {
    await using keys = await openKeyCache();
    await keys.cache.find('a');
    await keys.revoke();
    keys.cache.forget('a');
    expect(await keys.cache.find('a')).toMatchObject({ key: { revokedAt: 5 } });
  });

  test('is not cached if it changed while it was read', async () => {
    await using keys = await openKeyCache();
    const reading = keys.cache.find('a');
    keys.cache.forget('a');
    await reading;
    await keys.cache.find('a');
    expect(keys.reads()).toBe(2);
  });

  test('is read each time if it does not exist, since it may be created', async () => {
    await using keys = await openKeyCache();
    expect(await keys.cache.find('b')).toBeUndefined();
    await keys.cache.find('b');
    expect(keys.reads()).toBe(2);
  });
});

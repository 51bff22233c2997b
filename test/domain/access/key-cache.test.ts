/** Keys in memory: read once, never older than a change. */
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

async function keyMemory() {
  const opened = await openStoreDatabase();
  const { database } = opened;
  const store = createAccessStore(database);
  let reads = 0;
  const memory = createKeyCache({
    ...store,
    findKey: (keyId) => {
      reads += 1;
      return store.findKey(keyId);
    },
  });
  await database.transaction((tx) => store.insertKey(tx, { key, secretHash: 'hash' }));
  const revoke = () => database.transaction((tx) => store.revokeKey(tx, 'a', 5));
  return { memory, revoke, reads: () => reads, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

describe('a key', () => {
  test('is read once', async () => {
    await using keys = await keyMemory();
    expect(await keys.memory.find('a')).toEqual({ key, secretHash: 'hash' });
    await keys.memory.find('a');
    expect(keys.reads()).toBe(1);
  });

  test('is read again after it has changed', async () => {
    await using keys = await keyMemory();
    await keys.memory.find('a');
    await keys.revoke();
    keys.memory.forget('a');
    expect(await keys.memory.find('a')).toMatchObject({ key: { revokedAt: 5 } });
  });

  test('that was being read while it changed is not kept', async () => {
    await using keys = await keyMemory();
    const reading = keys.memory.find('a');
    keys.memory.forget('a');
    await reading;
    await keys.memory.find('a');
    expect(keys.reads()).toBe(2);
  });

  test('that does not exist is looked for each time, since it may come', async () => {
    await using keys = await keyMemory();
    expect(await keys.memory.find('b')).toBeUndefined();
    await keys.memory.find('b');
    expect(keys.reads()).toBe(2);
  });
});

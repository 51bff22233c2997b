import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiKey, type KeyFilter, keyState } from '../../src/shapes/access.ts';
import { type AccessStore, createAccessStore } from '../../src/stores/access-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let access: AccessStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  access = createAccessStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const key = (keyId: string): ApiKey => ({
  keyId,
  agentId: 'billing-bot',
  namespace: 'default',
  role: 'agent',
  createdAt: 1,
  expiresAt: undefined,
  revokedAt: undefined,
  lastUsedAt: undefined,
});
const insert = (keyId: string) =>
  store.database.transaction((tx) => access.insertKey(tx, { key: key(keyId), secretHash: `hash-${keyId}` }));

describe('a key', () => {
  test('is read back with the hash of its secret, unchanged', async () => {
    await insert('a');
    expect(await access.findKey('a')).toEqual({ key: key('a'), secretHash: 'hash-a' });
    expect(await access.findKey('b')).toBeUndefined();
  });

  test('is refused if its id exists already, and the first key stays', async () => {
    await insert('a');
    const second = { key: { ...key('a'), agentId: 'other' }, secretHash: 'other' };
    await expect(store.database.transaction((tx) => access.insertKey(tx, second))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    expect(await access.findKey('a')).toEqual({ key: key('a'), secretHash: 'hash-a' });
  });

  test('is revoked only once, keeps that time, and is still found and counted', async () => {
    await insert('a');
    const revoke = (keyId: string, at: number) => store.database.transaction((tx) => access.revokeKey(tx, keyId, at));
    expect([await revoke('a', 5), await revoke('a', 6), await revoke('absent', 7)]).toEqual([true, false, false]);
    expect(await access.findKey('a')).toMatchObject({ key: { revokedAt: 5 } });
    expect(await access.countKeys()).toBe(1);
  });
});

describe('the last use of keys', () => {
  test('is stored for each key that exists, and a later one replaces it', async () => {
    for (const keyId of ['a', 'b']) await insert(keyId);
    const note = (uses: [string, number][]) =>
      store.database.transaction((tx) => access.recordLastUse(tx, new Map(uses)));
    await note([
      ['a', 5],
      ['gone', 6],
    ]);
    await note([['a', 7]]);
    expect(await access.listKeys({ limit: 10 })).toEqual([{ ...key('a'), lastUsedAt: 7 }, key('b')]);
  });
});

describe('the keys', () => {
  test('are listed in pages, ordered by id, without their hashes', async () => {
    expect(await access.countKeys()).toBe(0);
    for (const keyId of ['c', 'a', 'b']) await insert(keyId);
    expect(await access.listKeys({ limit: 2 })).toEqual([key('a'), key('b')]);
    expect(await access.listKeys({ after: 'b', limit: 2 })).toEqual([key('c')]);
    expect(await access.countKeys()).toBe(3);
  });

  test('are filtered by agent or id, namespace, role, and their state at a time', async () => {
    const now = 100;
    const keys: ApiKey[] = [
      { ...key('a1'), agentId: 'Billing' },
      { ...key('b2'), role: 'auditor', namespace: 'other' },
      { ...key('c3'), expiresAt: now },
      { ...key('d4'), expiresAt: now + 1 },
      { ...key('e5'), expiresAt: now + 40 * 86_400_000 },
      { ...key('f6'), expiresAt: now + 1, revokedAt: 50 },
      // Expired, although the clock was set back.
      { ...key('g7'), expiresAt: now + 5, revokedAt: now + 5 },
      { ...key('h8'), revokedAt: 50 },
    ];
    for (const each of keys)
      await store.database.transaction((tx) => access.insertKey(tx, { key: each, secretHash: each.keyId }));
    const ids = async (filter: KeyFilter) =>
      (await access.listKeys({ ...filter, limit: 10, now })).map(({ keyId }) => keyId).join(' ');
    expect(await ids({ query: 'BILLING' })).toBe('a1 b2 c3 d4 e5 f6 g7 h8');
    expect(await ids({ query: 'billing-' })).toBe('b2 c3 d4 e5 f6 g7 h8');
    expect(await ids({ query: 'g7' })).toBe('g7');
    expect(await ids({ query: '%' })).toBe('');
    expect(await ids({ role: 'auditor' })).toBe('b2');
    expect(await ids({ namespace: 'other' })).toBe('b2');
    expect(await ids({ state: 'valid' })).toBe('a1 b2 d4 e5');
    expect(await ids({ state: 'expiring' })).toBe('d4');
    expect(await ids({ state: 'expired' })).toBe('c3 g7');
    expect(await ids({ state: 'revoked' })).toBe('f6 h8');
    for (const each of keys) expect(await ids({ state: keyState(each, now) }), each.keyId).toContain(each.keyId);
  });
});

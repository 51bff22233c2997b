import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessStore } from '../../src/stores/access-store.ts';
import { busyTimeoutMs, openDatabase } from '../../src/stores/database.ts';
import { queuedWorksMax } from '../../src/stores/transaction-queue.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
beforeEach(async () => {
  store = await openStoreDatabase();
});
afterEach(() => store[Symbol.asyncDispose]());

const keys = () => createAccessStore(store.database);
const key = (keyId: string) => ({
  key: { keyId, agentId: 'agent', namespace: 'default', role: 'agent', createdAt: 1, revokedAt: undefined } as const,
  secretHash: 'hash',
});

describe('transactions of one turn of the event loop', () => {
  test('are committed when they resolve: another connection sees them', async () => {
    const other = new DatabaseSync(store.file, { readOnly: true });
    const count = () => Number(Object.values(Object(other.prepare('SELECT count(*) FROM api_keys').get()))[0]);
    const accessStore = keys();
    const seen: number[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (id) => {
        await store.database.transaction((tx) => accessStore.insertKey(tx, key(id)));
        seen.push(count());
      }),
    );
    expect(seen).toEqual([3, 3, 3]);
    other.close();
  });

  test('fail alone: the others of the group stand', async () => {
    const accessStore = keys();
    const settled = await Promise.allSettled([
      store.database.transaction((tx) => accessStore.insertKey(tx, key('a'))),
      store.database.transaction(async (tx) => {
        await accessStore.insertKey(tx, key('lost'));
        throw new Error('changed my mind');
      }),
      store.database.transaction((tx) => accessStore.insertKey(tx, key('a'))),
      store.database.transaction((tx) => accessStore.insertKey(tx, key('b'))),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { message: 'changed my mind' } });
    expect(settled[2]).toMatchObject({ reason: { code: 'STORAGE_FAILED' } });
    expect((await accessStore.listKeys({ limit: 10 })).map(({ keyId }) => keyId)).toEqual(['a', 'b']);
  });

  test('run in order, each seeing the writes before it', async () => {
    const accessStore = keys();
    const counts = await Promise.all(
      ['a', 'b', 'c'].map((id) =>
        store.database.transaction(async (tx) => {
          await accessStore.insertKey(tx, key(id));
          return accessStore.countKeys();
        }),
      ),
    );
    expect(counts).toEqual([1, 2, 3]);
  });

  test('are refused beyond a number, and taken again after', async () => {
    const works = Array.from({ length: queuedWorksMax + 10 }, () => store.database.transaction(async () => 'done'));
    const settled = await Promise.allSettled(works);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    expect(await store.database.transaction(async () => 'done')).toBe('done');
  });

  test('that are queued when the database is closed are still written', async () => {
    const accessStore = keys();
    const work = store.database.transaction((tx) => accessStore.insertKey(tx, key('last')));
    await store.database[Symbol.asyncDispose]();
    await work;
    await using again = openDatabase({ file: store.file });
    expect(await createAccessStore(again).findKey('last')).toBeDefined();
    await expect(store.database.transaction(async () => 'late')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('a database that another process has locked', () => {
  test('refuses within a bounded time and works again after', async () => {
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const database = new DatabaseSync(${JSON.stringify(store.file)});
      database.exec('BEGIN IMMEDIATE');
      process.stdout.write('locked');
      process.stdin.once('data', () => { database.exec('ROLLBACK'); process.exit(0); });`;
    const locker = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(locker.stdout, 'data');
    const at = performance.now();
    await expect(store.database.checkWritable()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: 'the database is locked by another process',
    });
    expect(performance.now() - at).toBeLessThan(busyTimeoutMs * 5);
    locker.stdin.write('go');
    await once(locker, 'exit');
    await expect(store.database.checkWritable()).resolves.toBeUndefined();
  });
});

describe('a file that cannot be opened', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-open-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.each([
    [
      'is not a database',
      async (file: string) => writeFile(file, 'no database at all, but long enough'.repeat(100)),
      /not a database/,
    ],
    [
      'is of a newer version',
      async (file: string) => {
        const newer = new DatabaseSync(file);
        newer.exec('PRAGMA user_version = 9999');
        newer.close();
      },
      /version 9999/,
    ],
  ])('because it %s is refused in one line that names it', async (_why, prepare, reason) => {
    const file = join(folder, 'hestia.db');
    await prepare(file);
    expect(() => openDatabase({ file })).toThrow(reason);
    expect(() => openDatabase({ file })).toThrow(/^[^\n]*hestia\.db[^\n]*$/);
  });

  test('because its folder is none is refused in one line', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(() => openDatabase({ file: join(folder, 'file', 'hestia.db') })).toThrow(/^[^\n]*hestia\.db[^\n]*$/);
  });
});

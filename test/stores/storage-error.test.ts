/** Real database failures: a full disk, and a lock held by another process while opening. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openDatabase } from '../../src/stores/database.ts';
import { busyTimeoutMs } from '../../src/stores/transaction-queue.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
beforeEach(async () => {
  store = await openStoreDatabase();
});
afterEach(() => store[Symbol.asyncDispose]());

/** Limits the file to `pages` pages; SQLite never sets the limit below the current size. */
function limitPages(pages: number): void {
  const pragma = store.database.query(`PRAGMA max_page_count = ${pages}`, z.object({ max_page_count: z.int() }));
  pragma.first();
}

describe('a disk that is full', () => {
  test('fails all writes of the group as STORAGE_FAILED, and accepts writes again once there is space', async () => {
    const { database } = store;
    const insert = database.command(
      `INSERT INTO skills (skill_id, namespace, name, owner_agent_id, source, latest_version, description, created_at, updated_at)
       VALUES (:id, 'n', :id, 'a', 'published', 1, :description, 0, 0)`,
    );
    const count = database.query('SELECT count(*) AS skills FROM skills', z.object({ skills: z.int() }));
    const write = (id: string, length: number) =>
      database.transaction(async (tx) => insert.run(tx, { id, description: 'x'.repeat(length) }));
    limitPages(1);
    await write('fits', 1);
    const results = await Promise.allSettled([write('before', 1), write('large', 1_000_000), write('after', 1)]);
    const full = {
      status: 'rejected',
      reason: {
        code: 'STORAGE_FAILED',
        message: 'the database failed',
        cause: { message: 'database or disk is full' },
      },
    };
    expect(results).toMatchObject([full, full, full]);
    expect(store.failures).toEqual(['full']);
    expect(count.first()).toEqual({ skills: 1 });
    limitPages(1_000_000);
    await write('large', 1_000_000);
    expect(count.first()).toEqual({ skills: 2 });
  });
});

const holdLock = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN IMMEDIATE');
  console.log('locked');
  process.stdin.resume().on('end', () => database.exec('ROLLBACK'));
`;

describe('opening a database that another process has locked', () => {
  test('fails in bounded time with one line that names the cause, and succeeds afterwards', async () => {
    await store.database[Symbol.asyncDispose]();
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', holdLock, store.file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    const start = performance.now();
    expect(() => openDatabase({ file: store.file })).toThrow(
      `${store.file}: cannot open the database: database is locked`,
    );
    expect(performance.now() - start).toBeLessThan(busyTimeoutMs * 3);
    child.stdin.end();
    await ended;
    await using again = openDatabase({ file: store.file });
    await expect(again.checkWritable()).resolves.toBeUndefined();
  });
});

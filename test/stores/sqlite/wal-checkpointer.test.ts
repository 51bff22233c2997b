/** The checkpointer's thread: it empties the log, and SQLite takes over when the thread stops. */
import { statSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createWalCheckpointer } from '../../../src/stores/sqlite/wal-checkpointer.ts';
import { openStoreDatabase } from '../../support/store-database.ts';

async function openWritten() {
  const store = await openStoreDatabase();
  const failures: unknown[] = [];
  const write = store.database.command('UPDATE write_check SET checked_at = :now');
  const setting = z.object({ wal_autocheckpoint: z.int() });
  const autoCheckpoint = store.database.query('PRAGMA wal_autocheckpoint', setting);
  return {
    ...store,
    checkpointsAt: () => autoCheckpoint.first()?.wal_autocheckpoint,
    failures,
    onFailure: (error: unknown) => failures.push(error),
    write: async (times: number) => {
      for (let now = 0; now < times; now += 1) {
        await store.database.transaction(async (tx) => {
          write.run(tx, { now });
        });
      }
    },
    logBytes: () => statSync(`${store.file}-wal`).size,
  };
}

test('the thread copies and truncates the log when nobody writes, with automatic checkpoints off', async () => {
  await using store = await openWritten();
  await using checkpointer = createWalCheckpointer(store);
  checkpointer.start();
  await vi.waitFor(() => expect(store.checkpointsAt()).toBe(0), { timeout: 5000 });
  await store.write(1500);
  await vi.waitFor(() => expect(store.logBytes()).toBe(0), { timeout: 5000 });
  expect(store.failures).toEqual([]);
});

test('automatic checkpoints are on again once the checkpointer is disposed', async () => {
  await using store = await openWritten();
  const checkpointer = createWalCheckpointer(store);
  checkpointer.start();
  await vi.waitFor(() => expect(store.checkpointsAt()).toBe(0), { timeout: 5000 });
  await checkpointer[Symbol.asyncDispose]();
  expect(store.checkpointsAt()).toBe(1000);
  expect(store.failures).toEqual([]);
});

test('a thread that fails is reported once, and automatic checkpoints are on again', async () => {
  await using store = await openWritten();
  store.database.setAutoCheckpoint(false);
  await using checkpointer = createWalCheckpointer({ ...store, file: store.folder });
  checkpointer.start();
  await vi.waitFor(() => expect(store.failures).toHaveLength(1), { timeout: 5000 });
  expect(store.checkpointsAt()).toBe(1000);
});

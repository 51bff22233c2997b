import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createStorageFailure } from '../../src/stores/storage-error.ts';
import { createTransactionQueue, type TransactionQueue } from '../../src/stores/transaction-queue.ts';

let connection: DatabaseSync;
let queue: TransactionQueue;
beforeEach(() => {
  connection = new DatabaseSync(':memory:');
  connection.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE notes (text TEXT)');
  queue = createTransactionQueue({
    connection,
    failure: createStorageFailure(() => {}),
    onOverload: () => {},
    onRollback: () => {},
  });
});
afterEach(() => connection.close());

const write = (text: string) => queue.transaction(async () => connection.exec(`INSERT INTO notes VALUES ('${text}')`));
const notes = () =>
  connection
    .prepare('SELECT text FROM notes')
    .all()
    .map((row) => row.text);

describe('a group whose commit fails', () => {
  test('rejects all its transactions and writes nothing', async () => {
    connection.exec(
      'CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON',
    );
    const own = new Error('its own reason');
    const results = await Promise.allSettled([
      write('before'),
      queue.transaction(async () => connection.exec('INSERT INTO child VALUES (404)')),
      queue.transaction(async () => {
        throw own;
      }),
      write('after'),
    ]);
    const failed = {
      status: 'rejected',
      reason: { code: 'STORAGE_FAILED', cause: { message: expect.stringContaining('FOREIGN KEY') } },
    };
    expect(results).toMatchObject([failed, failed, { status: 'rejected', reason: own }, failed]);
    expect(notes()).toEqual([]);
    await write('later');
    expect(notes()).toEqual(['later']);
  });
});

describe('a failure that rolls back the whole group', () => {
  test('rejects all transactions of the group with the failure as the cause, and the next group runs', async () => {
    const failure = new Error('out of space');
    const results = await Promise.allSettled([
      write('before'),
      queue.transaction(async () => {
        connection.exec('ROLLBACK');
        throw failure;
      }),
      write('after'),
    ]);
    const failed = { status: 'rejected', reason: { code: 'STORAGE_FAILED', cause: failure } };
    expect(results).toMatchObject([failed, failed, failed]);
    expect(notes()).toEqual([]);
    await write('later');
    expect(notes()).toEqual(['later']);
  });
});

describe('draining', () => {
  test('commits the queued transactions and refuses later ones', async () => {
    const queued = write('queued');
    const drained = queue.drain();
    const late = write('late');
    await expect(late).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: 'the database is closed' });
    await drained;
    expect(notes()).toEqual(['queued']);
    await queued;
  });
});

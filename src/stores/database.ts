/**
 * The SQLite file behind all stores: opened, given its schema, written in grouped transactions, closed.
 * Knows no table by what it means. The only owner of the connection.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { StorageErrorType } from '../shapes/storage.ts';
import { type Command, prepareCommand, prepareQuery, type Query } from './statement.ts';
import { createStorageFailure, DatabaseOpenError } from './storage-error.ts';
import { createTransactionQueue, type Transaction } from './transaction-queue.ts';

export type { Transaction } from './transaction-queue.ts';

/** The database of one process. Dispose it to run what is queued and close the file. */
export interface Database extends AsyncDisposable {
  /**
   * Runs `work` and resolves with its value after the commit; works queued in one turn of the event loop commit
   * together, each failing alone. `work` awaits store methods only, and reads in it see its writes.
   * @throws what `work` throws; HestiaError STORAGE_FAILED where the database is locked, full, closed or overloaded.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Rollbacks so far, of one work or of a whole group: what a store keeps in memory of its rows holds until the next one. */
  rollbacksCount(): number;
  /**
   * Writes one row and commits. May be repeated.
   * @throws HestiaError STORAGE_FAILED where the database cannot be written now.
   */
  checkWritable(): Promise<void>;
  /** Whether commits also bring the log's pages back to the file, once there are many; otherwise somebody else must. */
  checkpointItself(does: boolean): void;
  /** For stores: prepares a statement that reads; columns are named as the fields of `rowSchema`. */
  query<Row>(sql: string, rowSchema: z.ZodType<Row>): Query<Row>;
  /** For stores: prepares a statement that writes. */
  command(sql: string): Command;
}

/** What a database is made of. */
export interface DatabaseDeps {
  file: string;
  /**
   * What a commit survives: `normal` a crash of the process; `full` also a loss of power, for an fsync of each group of
   * commits. Either way the file stays whole.
   */
  durability?: 'normal' | 'full';
  /** Hears of each read or write that fails, once. */
  onFailure?: (type: StorageErrorType) => void;
}

/**
 * Opens or creates the database; the folder must exist.
 * @throws DatabaseOpenError with one line: the file and why (not writable, not a database, of a newer version).
 */
export function openDatabase({ file, durability = 'normal', onFailure = () => undefined }: DatabaseDeps): Database {
  const connection = openConnection(file, durability);
  const failure = createStorageFailure(onFailure);
  let rollbacksCount = 0;
  const queue = createTransactionQueue({
    connection,
    failure,
    onOverload: () => onFailure('overload'),
    onRollback: () => {
      rollbacksCount += 1;
    },
  });
  const touch = prepareCommand(connection, 'UPDATE write_check SET checked_at = :now', failure);
  return {
    transaction: queue.transaction,
    rollbacksCount: () => rollbacksCount,
    checkpointItself: (does) => {
      if (connection.isOpen) connection.exec(`PRAGMA wal_autocheckpoint = ${does ? logPagesMax : 0}`);
    },
    checkWritable: () =>
      queue.transaction(async (tx) => {
        touch.run(tx, { now: Date.now() });
      }),
    query: (sql, rowSchema) => prepareQuery(connection, sql, rowSchema, failure),
    command: (sql) => prepareCommand(connection, sql, failure),
    async [Symbol.asyncDispose]() {
      await queue.drain();
      if (connection.isOpen) connection.close();
    },
  };
}

const schemaVersion = 3;
// 'HEST' in ASCII, as schema.sql sets it.
const applicationId = 0x48455354;
/** What brings a database of an older version to this one, by that version. */
const upgrades: ReadonlyMap<number, string> = new Map([
  [
    2,
    `DROP INDEX audit_records_by_event;
     CREATE INDEX audit_records_by_event ON audit_records (event) WHERE event <> 'TOOL_OUTCOME';
     DROP INDEX tool_outcomes_by_tool;
     CREATE INDEX tool_outcomes_by_tool ON tool_outcomes (server_id, tool_name, namespace, recorded_at, outcome, latency_ms);
     PRAGMA user_version = 3;`,
  ],
]);
const schema = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');

// The write-ahead log is cut back to this size after a checkpoint.
const logBytesMax = 67_108_864;
/** Pages of 4,096 bytes in the log after which a commit checkpoints, where the connection does it itself; SQLite's default. */
const logPagesMax = 1000;

/** How long opening waits for another process that holds the lock, in milliseconds. */
const openTimeoutMs = 1000;

function openConnection(file: string, durability: 'normal' | 'full'): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, {
      timeout: openTimeoutMs,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      allowExtension: false,
      defensive: true,
    });
    applySchema(connection);
    connection.exec(`PRAGMA synchronous = ${durability}`);
    // From here on the queue waits for the lock, without holding up the event loop.
    connection.exec('PRAGMA busy_timeout = 0');
    return connection;
  } catch (cause) {
    connection?.close();
    throw new DatabaseOpenError(file, cause);
  }
}

function applySchema(connection: DatabaseSync): void {
  const found = readVersion(connection);
  if (found.version > schemaVersion) {
    throw new Error(`it is of version ${found.version}, and this hub knows versions up to ${schemaVersion} only`);
  }
  const upgrade = upgrades.get(found.version);
  const isOlder = found.version > 0 && found.version < schemaVersion;
  if (found.application === applicationId && isOlder && upgrade === undefined) {
    throw new Error(
      `it is of version ${found.version}, from before the first release, and cannot be taken over; move the data directory away to start anew`,
    );
  }
  if (found.tables > 0 && found.application !== applicationId) throw new Error('it is a database of another program');
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${logBytesMax}`);
  connection.exec('BEGIN IMMEDIATE');
  // Asked again: another process may have been here first.
  const { version } = readVersion(connection);
  if (version === 0) connection.exec(schema);
  else if (version === found.version && upgrade !== undefined) connection.exec(upgrade);
  assert.equal(readVersion(connection).version, schemaVersion, 'schema.sql sets the version that the code knows');
  connection.exec('COMMIT');
}

const versionSchema = z.object({ version: z.int(), application: z.int(), tables: z.int() });

function readVersion(connection: DatabaseSync): z.infer<typeof versionSchema> {
  const row = connection
    .prepare(
      `SELECT user_version AS version, application_id AS application, (SELECT count(*) FROM sqlite_schema) AS tables
       FROM pragma_user_version, pragma_application_id`,
    )
    .get();
  return versionSchema.parse(row);
}

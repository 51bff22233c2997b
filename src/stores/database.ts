/**
 * The SQLite database of the hub: opening, schema and upgrades, grouped transactions, closing.
 * It owns the only connection of the event loop, and knows nothing of what the tables mean.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { z } from 'zod';
import { ensurePrivateDatabase } from '../flow/private-file.ts';
import type { StorageErrorType } from '../shapes/storage.ts';
import { upgradeSkillBytes } from './skill/bytes-upgrade.ts';
import { upgradeSkillDocuments } from './skill/document-upgrade.ts';
import { readIdentity } from './sqlite/file-identity.ts';
import { type Command, prepareCommand, prepareQuery, type Query } from './statement.ts';
import { createStorageFailure, DatabaseOpenError } from './storage-error.ts';
import { createTransactionQueue, type Transaction } from './transaction-queue.ts';

export type { Transaction } from './transaction-queue.ts';

/** The database of one process. Disposing runs the queued transactions and closes the file. */
export interface Database extends AsyncDisposable {
  /**
   * Runs `work` and resolves with its value after the commit. Transactions queued in one turn of the event loop commit
   * together, but each fails on its own. `work` may await store methods only, and its reads see its writes.
   * @throws what `work` throws; HestiaError STORAGE_FAILED if the database is locked, full, closed or overloaded.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** The number of rollbacks so far, of one transaction or of a group. A store's cache of its rows is valid until the next. */
  rollbacksCount(): number;
  /**
   * Writes one row and commits. May be repeated.
   * @throws HestiaError STORAGE_FAILED if the database cannot be written now.
   */
  checkWritable(): Promise<void>;
  /** Turns SQLite's automatic checkpoints at commits on or off. While off, another connection must checkpoint. */
  setAutoCheckpoint(isOn: boolean): void;
  /** For stores: prepares a statement that reads. Its columns are named as the fields of `rowSchema`. */
  query<Row>(sql: string, rowSchema: z.ZodType<Row>): Query<Row>;
  /** For stores: prepares a statement that writes. */
  command(sql: string): Command;
}

/** Options of {@link openDatabase}. */
export interface DatabaseDeps {
  file: string;
  /**
   * What a commit survives. `normal`: a crash of the process. `full`: also a loss of power, at the cost of an fsync for each
   * group of commits. The file stays consistent either way.
   */
  durability?: 'normal' | 'full';
  /** Called once for each read or write that fails. */
  onFailure?: (type: StorageErrorType) => void;
}

/**
 * Opens or creates the database. The folder must exist.
 * @throws DatabaseOpenError with one line: the file and the reason (not writable, not a database, of a newer version).
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
    setAutoCheckpoint: (isOn) => {
      if (connection.isOpen) connection.exec(`PRAGMA wal_autocheckpoint = ${isOn ? logPagesMax : 0}`);
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

/** Whether the file is a database of this version, so that opening it upgrades nothing. It is not changed. @throws what SQLite throws */
export function isCurrentDatabase(file: string): boolean {
  using connection = new DatabaseSync(file, { readOnly: true });
  const { application, version } = readIdentity(connection);
  return application === applicationId && version === schemaVersion;
}

const schemaVersion = 8;
// 'HEST' in ASCII, as schema.sql sets it.
const applicationId = 0x48455354;
/** The steps that upgrade a database by one version, by the version it has. */
const upgrades: ReadonlyMap<number, (connection: DatabaseSync) => void> = new Map([
  [
    2,
    (connection) =>
      connection.exec(`DROP INDEX audit_records_by_event;
     CREATE INDEX audit_records_by_event ON audit_records (event) WHERE event <> 'TOOL_OUTCOME';
     DROP INDEX tool_outcomes_by_tool;
     CREATE INDEX tool_outcomes_by_tool ON tool_outcomes (server_id, tool_name, namespace, recorded_at, outcome, latency_ms);
     PRAGMA user_version = 3;`),
  ],
  [3, upgradeSkills],
  // Version 5: the audit trail is in the journal; the version of the content scan that found nothing in a pinned definition; the
  // scope of a key.
  [
    4,
    (connection) => {
      connection.exec('ALTER TABLE tool_pins ADD COLUMN clean_scan TEXT');
      connection.exec('ALTER TABLE api_keys ADD COLUMN scope TEXT');
      connection.exec(`CREATE INDEX IF NOT EXISTS skills_retired ON skills (namespace)
        WHERE deleted_at IS NULL AND retired_at IS NOT NULL`);
      dropAuditTrail(connection);
    },
  ],
  // Version 6: logins to upstream servers.
  [
    5,
    (connection) =>
      connection.exec(`CREATE TABLE server_logins (
       server_id  TEXT NOT NULL,
       agent      TEXT NOT NULL,
       sealed     BLOB NOT NULL,
       changed_at INTEGER NOT NULL,
       PRIMARY KEY (server_id, agent)
     ) STRICT, WITHOUT ROWID;
     PRAGMA user_version = 6;`),
  ],
  [6, upgradeSearchesAndQuarantine],
  [7, upgradeSkillBytes],
]);
const schema = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');

// The write-ahead log is truncated to this size after a checkpoint.
const logBytesMax = 67_108_864;
/** Pages of 4,096 bytes in the log after which a commit checkpoints automatically; SQLite's default. */
const logPagesMax = 1000;

/** How long opening waits for a lock that another process holds, in milliseconds. */
const openTimeoutMs = 1000;

function openConnection(file: string, durability: 'normal' | 'full'): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    ensurePrivateDatabase(file);
    connection = new DatabaseSync(file, {
      timeout: openTimeoutMs,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      allowExtension: false,
      defensive: true,
    });
    applySchema(connection);
    connection.exec(`PRAGMA synchronous = ${durability}`);
    // From here on the queue waits for the lock instead, without blocking the event loop.
    connection.exec('PRAGMA busy_timeout = 0');
    return connection;
  } catch (cause) {
    connection?.close();
    throw new DatabaseOpenError(file, cause);
  }
}

function applySchema(connection: DatabaseSync): void {
  const found = readIdentity(connection);
  if (found.version > schemaVersion) {
    throw new Error(`it is of version ${found.version}, and this hub supports versions up to ${schemaVersion} only`);
  }
  const isUpgradable = upgrades.has(found.version);
  const isOlder = found.version > 0 && found.version < schemaVersion;
  if (found.application === applicationId && isOlder && !isUpgradable) {
    throw new Error(
      `it is of version ${found.version}, from before the first release, and cannot be upgraded; move the data directory elsewhere to start afresh`,
    );
  }
  if (found.tables > 0 && found.application !== applicationId) throw new Error('it is a database of another program');
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${logBytesMax}`);
  connection.exec('BEGIN IMMEDIATE');
  // Read again under the lock: another process may have applied the schema meanwhile.
  const { version } = readIdentity(connection);
  if (version === 0) connection.exec(schema);
  for (let at = version; at > 0 && at < schemaVersion; at += 1) upgrades.get(at)?.(connection);
  assert.equal(readIdentity(connection).version, schemaVersion, 'schema.sql sets the version that the code expects');
  connection.exec('COMMIT');
}

/** Version 4: bytes of skills by digest, and skills that are retired instead of deleted. */
function upgradeSkills(connection: DatabaseSync): void {
  connection.exec(`DROP TRIGGER skill_versions_never_change;
    CREATE TABLE skill_blobs (digest TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT;
    ALTER TABLE skills ADD COLUMN origin TEXT;
    ALTER TABLE skills ADD COLUMN retired_at INTEGER;
    ALTER TABLE skills ADD COLUMN resumes TEXT;
    DROP INDEX skills_by_name;
    CREATE UNIQUE INDEX skills_by_name ON skills (namespace, name) WHERE deleted_at IS NULL AND retired_at IS NULL;`);
  upgradeSkillDocuments(connection);
  connection.exec(`CREATE TRIGGER skill_versions_never_change BEFORE UPDATE ON skill_versions
    BEGIN
      SELECT RAISE(ABORT, 'skill versions are immutable');
    END;
    PRAGMA user_version = 4;`);
}

/** Version 5: the audit trail is in the journal. The hub takes the records over before it opens the database. */
function dropAuditTrail(connection: DatabaseSync): void {
  connection.exec(`DROP TABLE lessons;
    DROP TABLE tool_outcomes;
    DROP TABLE audit_records;
    DROP TABLE audit_checkpoints;
    DROP TABLE audit_tree_nodes;
    DROP TABLE audit_anchor;
    CREATE TABLE outbox (
      position     INTEGER PRIMARY KEY,
      record_id    TEXT NOT NULL UNIQUE,
      entry        TEXT NOT NULL,
      journal_size INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE retention_clock (
      id           INTEGER PRIMARY KEY CHECK (id = 1),
      seen_at      INTEGER,
      confirmed_ms INTEGER
    ) STRICT;
    INSERT INTO retention_clock (id) VALUES (1);
    PRAGMA user_version = 5;`);
}

/** Version 7: lists of searches by agent and without result; entries of the quarantine that are refused, with the reason. */
function upgradeSearchesAndQuarantine(connection: DatabaseSync): void {
  connection.exec(`CREATE INDEX searches_by_agent ON searches (agent_id, searched_at);
    CREATE INDEX searches_without_result ON searches (searched_at) WHERE shown = '[]';
    ALTER TABLE quarantine RENAME TO quarantine_before;
    CREATE TABLE quarantine (
      seq           INTEGER PRIMARY KEY,
      quarantine_id TEXT NOT NULL UNIQUE,
      kind          TEXT NOT NULL CHECK (kind IN ('skill', 'tool')),
      scope         TEXT NOT NULL,
      name          TEXT NOT NULL,
      digest        TEXT NOT NULL,
      state         TEXT NOT NULL CHECK (state IN ('blocked', 'held', 'noted', 'approved', 'refused')),
      detail        TEXT NOT NULL,
      created_at    INTEGER NOT NULL,
      decided_at    INTEGER,
      decided_by    TEXT,
      reason        TEXT,
      UNIQUE (kind, scope, name, digest)
    ) STRICT;
    INSERT INTO quarantine (seq, quarantine_id, kind, scope, name, digest, state, detail, created_at, decided_at, decided_by)
      SELECT seq, quarantine_id, kind, scope, name, digest, state, detail, created_at, decided_at, decided_by
      FROM quarantine_before;
    DROP TABLE quarantine_before;
    PRAGMA user_version = 7;`);
}

/** Opening the database, and transactions: their commit, isolation, errors and limits. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseSkillDocument } from '../../src/domain/skill/document.ts';
import { type Database, openDatabase, type Transaction } from '../../src/stores/database.ts';
import { createSkillStore } from '../../src/stores/skill-store.ts';
import { DatabaseOpenError } from '../../src/stores/storage-error.ts';
import { busyTimeoutMs, queuedTransactionsMax } from '../../src/stores/transaction-queue.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let database: Database;
/** A second connection, which sees only what is committed. */
let outside: DatabaseSync;

beforeEach(async () => {
  store = await openStoreDatabase();
  database = store.database;
  outside = new DatabaseSync(store.file, { readOnly: true });
});
afterEach(async () => {
  outside.close();
  await store[Symbol.asyncDispose]();
});

function writer(): (tx: Transaction, total: number) => number {
  const command = database.command('UPDATE scheduler_totals SET total_deleted = total_deleted + :total');
  return (tx, total) => command.run(tx, { total });
}

function total(): number {
  return z
    .object({ total: z.number() })
    .parse(outside.prepare('SELECT total_deleted AS total FROM scheduler_totals').get()).total;
}

/** SQLite's `data_version` as another connection sees it: it changes once for each commit. */
function dataVersion(): number {
  return z.object({ data_version: z.number() }).parse(outside.prepare('PRAGMA data_version').get()).data_version;
}

const holdLock = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN IMMEDIATE');
  console.log('locked');
  process.stdin.resume().on('end', () => database.exec('ROLLBACK'));
`;

/** Lets another process lock the file for writing, until the result is disposed. */
async function lockInAnotherProcess(file: string): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', holdLock, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

const schema5 = readFileSync(new URL('../fixtures/databases/version-5.sql', import.meta.url), 'utf8');
const schema4 = readFileSync(new URL('../fixtures/old-trail/version-4.sql', import.meta.url), 'utf8');
const downgradeTo3 = `DROP TABLE skill_blobs; DROP INDEX skills_by_name;
  ALTER TABLE skills DROP COLUMN origin; ALTER TABLE skills DROP COLUMN retired_at; ALTER TABLE skills DROP COLUMN resumes;
  CREATE UNIQUE INDEX skills_by_name ON skills (namespace, name) WHERE deleted_at IS NULL; PRAGMA user_version = 3;`;

/** The columns of all tables, and the text of everything else in the schema. */
function schemaOf(file: string): unknown[] {
  using connection = new DatabaseSync(file);
  const columns = connection.prepare(
    `SELECT tables.name AS tableName, columns.* FROM sqlite_schema AS tables, pragma_table_xinfo(tables.name) AS columns
     WHERE tables.type = 'table' ORDER BY tableName, cid`,
  );
  const others = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type <> 'table' ORDER BY name");
  return [...columns.all(), ...others.all().map(({ name, sql }) => [name, String(sql).replace(/\s+/g, ' ')])];
}

describe('transactions queued in one turn of the event loop', () => {
  test('resolve after the commit: another connection then sees the write', async () => {
    const add = writer();
    const seen = await Promise.all(
      [1, 10, 100].map((amount) => database.transaction(async (tx) => add(tx, amount)).then(() => total())),
    );
    expect(seen).toEqual([111, 111, 111]);
  });

  test('are not seen by another connection while the group runs', async () => {
    const add = writer();
    const seen: number[] = [];
    await Promise.all([
      database.transaction(async (tx) => add(tx, 1)),
      database.transaction(async () => seen.push(total())),
    ]);
    expect(seen).toEqual([0]);
    expect(total()).toBe(1);
  });

  test('share one commit', async () => {
    const add = writer();
    const before = dataVersion();
    await Promise.all(Array.from({ length: 50 }, () => database.transaction(async (tx) => add(tx, 1))));
    expect(dataVersion()).toBe(before + 1);
    expect(total()).toBe(50);
  });

  test('run in order and see the writes of earlier ones', async () => {
    const add = writer();
    const query = database.query('SELECT total_deleted AS total FROM scheduler_totals', z.object({ total: z.int() }));
    const seen = await Promise.all(
      [1, 2, 3].map(() =>
        database.transaction(async (tx) => {
          add(tx, 1);
          return query.first()?.total;
        }),
      ),
    );
    expect(seen).toEqual([1, 2, 3]);
  });

  test('fail on their own: one that throws is rolled back, and the others are committed', async () => {
    const add = writer();
    const duplicate = database.command(
      'INSERT INTO scheduler_totals (id, total_cleanups, total_deleted, last_run_time) VALUES (1, 0, 0, NULL)',
    );
    const failure = new Error('no');
    const results = await Promise.allSettled([
      database.transaction(async (tx) => add(tx, 1)),
      database.transaction(async (tx) => {
        add(tx, 10);
        throw failure;
      }),
      database.transaction(async (tx) => {
        add(tx, 1000);
        duplicate.run(tx);
      }),
      database.transaction(async (tx) => add(tx, 100)),
    ]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: { code: 'STORAGE_FAILED' } },
      { status: 'fulfilled', value: 1 },
    ]);
    expect(total()).toBe(101);
  });

  test('reject after the commit, too', async () => {
    const add = writer();
    const seen: number[] = [];
    const failing = database
      .transaction(async () => {
        throw new Error('no');
      })
      .catch(() => seen.push(total()));
    await Promise.all([failing, database.transaction(async (tx) => add(tx, 1))]);
    expect(seen).toEqual([1]);
  });

  test('each run in the asynchronous context of their caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const contexts = await Promise.all(
      ['one', 'two'].map((name) => storage.run(name, () => database.transaction(async () => storage.getStore()))),
    );
    expect(contexts).toEqual(['one', 'two']);
  });

  test('are refused beyond the limit while the others commit, and accepted again afterwards', async () => {
    const add = writer();
    const transactions = Array.from({ length: queuedTransactionsMax + 1 }, () =>
      database.transaction(async (tx) => add(tx, 1)),
    );
    const last = transactions.pop();
    await expect(last).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: `more than ${queuedTransactionsMax} writes are waiting`,
      retryAfterSeconds: 1,
    });
    expect(store.failures).toEqual(['overload']);
    await Promise.all(transactions);
    expect(total()).toBe(queuedTransactionsMax);
    await expect(database.transaction(async (tx) => add(tx, 1))).resolves.toBe(1);
  });
});

describe('a transaction', () => {
  test('that awaits something other than a store is rolled back, and the next ones run', async () => {
    const add = writer();
    const never = Promise.withResolvers<void>();
    const waiting = database.transaction(async (tx) => {
      add(tx, 10);
      await never.promise;
    });
    const next = database.transaction(async (tx) => add(tx, 1));
    await expect(waiting).rejects.toThrow('waited for something other than a store');
    await next;
    expect(total()).toBe(1);
    never.resolve();
  });

  test('cannot write once it has ended', async () => {
    const add = writer();
    const leaked = await database.transaction(async (tx) => ({ tx }));
    expect(() => add(leaked.tx, 1)).toThrow('a transaction was used after its end');
    expect(total()).toBe(0);
  });

  test('that violates a constraint fails as STORAGE_FAILED, with the error of SQLite only as the cause', async () => {
    const command = database.command(
      'INSERT INTO scheduler_totals (id, total_cleanups, total_deleted, last_run_time) VALUES (1, 0, 0, NULL)',
    );
    const failure = database.transaction(async (tx) => command.run(tx));
    await expect(failure).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: 'the database failed',
      cause: { message: expect.stringContaining('UNIQUE constraint failed') },
    });
  });
});

describe('a stored row', () => {
  test('that does not parse is an error STORAGE_FAILED, never a value', () => {
    const query = database.query("SELECT 'x' AS total FROM scheduler_totals", z.object({ total: z.int() }));
    expect(() => query.first()).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }));
    expect(() => query.all()).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }));
  });
});

describe('a database that another process has locked', () => {
  test('fails writes as STORAGE_FAILED in bounded time, can still be read, and is writable again afterwards', async () => {
    const add = writer();
    const query = database.query('SELECT total_deleted AS total FROM scheduler_totals', z.object({ total: z.int() }));
    {
      await using _lock = await lockInAnotherProcess(store.file);
      const start = performance.now();
      const writes = await Promise.allSettled([
        database.transaction(async (tx) => add(tx, 1)),
        database.checkWritable(),
      ]);
      expect(performance.now() - start).toBeLessThan(busyTimeoutMs * 3);
      const locked = { code: 'STORAGE_FAILED', message: 'the database is locked by another process' };
      expect(writes).toMatchObject([
        { status: 'rejected', reason: locked },
        { status: 'rejected', reason: locked },
      ]);
      expect(query.first()).toEqual({ total: 0 });
      expect(new Set(store.failures)).toEqual(new Set(['busy']));
    }
    await database.transaction(async (tx) => add(tx, 1));
    expect(total()).toBe(1);
  });
});

describe('closing', () => {
  test('runs the queued transactions, then refuses others', async () => {
    const add = writer();
    const queued = database.transaction(async (tx) => add(tx, 5));
    await database[Symbol.asyncDispose]();
    await expect(queued).resolves.toBe(1);
    expect(total()).toBe(5);
    const closed = { code: 'STORAGE_FAILED', message: 'the database is closed' };
    await expect(database.transaction(async () => {})).rejects.toMatchObject(closed);
    await expect(database.checkWritable()).rejects.toMatchObject(closed);
  });
});

describe('the durability of commits', () => {
  test.each([
    ['normal', 1],
    ['full', 2],
  ] as const)('%s sets PRAGMA synchronous to %i', async (durability, synchronous) => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-store-'));
    await using database = openDatabase({ file: join(folder, 'hestia.db'), durability });
    const pragma = database.query('SELECT synchronous FROM pragma_synchronous', z.object({ synchronous: z.int() }));
    expect(pragma.first()).toEqual({ synchronous });
  });
});

describe('opening', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function refusal(file: string): DatabaseOpenError {
    try {
      openDatabase({ file });
    } catch (error) {
      if (error instanceof DatabaseOpenError) return error;
    }
    throw new Error('the database was not refused as DatabaseOpenError');
  }

  test('a second time finds what was written', async () => {
    const file = join(folder, 'kept.db');
    {
      await using first = openDatabase({ file });
      const command = first.command('UPDATE scheduler_totals SET total_deleted = 7');
      await first.transaction(async (tx) => command.run(tx));
    }
    await using second = openDatabase({ file });
    const query = second.query('SELECT total_deleted AS total FROM scheduler_totals', z.object({ total: z.int() }));
    expect(query.first()).toEqual({ total: 7 });
  });

  test('uses a write-ahead log and enforces foreign keys', async () => {
    const pragma = (name: string) =>
      database.query(`SELECT CAST(${name} AS TEXT) AS value FROM pragma_${name}`, z.object({ value: z.string() }));
    expect(pragma('journal_mode').first()).toEqual({ value: 'wal' });
    expect(pragma('foreign_keys').first()).toEqual({ value: '1' });
    expect(pragma('synchronous').first()).toEqual({ value: '1' });
  });

  test('refuses a file that is not a database, and does not change it', async () => {
    const file = join(folder, 'text.db');
    const text = 'this is not a database\n'.repeat(100);
    await writeFile(file, text);
    expect(refusal(file).message).toBe(`${file}: cannot open the database: file is not a database`);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test.each([0, 1])('refuses a database of another program with version %i', (version) => {
    const file = join(folder, 'other.db');
    const other = new DatabaseSync(file);
    other.exec(`CREATE TABLE recipes (name TEXT); PRAGMA user_version = ${version}`);
    other.close();
    expect(refusal(file).message).toBe(`${file}: cannot open the database: it is a database of another program`);
  });

  test('refuses a database from before the first release, and does not change it', () => {
    const file = join(folder, 'older.db');
    const older = new DatabaseSync(file);
    older.exec('CREATE TABLE kept (name TEXT); PRAGMA application_id = 1212502868; PRAGMA user_version = 1');
    older.close();
    expect(refusal(file).message).toContain('it is of version 1, from before the first release');
    using again = new DatabaseSync(file);
    expect(again.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'kept' }]);
  });

  test('upgrades a database of version 2 and keeps its content', async () => {
    const file = join(folder, 'second.db');
    await openDatabase({ file })[Symbol.asyncDispose]();
    const current = schemaOf(file);
    await rm(file);
    const second = new DatabaseSync(file);
    second.exec(
      `${schema4} ${downgradeTo3}
       DROP INDEX audit_records_by_event; CREATE INDEX audit_records_by_event ON audit_records (event);
       DROP INDEX tool_outcomes_by_tool; CREATE INDEX tool_outcomes_by_tool ON tool_outcomes (server_id);
       UPDATE write_check SET checked_at = 7; PRAGMA user_version = 2`,
    );
    second.close();
    await using database = openDatabase({ file });
    const kept = database.query('SELECT checked_at FROM write_check', z.object({ checked_at: z.int() }));
    expect(kept.first()).toEqual({ checked_at: 7 });
    expect(schemaOf(file)).toEqual(current);
  });

  test('upgrades a database of version 5: its content is kept, and logins can be stored', async () => {
    const file = join(folder, 'fifth.db');
    await openDatabase({ file })[Symbol.asyncDispose]();
    const current = schemaOf(file);
    await rm(file);
    const fifth = new DatabaseSync(file);
    fifth.exec(`${schema5}
      INSERT INTO api_keys (key_id, agent_id, namespace, role, secret_hash, created_at)
      VALUES ('k', 'bot', 'default', 'agent', 'hash', 7);`);
    fifth.close();
    await using database = openDatabase({ file });
    const keys = database.query('SELECT agent_id AS agentId FROM api_keys', z.object({ agentId: z.string() }));
    expect(keys.all()).toEqual([{ agentId: 'bot' }]);
    const logins = database.query('SELECT agent FROM server_logins', z.object({ agent: z.string() }));
    expect(logins.all()).toEqual([]);
    expect(schemaOf(file)).toEqual(current);
  });

  test('upgrades the skills of version 3: their content and digests are kept, with a SKILL.md written for them', async () => {
    const file = join(folder, 'third.db');
    const third = new DatabaseSync(file);
    const document = {
      frontmatter: { name: 'a', description: 'Use when: asked.', allowedTools: ['Read', 'Bash(x y)'] },
      instructions: '# Steps',
      files: [
        { path: 'a.bin', content: '/wD+', encoding: 'base64' },
        { path: 'b.md', content: 'ü', encoding: 'utf-8' },
      ],
      digest: 'digest-1',
    };
    third.exec(`${schema4} ${downgradeTo3}
      INSERT INTO skills VALUES ('skl_1', 'default', 'a', 'owner', 'directory', 1, 'Use when: asked.', 1, 1, NULL);
      INSERT INTO skill_versions (skill_id, version, published_by, created_at, document)
        VALUES ('skl_1', 1, 'owner', 1, '${JSON.stringify(document)}');`);
    third.close();
    await using database = openDatabase({ file });
    const skills = createSkillStore(database);
    expect(await skills.findDigest('skl_1', 1)).toBe('digest-1');
    const upgraded = await skills.findVersion('skl_1', 1);
    expect(upgraded?.document).toEqual({
      ...document,
      attributes: { name: 'a', description: 'Use when: asked.', 'allowed-tools': 'Read Bash(x y)' },
      source: expect.stringMatching(/^---\nname: a\n[\s\S]*\n---\n\n# Steps\n$/),
      warnings: [],
    });
    expect(parseSkillDocument({ document: upgraded?.document.source ?? '', files: [] })).toMatchObject({
      frontmatter: document.frontmatter,
      instructions: '# Steps',
    });
    using connection = new DatabaseSync(file);
    expect(() => connection.exec('UPDATE skill_versions SET version = 2')).toThrow('immutable');
  });

  test('refuses a database of a newer version', () => {
    const file = join(folder, 'newer.db');
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(refusal(file).message).toContain('it is of version 99, and this hub supports versions up to 8 only');
  });

  test('refuses a path that cannot be written, in one line that names it', async () => {
    const plain = join(folder, 'plain');
    await writeFile(plain, '');
    const file = join(plain, 'hestia.db');
    expect(refusal(file).message).toBe(`${file}: cannot open the database: unable to open database file`);
    expect(refusal(join(folder, 'a\nb', 'hestia.db')).message).not.toContain('\n');
  });
});

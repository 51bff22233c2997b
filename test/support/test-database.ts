/** A database of its own for a test, in a real file, and a second connection that sees only what is committed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Database, openDatabase } from '../../src/stores/database.ts';

/** A database for one test; dispose it to close it and remove its folder. */
export interface TestDatabase extends AsyncDisposable {
  database: Database;
  file: string;
  /** Another connection, for looking past the stores and for tampering. */
  outside: DatabaseSync;
}

/** Opens a new database in a folder of its own. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-'));
  const file = join(folder, 'hestia.db');
  const database = openDatabase({ file });
  const outside = new DatabaseSync(file);
  return {
    database,
    file,
    outside,
    async [Symbol.asyncDispose]() {
      outside.close();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const holdLock = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN IMMEDIATE');
  console.log('locked');
  process.stdin.resume().on('end', () => database.exec('ROLLBACK'));
`;

/** Has another process lock the file for writing; dispose it to end that process. */
export async function lockInAnotherProcess(file: string): Promise<AsyncDisposable> {
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

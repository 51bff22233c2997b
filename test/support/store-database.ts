/** A temporary database for the tests of the stores. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StorageErrorType } from '../../src/shapes/storage.ts';
import { type Database, openDatabase } from '../../src/stores/database.ts';

/** A database under test. Disposing closes and deletes it. */
export interface StoreDatabase extends AsyncDisposable {
  database: Database;
  folder: string;
  file: string;
  /** The failures reported so far. */
  failures: StorageErrorType[];
}

/** Opens an empty database. */
export async function openStoreDatabase(): Promise<StoreDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-store-'));
  const file = join(folder, 'hestia.db');
  const failures: StorageErrorType[] = [];
  const database = openDatabase({ file, onFailure: (type) => failures.push(type) });
  return {
    database,
    folder,
    file,
    failures,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs statements on a database file after dropping all triggers, as the owner of the file could. */
export function tamperWith(file: string, statements: readonly string[]): void {
  const connection = new DatabaseSync(file);
  const triggers = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) connection.exec(statement);
  connection.close();
}

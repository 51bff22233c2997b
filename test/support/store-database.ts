/** A database in a folder of its own, for the tests of the stores. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/stores/database.ts';

/** A database under test. Disposing it closes and removes it. */
export interface StoreDatabase extends AsyncDisposable {
  database: Database;
  folder: string;
  file: string;
}

/** Opens an empty database. */
export async function openStoreDatabase(): Promise<StoreDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-store-'));
  const file = join(folder, 'hestia.db');
  const database = openDatabase({ file });
  return {
    database,
    folder,
    file,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

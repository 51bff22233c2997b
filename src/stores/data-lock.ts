/**
 * The lock of the data directory, which only one hub may use at a time.
 * The operating system releases it when the process exits, for whatever reason. It is held on a separate file, so that other
 * programs can read the database.
 */
import { DatabaseSync } from 'node:sqlite';
import { DatabaseOpenError } from './storage-error.ts';

/**
 * Acquires the lock, on a file next to the database file. Disposing releases it.
 * @throws DatabaseOpenError if another process holds the lock, or the file cannot be written
 */
export function lockDataDirectory({ databaseFile }: { databaseFile: string }): Disposable {
  const file = `${databaseFile}.lock`;
  let holder: DatabaseSync | undefined;
  try {
    holder = new DatabaseSync(file, { timeout: 0 });
    // SQLite's lock is a file lock of the operating system, and the file needs no content.
    holder.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    holder?.close();
    throw new DatabaseOpenError(databaseFile, new Error('another hub is using this data directory', { cause }));
  }
  const held = holder;
  return { [Symbol.dispose]: () => held.close() };
}

/**
 * One hub for one data directory: an exclusive lock that the operating system gives back when the process ends, however
 * it ends. Held on a file of its own, so that other programs may read the database.
 */
import { DatabaseSync } from 'node:sqlite';
import { DatabaseOpenError } from './storage-error.ts';

/**
 * Takes the lock beside the database file; disposing gives it back.
 * @throws DatabaseOpenError where another process holds it, or the file cannot be written
 */
export function lockData({ databaseFile }: { databaseFile: string }): Disposable {
  const file = `${databaseFile}.lock`;
  let holder: DatabaseSync | undefined;
  try {
    holder = new DatabaseSync(file, { timeout: 0 });
    // A lock of SQLite is one of the operating system, and needs no content.
    holder.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    holder?.close();
    throw new DatabaseOpenError(databaseFile, new Error('another hub is using this data directory', { cause }));
  }
  const held = holder;
  return { [Symbol.dispose]: () => held.close() };
}

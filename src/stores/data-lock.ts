/**
 * The lock of the data directory, which only one hub may use at a time.
 * It is held on a separate file, so that other programs can read the database.
 */
import { lockFile } from '../flow/file-lock.ts';
import { DatabaseOpenError } from './storage-error.ts';

/**
 * Acquires the lock, on a file next to the database file. Disposing releases it.
 * @throws DatabaseOpenError if another process holds the lock, or the file cannot be written
 */
export function lockDataDirectory({ databaseFile }: { databaseFile: string }): Disposable {
  try {
    return lockFile(`${databaseFile}.lock`);
  } catch (cause) {
    throw new DatabaseOpenError(databaseFile, new Error('another hub is using this data directory', { cause }));
  }
}

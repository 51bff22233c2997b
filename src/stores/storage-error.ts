/** What goes wrong below the stores, told apart once: a start that fails, and a read or write that fails. */
import { HestiaError } from '../shapes/error.ts';
import type { StorageErrorType } from '../shapes/storage.ts';
import { printable, truncated } from '../shapes/text.ts';

/** The database cannot be opened. The message is one printable line: the file, and why. It stops the start. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError';

  constructor(file: string, reason: unknown) {
    const text = reason instanceof Error ? reason.message : String(reason);
    super(truncated(printable(`${file}: cannot open the database: ${text}`), 500), { cause: reason });
  }
}

/** Makes the error that leaves the stores of what went wrong below them; a HestiaError is passed as it is. */
export type StorageFailure = (cause: unknown) => HestiaError;

/**
 * STORAGE_FAILED for a failure of SQLite or for a stored row that does not parse; `onFailure` hears of each, once.
 * The cause stays inside; the public text tells only a locked database from a failing one.
 */
export function createStorageFailure(onFailure: (type: StorageErrorType) => void): StorageFailure {
  return (cause) => {
    if (cause instanceof HestiaError) return cause;
    const type = storageErrorType(cause);
    onFailure(type);
    const message = type === 'busy' ? 'the database is locked by another process' : 'the database failed';
    return new HestiaError('STORAGE_FAILED', message, { cause });
  };
}

/** Primary result codes (sqlite.org/rescode.html). */
const errorTypes: Readonly<Record<number, StorageErrorType>> = {
  5: 'busy',
  6: 'busy',
  8: 'readonly',
  10: 'io',
  11: 'corrupt',
  13: 'full',
  14: 'io',
  26: 'corrupt',
};

/** Whether SQLite refused because another process holds the lock. */
export function isBusy(cause: unknown): boolean {
  return storageErrorType(cause) === 'busy';
}

// The low byte of an extended result code is the primary one.
function storageErrorType(cause: unknown): StorageErrorType {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return 'other';
  return errorTypes[cause.errcode & 0xff] ?? 'other';
}

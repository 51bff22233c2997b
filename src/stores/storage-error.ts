/** The errors of the database: one for opening it, and one for each failed read or write. */
import { HestiaError } from '../shapes/error.ts';
import type { StorageErrorType } from '../shapes/storage.ts';
import { printable, truncated } from '../shapes/text.ts';

/** The database cannot be opened, and the hub does not start. The message is one printable line: the file and the reason. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError';

  constructor(file: string, reason: unknown) {
    const text = reason instanceof Error ? reason.message : String(reason);
    super(truncated(printable(`${file}: cannot open the database: ${text}`), 500), { cause: reason });
  }
}

/** Converts an error from below the stores to the error that they throw. A HestiaError is returned unchanged. */
export type StorageFailure = (cause: unknown) => HestiaError;

/**
 * Creates the conversion to STORAGE_FAILED of SQLite's errors and of stored rows that do not parse. `onFailure` is called once
 * for each. The error is kept as the cause; the public message only distinguishes a locked database from a failing one.
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

/** The reason of an error of SQLite; `other` for anything else. The low byte of an extended result code is the primary one. */
export function storageErrorType(cause: unknown): StorageErrorType {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return 'other';
  return errorTypes[cause.errcode & 0xff] ?? 'other';
}

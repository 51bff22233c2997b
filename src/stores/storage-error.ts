/** What goes wrong below the stores, told apart once: a start that fails, and a read or write that fails. */
import { HestiaError } from '../shapes/error.ts';
import { printable, truncated } from '../shapes/text.ts';

/** The database cannot be opened. The message is one printable line: the file, and why. It stops the start. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError';

  constructor(file: string, reason: unknown) {
    const text = reason instanceof Error ? reason.message : String(reason);
    super(truncated(printable(`${file}: cannot open the database: ${text}`), 500), { cause: reason });
  }
}

const sqliteBusy = 5;

/**
 * STORAGE_FAILED for a failure of SQLite or for a stored row that does not parse. A HestiaError is passed as it is.
 * The cause stays inside; the public text tells only a locked database from a failing one.
 */
export function storageFailed(cause: unknown): HestiaError {
  if (cause instanceof HestiaError) return cause;
  const message = isBusy(cause) ? 'the database is locked by another process' : 'the database failed';
  return new HestiaError('STORAGE_FAILED', message, { cause });
}

// The low byte of an extended result code is the primary one (sqlite.org/rescode.html).
function isBusy(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    'errcode' in cause &&
    typeof cause.errcode === 'number' &&
    (cause.errcode & 0xff) === sqliteBusy
  );
}

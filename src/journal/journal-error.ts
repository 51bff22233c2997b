/** The errors of the journal: one for opening it, and one for each failed read or write. */
import { systemErrorCode } from '../flow/system-error.ts';
import { HestiaError } from '../shapes/error.ts';
import type { StorageErrorType } from '../shapes/storage.ts';
import { printable, truncated } from '../shapes/text.ts';

/** The longest message, in UTF-16 units. It names paths, and ends with what to do. */
const messageLengthMax = 2000;

/**
 * The journal cannot be opened, or is not the journal that was signed, and the hub does not start. The message is one
 * printable line: the folder, the reason and what to do.
 */
export class JournalOpenError extends Error {
  override readonly name = 'JournalOpenError';
  /** Whether the journal is not what was signed or appended, which is an alarm. */
  readonly isBroken: boolean;

  constructor(directory: string, reason: unknown) {
    const text = reason instanceof Error ? reason.message : String(reason);
    super(truncated(printable(`${directory}: cannot open the journal: ${text}`), messageLengthMax), { cause: reason });
    this.isBroken = reason instanceof JournalError && reason.type === 'corrupt';
  }
}

/** A failed read or write of the journal: STORAGE_FAILED with the reason of the closed list. */
export class JournalError extends HestiaError {
  readonly type: StorageErrorType;

  constructor(type: StorageErrorType, message: string, details: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super('STORAGE_FAILED', message, details);
    this.type = type;
  }
}

/** Error codes of the operating system (errno(3)). */
const errorTypes: Readonly<Record<string, StorageErrorType>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EROFS: 'readonly',
  EACCES: 'readonly',
  EPERM: 'readonly',
  EIO: 'io',
  ENOENT: 'io',
  ENXIO: 'io',
  EBADF: 'io',
  EMFILE: 'io',
  ENFILE: 'io',
};

/** Converts an error of the file system to a JournalError. A JournalError is returned unchanged. */
export function journalFailure(cause: unknown): JournalError {
  if (cause instanceof JournalError) return cause;
  const type = errorTypes[systemErrorCode(cause) ?? ''] ?? 'other';
  return new JournalError(type, type === 'full' ? 'the disk of the journal is full' : 'the journal failed', { cause });
}

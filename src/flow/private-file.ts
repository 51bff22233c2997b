/**
 * Files that only their owner may read (mode 0600), whatever existed before.
 * A symbolic link is refused instead of followed, so that nobody who may write to the folder redirects what the hub writes.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { systemErrorCode } from './system-error.ts';

/** The permissions of a private file. */
export const privateFileMode = 0o600;

/** Flags with which a file is appended to, and created if it is missing, but not if it is a symbolic link. */
export const privateAppendFlags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const othersMask = 0o077;
const unopenedCodes: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EROFS',
  'EMFILE',
  'ENFILE',
]);

/** Opens a file for appending, and creates it if it is missing. Its mode becomes 0600. @throws Error for a symbolic link, or of the file system */
export function openPrivateFile(path: string): number {
  return opened(path, privateAppendFlags);
}

/** Creates the file if it is missing, and makes its mode 0600 if others may read it. @throws as {@link openPrivateFile} */
export function ensurePrivateFile(path: string): void {
  closeSync(openPrivateFile(path));
}

/** Sets the mode of a file to 0600 if others may read it. Does nothing if it is missing. @throws as {@link openPrivateFile} */
export function restrictFile(path: string): void {
  try {
    closeSync(opened(path, readFlags));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

/** As {@link ensurePrivateFile}, for a database of SQLite: the files beside it get its mode when SQLite creates them. */
export function ensurePrivateDatabase(path: string): void {
  try {
    ensurePrivateFile(path);
  } catch (error) {
    // SQLite reports a file that cannot be opened itself.
    if (!unopenedCodes.has(systemErrorCode(error) ?? '')) throw error;
  }
  for (const suffix of ['-wal', '-shm', '-journal']) restrictFile(`${path}${suffix}`);
}

/** Replaces the file as a whole, after a sync, so that a crash leaves the old content or the new one. @throws Error of the file system */
export function writePrivateFile(path: string, text: string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const descriptor = openSync(draft, 'wx', privateFileMode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  // A symbolic link at the path is replaced, not followed.
  renameSync(draft, path);
}

function opened(path: string, flags: number): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, flags, privateFileMode);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ELOOP') throw cause;
    throw new Error(`${path} is a symbolic link, which is not followed`, { cause });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error(`${path} is not a regular file`);
    if ((status.mode & othersMask) !== 0) fchmodSync(descriptor, privateFileMode);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

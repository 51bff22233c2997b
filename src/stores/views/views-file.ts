/**
 * The SQLite file of the views: opening for writing and for reading, and deleting it.
 * It holds only what can be derived from the journal again, so a file that cannot be used is deleted.
 */
import { readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ensurePrivateDatabase } from '../../flow/private-file.ts';
import { readIdentity } from '../sqlite/file-identity.ts';

/** The version of views.sql. A file of another version is built anew. */
const viewsVersion = 3;
// 'HEVV' in ASCII, as views.sql sets it.
const applicationId = 0x48455656;
const schema = readFileSync(new URL('./views.sql', import.meta.url), 'utf8');

/** How long a statement waits for a lock that another process holds, in milliseconds. */
const busyTimeoutMs = 1000;
/** The page cache of the writer, in KiB, so that the upper pages of the indexes stay in memory. */
const writerCacheKib = 16_384;
/** The write-ahead log is truncated to this size after a checkpoint. */
const logBytesMax = 16_777_216;

/** The file is not one of views, or of another version of them. */
export class ViewsFileError extends Error {
  override readonly name = 'ViewsFileError';
}

/**
 * Opens the file for writing, and creates it if it is missing.
 * @throws ViewsFileError if it holds something else; what SQLite throws
 */
export function openViewsWriter(file: string): DatabaseSync {
  ensurePrivateDatabase(file);
  const connection = new DatabaseSync(file, {
    timeout: busyTimeoutMs,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
    defensive: true,
  });
  try {
    const found = readIdentity(connection);
    const isEmpty = found.tables === 0;
    if (!isEmpty && (found.application !== applicationId || found.version !== viewsVersion)) {
      throw new ViewsFileError(`${file}: not the views of this version`);
    }
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${logBytesMax};
      PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${writerCacheKib}`);
    if (isEmpty) connection.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Opens the file for reading. The thread that writes must have opened it before. @throws what SQLite throws */
export function openViewsReader(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs, enableDoubleQuotedStringLiterals: false });
}

/** Deletes the file with its write-ahead log, which must not be applied to a new file. No connection may be open. */
export function deleteViewsFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true });
}

/**
 * A lock on a file, which only one process may hold at a time.
 * The operating system releases it when the process exits, for whatever reason, so that no lock outlives its holder.
 */
import { DatabaseSync } from 'node:sqlite';
import { ensurePrivateFile } from './private-file.ts';

/**
 * Acquires the lock on `file`, which is created and needs no content. Disposing releases it. It is SQLite's file lock, since Node
 * has none of its own.
 * @throws Error if another process holds the lock, or the file cannot be written
 */
export function lockFile(file: string): Disposable {
  let holder: DatabaseSync | undefined;
  try {
    ensurePrivateFile(file);
    holder = new DatabaseSync(file, { timeout: 0 });
    holder.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    holder?.close();
    throw cause;
  }
  const held = holder;
  return { [Symbol.dispose]: () => held.close() };
}

/** A consistent copy of an SQLite database that another process may write to, and its check. */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { privateFileMode } from '../../flow/private-file.ts';

/** How long the copy waits for a lock, in milliseconds. Writers of a hub hold none for longer than a commit. */
const lockTimeoutMs = 10_000;

/** Copies the database to a new file, as it is at one moment. @throws what SQLite throws; Error of the file system */
export function copyDatabase(file: string, copy: string): void {
  using connection = new DatabaseSync(file, { readOnly: true, timeout: lockTimeoutMs });
  connection.prepare('VACUUM INTO ?').run(copy);
  chmodSync(copy, privateFileMode);
}

/** What is wrong with the pages of a database; undefined if nothing is. @throws what SQLite throws */
export function databaseFault(file: string): string | undefined {
  using connection = new DatabaseSync(file, { readOnly: true });
  const found = connection.prepare('PRAGMA quick_check(1)').get();
  const text = String(Object.values(found ?? {})[0]);
  return text === 'ok' ? undefined : text;
}

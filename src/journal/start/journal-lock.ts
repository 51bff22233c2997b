/**
 * The lock of the journal's folder: one process writes, and a second one learns who that is.
 * The operating system releases the lock with its process, so that the lock of a process that died is free.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { lockFile } from '../../flow/file-lock.ts';
import { writePrivateFile } from '../../flow/private-file.ts';
import { systemErrorCode } from '../../flow/system-error.ts';
import { parsedJson } from '../../shapes/json.ts';
import { isoTime } from '../../shapes/time.ts';
import { JournalOpenError } from '../journal-error.ts';

/** Who holds the lock. It is written for people, and is stale while nobody holds the lock. */
const holderSchema = z.object({ pid: z.int(), host: z.string(), since: z.string() });

/**
 * Acquires the lock of the folder, which must exist. Disposing releases it.
 * @throws JournalOpenError if another process holds it, with its process id, or if the folder cannot be written
 */
export function lockJournal({ directory, now }: { directory: string; now: number }): Disposable {
  const holderFile = join(directory, 'lock.holder');
  let lock: Disposable | undefined;
  try {
    lock = lockFile(join(directory, 'lock'));
    const holder = { pid: process.pid, host: hostname(), since: isoTime(now) };
    writePrivateFile(holderFile, `${JSON.stringify(holder)}\n`);
    return lock;
  } catch (cause) {
    lock?.[Symbol.dispose]();
    const code = systemErrorCode(cause);
    const isHeld = code === 'ERR_SQLITE_ERROR' && cause instanceof Error && /locked/.test(cause.message);
    throw new JournalOpenError(directory, new Error(isHeld ? heldText(holderFile) : unwritableText(cause), { cause }));
  }
}

function heldText(holderFile: string): string {
  const holder = holderSchema.safeParse(parsedJson(readHolder(holderFile)));
  if (!holder.success) return 'another process is writing to it';
  const { pid, host, since } = holder.data;
  return `process ${pid} on ${host} has been writing to it since ${since}; stop it first`;
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function unwritableText(cause: unknown): string {
  return `the folder cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/**
 * Sets an audit trail aside, so that the hub starts a new one.
 * For the case that the hub refuses to start because the journal is not the one that was signed, and cannot be restored.
 * Nothing is deleted: what is moved is the evidence.
 */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemErrorCode } from '../../flow/system-error.ts';
import { isoTime } from '../../shapes/time.ts';
import { lockDataDirectory } from '../../stores/data-lock.ts';

/** What was moved, by name, and the new folder that it is in. */
export interface SetAside {
  folder: string;
  moved: string[];
}

/** The journal, its views, and the keys that signed it. The key of content digests stays: it signs nothing. */
const namePattern = /^(?:journal|views\.db.*|audit-signing\..*key)$/;

/**
 * Moves the journal, the head file and the signing keys to a new folder in the data directory. May be repeated after a failure.
 * @throws DatabaseOpenError if a hub is using the data directory; an error of the file system
 */
export async function setAsideTrail({
  dataDirectory,
  headFile,
  now,
}: {
  dataDirectory: string;
  headFile: string;
  /** In Unix milliseconds. */
  now: number;
}): Promise<SetAside> {
  using _lock = lockDataDirectory({ databaseFile: join(dataDirectory, 'hestia.db') });
  const names = (await readdir(dataDirectory)).filter((name) => namePattern.test(name));
  const folder = join(dataDirectory, `audit-set-aside-${isoTime(now).replaceAll(':', '-')}`);
  await mkdir(folder, { mode: 0o700 });
  const moved: string[] = [];
  // The head goes last: where a step before fails, the hub still refuses to start, since it finds a head.
  for (const file of [...names.map((name) => join(dataDirectory, name)), headFile])
    if (await isMoved(file, join(folder, basename(file)))) moved.push(file);
  return { folder, moved };
}

/** Moves a file or a folder, also to another volume. Reports whether there was one. */
async function isMoved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return false;
    if (code !== 'EXDEV') throw error;
  }
  await cp(from, to, { recursive: true, preserveTimestamps: true });
  await rm(from, { recursive: true });
  return true;
}

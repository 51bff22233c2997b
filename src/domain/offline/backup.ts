/**
 * A consistent copy of the data of a running or stopped hub: database, journal and keys.
 * The order makes it consistent: the database at one moment, then the signed heads, then the records, then the hash tiles and the
 * keys. The journal is thus never behind what was signed, nor behind a change in the database.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { privateFileMode, writePrivateFile } from '../../flow/private-file.ts';
import { systemErrorCode } from '../../flow/system-error.ts';
import { newestCheckpointLine } from '../../journal/checkpoint-files.ts';
import { listSegments, segmentsFolder } from '../../journal/segments/segment.ts';
import { readSegments } from '../../journal/segments/segment-reader.ts';
import type { AuditVerdict } from '../../shapes/audit-log/verdict.ts';
import { isoTime } from '../../shapes/time.ts';
import { copyDatabase } from '../../stores/sqlite/database-copy.ts';
import { verifyJournalFolder } from '../audit/verification/journal-folder.ts';
import { trustedKey } from '../audit/verification/key-ring.ts';
import { BackupError } from './backup-error.ts';

/** The file that lists all others of a backup with their SHA-256. */
export const manifestName = 'backup.json';

/** What a backup consists of. Paths are relative to its folder. */
export const backupManifestSchema = z.strictObject({
  format: z.literal(1),
  version: z.string(),
  createdAt: z.iso.datetime(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int().min(0), sha256: z.string() })),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/** A finished backup, and the verdict over its trail. */
export interface Backup {
  folder: string;
  manifest: BackupManifest;
  verdict: AuditVerdict;
}

/** The names in the data directory that a backup has besides the database and the journal. */
const keyPattern = /\.key$/;
/** Files of the journal that name what was signed. They are copied before the records that they sign. */
const headNames = ['checkpoint', 'checkpoints.ndjson', 'cosigned.ndjson'];
/** How often the records are copied again, because retention deleted some of them meanwhile. */
const attemptsMax = 5;
const folderMode = 0o700;

/** What to copy, and where to. */
export interface BackupRequest {
  dataDirectory: string;
  /** The file of the signed head, which may be outside of the data directory. */
  headFile: string;
  /** The new folder. */
  folder: string;
  version: string;
  /** In Unix milliseconds. */
  now: number;
}

/**
 * Writes a backup, and verifies its trail. The folder appears once it is complete. Nothing of the hub is changed or waited for.
 * @throws BackupError; Error of the file system or of SQLite
 */
export async function backUp({ dataDirectory, headFile, folder, version, now }: BackupRequest): Promise<Backup> {
  const database = join(dataDirectory, 'hestia.db');
  if (!existsSync(database)) throw new BackupError(`${dataDirectory}: holds no data of a hub`);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new BackupError(`${folder}: is not empty`);
  const draft = `${folder}.incomplete-${process.pid}`;
  try {
    await mkdir(draft, { recursive: true, mode: folderMode });
    copyDatabase(database, join(draft, 'hestia.db'));
    await copyIfPresent(headFile, join(draft, 'audit.head'));
    await copyJournal(join(dataDirectory, 'journal'), join(draft, 'journal'));
    for (const name of readdirSync(dataDirectory).filter((one) => keyPattern.test(one)))
      await copyIfPresent(join(dataDirectory, name), join(draft, name));
    const verdict = await verifyCopy(draft);
    const files: BackupManifest['files'] = [];
    for (const path of await filesBelow(draft)) files.push(await described(draft, path));
    const manifest: BackupManifest = { format: 1, version, createdAt: isoTime(now), files };
    writePrivateFile(join(draft, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await rename(draft, folder);
    return { folder, manifest, verdict };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Verifies the trail of a copy with its own keys. @throws BackupError if it does not hold */
export async function verifyCopy(folder: string): Promise<AuditVerdict> {
  const keys = readdirSync(folder)
    .filter((name) => /^audit-signing\..*key$/.test(name))
    .map((name) => trustedKey(readFileSync(join(folder, name), 'utf8').replace(/^signs until .*\n/, '')));
  if (keys.length === 0) throw new BackupError(`${folder}: has no key that signs the trail`);
  const head = join(folder, 'audit.head');
  const kept = existsSync(head) ? [readFileSync(head, 'utf8')] : [];
  const journal = join(folder, 'journal');
  const newest = await newestCheckpointLine(journal);
  // A hub signs its first records after a minute.
  if (newest?.size === 0) return unsigned(journal);
  const verdict = await verifyJournalFolder(journal, { keys, kept, allowUnsignedTail: true });
  if (verdict.intact) return verdict;
  const { seq, reason } = verdict.firstBad ?? { seq: 0, reason: 'it does not verify' };
  throw new BackupError(`${folder}: the audit trail does not hold: record ${seq}: ${reason}`);
}

/** The verdict over a trail of which nothing is signed yet. */
async function unsigned(journal: string): Promise<AuditVerdict> {
  let records = 0;
  for await (const page of readSegments(journal, { from: 1, to: Number.POSITIVE_INFINITY })) records += page.length;
  return { intact: true, recordsChecked: records, checkpointsChecked: 0, recordsUncovered: records };
}

/** The paths of all files below a folder, relative to it, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => file.slice(folder.length + 1)).toSorted();
}

async function described(folder: string, path: string): Promise<BackupManifest['files'][number]> {
  const file = join(folder, path);
  return { path, bytes: statSync(file).size, sha256: await fileDigest(file) };
}

/** The SHA-256 of a file, in hex. */
export async function fileDigest(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}

async function copyJournal(from: string, to: string): Promise<void> {
  await mkdir(segmentsFolder(to), { recursive: true, mode: folderMode });
  for (const name of headNames) await copyIfPresent(join(from, name), join(to, name));
  await copySegments(from, to);
  const tiles = join(from, 'tile');
  for (const path of existsSync(tiles) ? await filesBelow(tiles) : []) {
    await mkdir(dirname(join(to, 'tile', path)), { recursive: true, mode: folderMode });
    await copyIfPresent(join(tiles, path), join(to, 'tile', path));
  }
}

async function copySegments(from: string, to: string, attempt = 1): Promise<void> {
  const segments = await listSegments(from);
  if (segments.length === 0) throw new BackupError(`${from}: the journal has no records`);
  for (const { file } of segments) {
    const isCopied = await copyIfPresent(file, join(segmentsFolder(to), basename(file)));
    if (isCopied) continue;
    if (attempt === attemptsMax) throw new BackupError(`${file}: was deleted while it was copied; try again`);
    // Retention has deleted it. What was copied before it is gone by now, too.
    return copySegments(from, to, attempt + 1);
  }
  const last = segments.at(-1);
  if (last !== undefined) await cutToLines(join(segmentsFolder(to), basename(last.file)));
}

/** Cuts an incomplete last line, which a hub was writing. */
async function cutToLines(file: string): Promise<void> {
  const end = readFileSync(file).lastIndexOf('\n') + 1;
  if (end === statSync(file).size) return;
  await using handle = await open(file, 'r+');
  await handle.truncate(end);
}

/** Copies a file, for its owner only. Reports whether there was one. */
async function copyIfPresent(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
  await chmod(to, privateFileMode);
  return true;
}

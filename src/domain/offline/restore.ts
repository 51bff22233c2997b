/** Restores a backup into an empty directory, after every file of it was compared with its digest. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { privateFileMode } from '../../flow/private-file.ts';
import { systemErrorCode } from '../../flow/system-error.ts';
import { parsedJson } from '../../shapes/json.ts';
import { databaseFault } from '../../stores/sqlite/database-copy.ts';
import {
  type Backup,
  type BackupManifest,
  backupManifestSchema,
  fileDigest,
  filesBelow,
  manifestName,
  verifyCopy,
} from './backup.ts';
import { BackupError } from './backup-error.ts';

const folderMode = 0o700;

/**
 * Restores a backup. The directory appears once it is complete and its trail was verified: a failure leaves nothing behind.
 * @param headFile where the signed head goes, if it is not in the data directory; it must not exist
 * @throws BackupError; Error of the file system or of SQLite
 */
export async function restoreBackup({
  folder,
  dataDirectory,
  headFile,
}: {
  folder: string;
  dataDirectory: string;
  headFile?: string | undefined;
}): Promise<Backup> {
  const manifest = readManifest(folder);
  await assertComplete(folder, manifest);
  if (existsSync(dataDirectory) && readdirSync(dataDirectory).length > 0)
    throw new BackupError(`${dataDirectory}: is not empty; restore into an empty directory`);
  if (headFile !== undefined && existsSync(headFile)) throw new BackupError(`${headFile}: exists already`);
  const draft = `${dataDirectory}.restoring-${process.pid}`;
  try {
    await mkdir(draft, { recursive: true, mode: folderMode });
    for (const file of manifest.files) await restoreFile(file, { folder, draft });
    const fault = databaseFault(join(draft, 'hestia.db'));
    if (fault !== undefined) throw new BackupError(`${folder}: the database is damaged: ${fault}`);
    const verdict = await verifyCopy(draft);
    if (headFile !== undefined) {
      await copyFile(join(draft, 'audit.head'), headFile);
      await chmod(headFile, privateFileMode);
    }
    await rename(draft, dataDirectory);
    return { folder: dataDirectory, manifest, verdict };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function readManifest(folder: string): BackupManifest {
  const file = join(folder, manifestName);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    throw new BackupError(`${file}: cannot be read (${code}): the folder is no complete backup`, { cause });
  }
  const parsed = backupManifestSchema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new BackupError(`${file}: is not the list of a backup of this version`);
}

/** @throws BackupError if the folder has other files than the manifest lists */
async function assertComplete(folder: string, { files }: BackupManifest): Promise<void> {
  const found = new Set(await filesBelow(folder));
  found.delete(manifestName);
  for (const { path } of files) {
    if (isAbsolute(path) || normalize(path) !== path || path.startsWith('..'))
      throw new BackupError(`${folder}: lists ${path}, which is not in it`);
    if (!found.delete(path)) throw new BackupError(`${join(folder, path)}: is missing`);
  }
  const [other] = found;
  if (other !== undefined) throw new BackupError(`${join(folder, other)}: does not belong to the backup`);
}

async function restoreFile(
  { path, sha256 }: BackupManifest['files'][number],
  { folder, draft }: { folder: string; draft: string },
): Promise<void> {
  const copy = join(draft, path);
  await mkdir(dirname(copy), { recursive: true, mode: folderMode });
  await copyFile(join(folder, path), copy);
  await chmod(copy, privateFileMode);
  if ((await fileDigest(copy)) === sha256) return;
  throw new BackupError(
    `${join(folder, path)}: was changed since the backup: its SHA-256 is not the one in ${manifestName}`,
  );
}

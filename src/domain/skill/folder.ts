/**
 * Skill folders on disk: which there are in a directory, and what one holds, read within limits.
 * Reads only. A link that leads out of a skill's folder is never followed; hidden files and `node_modules` do not exist.
 */
import { constants, type Dirent } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { systemErrorCode } from '../../flow/system-error.ts';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import { type SkillDocument, type SkillFile, skillLimits } from '../../shapes/skill.ts';
import { invalidSkill, parseSkillDocument, skillFileName } from './document.ts';
import { shown } from './frontmatter.ts';

/** Skill folders taken from one directory. */
export const skillFoldersMax = 1000;

const folderEntriesMax = 2000;

/**
 * What a configured directory holds. `isSkill`: it has a SKILL.md itself and is the one skill folder listed.
 * `complete` is false where it holds more than {@link skillFoldersMax}. Symbolic links are left out of `folders`.
 */
export type DirectoryListing =
  | { outcome: 'listed'; folders: string[]; isSkill: boolean; complete: boolean }
  | { outcome: 'missing' }
  | { outcome: 'unreadable'; errorCode: string };

/**
 * What a folder holds: no SKILL.md, a skill, or one that cannot be read or breaks the specification.
 * `leftOut` names links that lead out of the folder, relative to it.
 */
export type SkillFolderReading =
  | { outcome: 'absent' }
  | { outcome: 'skill'; document: SkillDocument; leftOut: string[] }
  | { outcome: 'broken'; error: HestiaError };

/** Whether watching and reading pass over an entry of this name. */
export function isIgnoredName(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules';
}

/** The code of a failed file operation, such as `EACCES`; `UNKNOWN` for anything else. */
export function fileErrorCode(error: unknown): string {
  return systemErrorCode(error) ?? 'UNKNOWN';
}

/** Lists the skill folders in a directory, as absolute paths in the order of their names. Never throws. */
export async function listSkillFolders(directory: string): Promise<DirectoryListing> {
  try {
    if (await hasSkillFile(directory)) {
      return { outcome: 'listed', folders: [directory], isSkill: true, complete: true };
    }
    const entries = await readdir(directory, { withFileTypes: true });
    const candidates = entries.filter((entry) => entry.isDirectory() && !isIgnoredName(entry.name));
    const folders: string[] = [];
    for (const name of candidates.map((entry) => entry.name).sort()) {
      if (await hasSkillFile(join(directory, name))) folders.push(join(directory, name));
      if (folders.length > skillFoldersMax) break;
    }
    const complete = folders.length <= skillFoldersMax;
    return { outcome: 'listed', folders: folders.slice(0, skillFoldersMax), isSkill: false, complete };
  } catch (error) {
    if (isAbsence(error)) return { outcome: 'missing' };
    return { outcome: 'unreadable', errorCode: fileErrorCode(error) };
  }
}

/**
 * Reads a folder's SKILL.md and the files beside it. Never throws.
 * @param options `mayBeLink`: the folder was configured and may be a symbolic link; a found one that is counts as absent.
 */
export async function readSkillFolder(folder: string, options: { mayBeLink: boolean }): Promise<SkillFolderReading> {
  try {
    if (!options.mayBeLink && (await lstat(folder)).isSymbolicLink()) return { outcome: 'absent' };
    const root = await realpath(folder);
    const skillFile = await readWithin(root, join(root, skillFileName), skillLimits.documentBytesMax);
    if (skillFile.outcome !== 'read') return broken(skillFileName, notRegular);
    const { files, violations, leftOut } = await readFilesBeside(root);
    const folderName = basename(folder);
    const document = parseSkillDocument({ document: skillFile.bytes, files, folderName, violations });
    return { outcome: 'skill', document, leftOut };
  } catch (error) {
    if (error instanceof HestiaError) return { outcome: 'broken', error };
    return isAbsence(error) ? { outcome: 'absent' } : broken(skillFileName, unreadable(error), error);
  }
}

const notRegular = 'must be a regular file inside the skill folder';

function unreadable(error: unknown): string {
  return `cannot be read (${fileErrorCode(error)})`;
}

function broken(field: string, message: string, cause?: unknown): SkillFolderReading {
  return { outcome: 'broken', error: invalidSkill([{ field, message }], cause) };
}

/** Reads what {@link parseSkillDocument} needs to judge: one file, one byte more than the limits allow, never all. */
async function readFilesBeside(
  root: string,
): Promise<{ files: SkillFile[]; violations: Violation[]; leftOut: string[] }> {
  const { paths, violations } = await findFiles(root);
  const files: SkillFile[] = [];
  const leftOut: string[] = [];
  let bytesTotal = 0;
  for (const path of paths) {
    if (bytesTotal > skillLimits.filesBytesMax) break;
    try {
      const file = await readWithin(root, join(root, path), skillLimits.fileBytesMax);
      if (file.outcome === 'outside') leftOut.push(shown(path));
      if (file.outcome !== 'read') continue;
      bytesTotal += file.bytes.byteLength;
      files.push({ path: path.split(sep).join('/'), ...encode(file.bytes) });
    } catch (error) {
      // A file that went away since it was listed was never there; its removal is an event of its own.
      if (!isAbsence(error)) violations.push({ field: `files/${shown(path)}`, message: unreadable(error) });
    }
  }
  return { files, violations, leftOut };
}

async function findFiles(root: string): Promise<{ paths: string[]; violations: Violation[] }> {
  const paths: string[] = [];
  const violations: Violation[] = [];
  const pending = [root];
  let entriesSeen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readEntries(root, folder, violations)) {
      const path = join(folder, entry.name);
      if (isIgnoredName(entry.name) || path === join(root, skillFileName)) continue;
      entriesSeen += 1;
      if (entriesSeen > folderEntriesMax) {
        const message = `found more than the ${folderEntriesMax} files and folders that are allowed`;
        return { paths: [], violations: [...violations, { field: 'files', message }] };
      }
      if (entry.isDirectory()) pending.push(path);
      if (entry.isFile() || entry.isSymbolicLink()) paths.push(relative(root, path));
      if (paths.length > skillLimits.filesMax) return { paths, violations };
    }
  }
  return { paths: paths.sort(), violations };
}

async function readEntries(root: string, folder: string, violations: Violation[]): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isAbsence(error)) {
      violations.push({ field: `files/${shown(relative(root, folder))}`, message: unreadable(error) });
    }
    return [];
  }
}

type FileReading = { outcome: 'read'; bytes: Buffer } | { outcome: 'outside' } | { outcome: 'not_regular' };

/** At most `bytesMax` + 1 bytes of a regular file that lies inside `root`, links resolved. Does not wait on a pipe. */
async function readWithin(root: string, path: string, bytesMax: number): Promise<FileReading> {
  const real = await realpath(path);
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return { outcome: 'outside' };
  await using handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const status = await handle.stat();
  if (!status.isFile()) return { outcome: 'not_regular' };
  const buffer = Buffer.alloc(Math.min(status.size, bytesMax) + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return { outcome: 'read', bytes: buffer.subarray(0, length) };
}

function encode(bytes: Buffer): Pick<SkillFile, 'content' | 'encoding'> {
  try {
    const content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { content, encoding: 'utf-8' };
  } catch {
    return { content: bytes.toString('base64'), encoding: 'base64' };
  }
}

async function hasSkillFile(folder: string): Promise<boolean> {
  try {
    await lstat(join(folder, skillFileName));
    return true;
  } catch (error) {
    // A folder that may not be entered is listed, so that its skill is reported as broken and not as gone.
    return !isAbsence(error);
  }
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error));
}

/**
 * Reading of skill folders on disk: lists them in a directory, and reads one within limits.
 * Never writes. Symbolic links out of a skill folder are not followed. Hidden files and `node_modules` are ignored.
 */
import { constants, type Dirent } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { systemErrorCode } from '../../flow/system-error.ts';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import { type SkillDocument, type SkillFile, skillLimits } from '../../shapes/skill.ts';
import { invalidSkill, parseSkillDocument, skillFile, skillFileName } from './document.ts';
import { printableExcerpt } from './frontmatter.ts';

/** Skill folders read from one directory at most. */
export const skillFoldersMax = 1000;

const folderEntriesMax = 2000;

/**
 * The skill folders of a configured directory. `isSkill`: the directory has a SKILL.md itself and is the only folder
 * listed. `complete` is false if it has more than {@link skillFoldersMax} folders. Symbolic links are not listed.
 */
export type DirectoryListing =
  | { outcome: 'listed'; folders: string[]; isSkill: boolean; complete: boolean }
  | { outcome: 'missing' }
  | { outcome: 'unreadable'; errorCode: string };

/**
 * The content of a folder: no SKILL.md, a valid skill, or one that cannot be read or violates the specification.
 * `leftOut` lists the links out of the folder, relative to it.
 */
export type SkillFolderReading =
  | { outcome: 'absent' }
  | { outcome: 'skill'; document: SkillDocument; leftOut: string[] }
  | { outcome: 'broken'; error: HestiaError };

const ignoredNames = new Set(['node_modules', '__pycache__', 'Thumbs.db', 'desktop.ini']);

/** Whether files and folders of this name are not part of a skill: hidden ones, and what tools leave behind. */
export function isIgnoredName(name: string): boolean {
  return name.startsWith('.') || ignoredNames.has(name);
}

/** The code of a failed file operation, such as `EACCES`; `UNKNOWN` for anything else. */
export function fileErrorCode(error: unknown): string {
  return systemErrorCode(error) ?? 'UNKNOWN';
}

/** Lists the skill folders in a directory as absolute paths, sorted by name. Never throws. */
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
    if (isNotFound(error)) return { outcome: 'missing' };
    return { outcome: 'unreadable', errorCode: fileErrorCode(error) };
  }
}

/** Options of {@link readSkillFolder}. */
export interface ReadOptions {
  /** Whether the folder may be a symbolic link, as a configured directory may. Otherwise a link counts as absent. */
  mayBeLink: boolean;
  /** Refuse every deviation from the specification. */
  strict?: boolean;
}

/**
 * Reads the SKILL.md of a folder and its other files. Never throws. */
export async function readSkillFolder(folder: string, options: ReadOptions): Promise<SkillFolderReading> {
  try {
    if (!options.mayBeLink && (await lstat(folder)).isSymbolicLink()) return { outcome: 'absent' };
    const root = await realpath(folder);
    const manifest = await readWithin(root, join(root, skillFileName), skillLimits.documentBytesMax);
    if (manifest.outcome !== 'read') return broken(skillFileName, notRegularMessage);
    const { files, violations, leftOut } = await readOtherFiles(root);
    const folderName = basename(folder);
    const document = parseSkillDocument({
      document: manifest.bytes,
      files,
      folderName,
      violations,
      strict: options.strict ?? false,
    });
    return { outcome: 'skill', document, leftOut };
  } catch (error) {
    if (error instanceof HestiaError) return { outcome: 'broken', error };
    return isNotFound(error) ? { outcome: 'absent' } : broken(skillFileName, unreadableMessage(error), error);
  }
}

const notRegularMessage = 'must be a regular file inside the skill folder';

function unreadableMessage(error: unknown): string {
  return `cannot be read (${fileErrorCode(error)})`;
}

function broken(field: string, message: string, cause?: unknown): SkillFolderReading {
  return { outcome: 'broken', error: invalidSkill([{ field, message }], cause) };
}

/** Reads the other files of a skill. Stops just past a limit, so that {@link parseSkillDocument} can report it. */
async function readOtherFiles(
  root: string,
): Promise<{ files: SkillFile[]; violations: Violation[]; leftOut: string[] }> {
  const { paths, violations } = await findFiles(root);
  const files: SkillFile[] = [];
  const leftOut: string[] = [];
  let bytesTotal = 0;
  for (const path of paths) {
    if (bytesTotal > skillLimits.bytesMax) break;
    try {
      const file = await readWithin(root, join(root, path), skillLimits.bytesMax);
      if (file.outcome === 'outside') leftOut.push(printableExcerpt(path));
      if (file.outcome !== 'read') continue;
      bytesTotal += file.bytes.byteLength;
      files.push(skillFile(path.split(sep).join('/'), file.bytes));
    } catch (error) {
      // A file that was deleted after it was listed is ignored. The watcher reports its removal separately.
      if (!isNotFound(error))
        violations.push({ field: `files/${printableExcerpt(path)}`, message: unreadableMessage(error) });
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
      if (paths.length >= skillLimits.filesMax) return { paths, violations };
    }
  }
  return { paths: paths.sort(), violations };
}

async function readEntries(root: string, folder: string, violations: Violation[]): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isNotFound(error)) {
      violations.push({
        field: `files/${printableExcerpt(relative(root, folder))}`,
        message: unreadableMessage(error),
      });
    }
    return [];
  }
}

type FileReading = { outcome: 'read'; bytes: Buffer } | { outcome: 'outside' } | { outcome: 'not_regular' };

/** Reads at most `bytesMax` + 1 bytes of a regular file inside `root`, with links resolved. Does not block on a pipe. */
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

async function hasSkillFile(folder: string): Promise<boolean> {
  try {
    await lstat(join(folder, skillFileName));
    return true;
  } catch (error) {
    // A folder without permission is listed, so that its skill is reported as broken and not as removed.
    return !isNotFound(error);
  }
}

function isNotFound(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(fileErrorCode(error));
}

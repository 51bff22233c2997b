/**
 * Reading of one skill folder on disk, within limits.
 * Never writes. Links out of a skill folder are not followed. Hidden files and what tools leave behind are ignored.
 */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { systemErrorCode } from '../../flow/system-error.ts';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import { type SkillDocument, type SkillFile, skillLimits } from '../../shapes/skill.ts';
import { invalidSkill, parseSkillDocument, skillFile, skillFileName } from './document.ts';
import { readRegularFile } from './file-bytes.ts';
import { printableExcerpt } from './frontmatter.ts';

const folderEntriesMax = 5000;

/** The content of a folder: no SKILL.md, a skill, or one that cannot be read or that is refused. */
export type SkillFolderReading =
  | { outcome: 'absent' }
  | { outcome: 'skill'; document: SkillDocument }
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

/** Whether a file operation failed because there is no such file. */
export function isNotFound(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(fileErrorCode(error));
}

/** The name of SKILL.md among the names in a folder. Without one, another letter case is accepted. */
export function skillFileOf(names: readonly string[]): string | undefined {
  return names.includes(skillFileName)
    ? skillFileName
    : names.find((name) => name.toLowerCase() === skillFileName.toLowerCase());
}

/** Whether a listed path has a part that is not UTF-8, which is read as a replacement character and cannot be opened. */
export function isUndecodable(path: string): boolean {
  return path.includes('\ufffd');
}

/** Whether a real path is a folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Options of {@link readSkillFolder}. */
export interface ReadOptions {
  /** Refuse every deviation from the specification. */
  strict?: boolean;
  /** The name in the registry, if it is not that of the folder. */
  name?: string | undefined;
  /** Real paths. A folder whose real path is in none of them counts as absent; undefined allows any. */
  within?: readonly string[];
}

/** Reads the SKILL.md of a folder and its other files. Never throws. */
export async function readSkillFolder(folder: string, options: ReadOptions = {}): Promise<SkillFolderReading> {
  try {
    const root = await realpath(folder);
    if (options.within?.some((allowed) => isWithin(root, allowed)) === false) return { outcome: 'absent' };
    const fileName = skillFileOf(await readdir(root));
    if (fileName === undefined) return { outcome: 'absent' };
    const manifest = await readManifest(root, fileName, options.within);
    if (manifest.outcome === 'absent') return { outcome: 'absent' };
    if (manifest.outcome !== 'read') return broken(skillFileName, notRegularMessage);
    const { files, violations, warnings } = await readOtherFiles(root, fileName);
    if (manifest.isLinked) warnings.push({ field: 'document', message: 'is a link to a file in another folder' });
    if (fileName !== skillFileName) {
      warnings.push({ field: 'document', message: `found "${printableExcerpt(fileName)}", must be ${skillFileName}` });
    }
    const input = { document: manifest.bytes, files, folderName: basename(folder), violations, warnings };
    const document = parseSkillDocument({ ...input, name: options.name, strict: options.strict ?? false });
    return { outcome: 'skill', document };
  } catch (error) {
    if (error instanceof HestiaError) return { outcome: 'broken', error };
    return isNotFound(error) ? { outcome: 'absent' } : broken(skillFileName, unreadableMessage(error), error);
  }
}

/**
 * Reads SKILL.md, which was listed. It may be a link to a file that is in one of the folders that may be read. A link to
 * nothing is not a regular file; one that was deleted meanwhile is absent.
 */
async function readManifest(
  root: string,
  fileName: string,
  within: readonly string[] = [],
): Promise<FileReading | { outcome: 'absent' }> {
  try {
    const real = await realpath(join(root, fileName));
    const reading = await readWithin([root, ...within], real, skillLimits.documentBytesMax);
    return reading.outcome === 'read' ? { ...reading, isLinked: !isWithin(real, root) } : reading;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const isListed = (await readdir(root)).includes(fileName);
    return { outcome: isListed ? 'not_regular' : 'absent' };
  }
}

const undecodableMessage = 'has a name that is not UTF-8, and is left out';
const notRegularMessage = 'must be a regular file inside the skill folder';

function unreadableMessage(error: unknown): string {
  return `cannot be read (${fileErrorCode(error)})`;
}

function broken(field: string, message: string, cause?: unknown): SkillFolderReading {
  return { outcome: 'broken', error: invalidSkill([{ field, message }], cause) };
}

/** Files found in a skill folder, and what was noticed on the way. */
interface FoundFiles {
  paths: { path: string; isLink: boolean }[];
  violations: Violation[];
  warnings: Violation[];
}

/** Files that are read at the same time. Each may have as many bytes as all of a skill. */
const filesAtOnce = 4;

/** Reads the other files of a skill. Stops past a limit, so that {@link parseSkillDocument} can report it. */
async function readOtherFiles(
  root: string,
  manifest: string,
): Promise<Omit<FoundFiles, 'paths'> & { files: SkillFile[] }> {
  const { paths, violations, warnings } = await findFiles(root, manifest);
  const files: SkillFile[] = [];
  let bytesTotal = 0;
  for (let at = 0; at < paths.length && bytesTotal <= skillLimits.bytesMax; at += filesAtOnce) {
    const batch = paths.slice(at, at + filesAtOnce);
    const readings = await Promise.all(batch.map((listed) => readListedFile(root, listed)));
    for (const { path, bytes, warning, violation } of readings) {
      const field = `files/${printableExcerpt(path)}`;
      if (warning !== undefined) warnings.push({ field, message: warning });
      if (violation !== undefined) violations.push({ field, message: violation });
      if (bytes === undefined) continue;
      bytesTotal += bytes.byteLength;
      files.push(skillFile(path.split(sep).join('/'), bytes));
    }
  }
  return { files, violations, warnings };
}

interface ListedFile {
  path: string;
  /** Absent for what is not part of the skill. */
  bytes?: Buffer;
  warning?: string;
  violation?: string;
}

async function readListedFile(root: string, { path, isLink }: FoundFiles['paths'][number]): Promise<ListedFile> {
  try {
    // The folders above a listed file were listed too, and are no links.
    const real = isLink ? await realpath(join(root, path)) : join(root, path);
    const file = await readWithin([root], real, skillLimits.bytesMax);
    if (file.outcome === 'outside') return { path, warning: 'is a link out of the skill folder, and is left out' };
    return file.outcome === 'read' ? { path, bytes: file.bytes } : { path };
  } catch (error) {
    if (isUndecodable(path)) return { path, warning: undecodableMessage };
    // A file that was deleted after it was listed is ignored. The watcher reports its removal separately.
    return isNotFound(error) ? { path } : { path, violation: unreadableMessage(error) };
  }
}

/** Lists the files of a skill by path. A folder with a SKILL.md of its own is another skill. */
async function findFiles(root: string, manifest: string): Promise<FoundFiles> {
  const found: FoundFiles = { paths: [], violations: [], warnings: [] };
  const pending = [root];
  let entriesSeen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = await readEntries(root, folder, found);
    if (folder !== root && skillFileOf(entries.map(({ name }) => name)) !== undefined) {
      const message = 'has a SKILL.md of its own, and is not part of this skill';
      found.warnings.push({ field: `files/${printableExcerpt(relative(root, folder))}`, message });
      continue;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (isIgnoredName(entry.name) || path === join(root, manifest)) continue;
      entriesSeen += 1;
      if (entriesSeen > folderEntriesMax) {
        const message = `found more than the ${folderEntriesMax} files and folders that are allowed`;
        return { ...found, paths: [], violations: [...found.violations, { field: 'files', message }] };
      }
      if (entry.isDirectory()) pending.push(path);
      if (entry.isFile() || entry.isSymbolicLink()) {
        found.paths.push({ path: relative(root, path), isLink: entry.isSymbolicLink() });
      }
      if (found.paths.length >= skillLimits.filesMax) return found;
    }
  }
  found.paths.sort((left, right) => (left.path < right.path ? -1 : 1));
  return found;
}

async function readEntries(
  root: string,
  folder: string,
  { violations, warnings }: Pick<FoundFiles, 'violations' | 'warnings'>,
): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const field = `files/${printableExcerpt(relative(root, folder))}`;
    if (isUndecodable(folder)) warnings.push({ field, message: undecodableMessage });
    else if (!isNotFound(error)) violations.push({ field, message: unreadableMessage(error) });
    return [];
  }
}

type FileReading =
  | { outcome: 'read'; bytes: Buffer; isLinked?: boolean }
  | { outcome: 'outside' }
  | { outcome: 'not_regular' };

/** Reads at most `bytesMax` + 1 bytes of a regular file, by its path without links, inside one of `roots`. */
async function readWithin(roots: readonly string[], real: string, bytesMax: number): Promise<FileReading> {
  if (!roots.some((root) => isWithin(real, root))) return { outcome: 'outside' };
  const bytes = await readRegularFile(real, bytesMax);
  return bytes === undefined ? { outcome: 'not_regular' } : { outcome: 'read', bytes };
}

/**
 * Whether SKILL.md was written after a time in Unix milliseconds. A time in the future, as after the clock was set back, says
 * nothing.
 */
export async function wasWrittenAfter(timeMs: number, folder: string): Promise<boolean> {
  const { mtimeMs } = await stat(join(folder, skillFileName)).catch(() => ({ mtimeMs: Number.NEGATIVE_INFINITY }));
  return mtimeMs > timeMs && mtimeMs <= Date.now();
}

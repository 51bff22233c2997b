/**
 * The search for skill folders in a directory: categories, plugins, `.claude/skills`, links.
 * Reports what it does not search, and why. Reads no file; a fingerprint shows whether a folder has changed since.
 */
import { hash } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileErrorCode, isIgnoredName, isNotFound, isUndecodable, isWithin, skillFileOf } from './folder.ts';

/** Files whose state is read at the same time. */
const filesAtOnce = 16;

/** Limits of a search. Depth is counted in folders below the directory. */
export const searchLimits = { depthMax: 10, foldersMax: 10_000, entriesMax: 500_000 } as const;

/** A folder with a SKILL.md: its path as found, the same with links resolved, and the state of its files. */
export interface FoundFolder {
  folder: string;
  real: string;
  /** Differs if a file of the skill was added, removed or written. */
  fingerprint: string;
}

/** Why a folder was not searched. */
export type NotSearchedReason = 'link_outside' | 'too_deep' | 'too_many_folders' | 'too_many_entries' | 'unreadable';

/** A folder that was not searched. */
export interface NotSearched {
  path: string;
  reason: NotSearchedReason;
}

/** The result of a search. `root` is the real path of the directory. `identity` names the directory on its device, and differs after a mount or unmount. */
export type DirectorySearch =
  | { outcome: 'searched'; folders: FoundFolder[]; notSearched: NotSearched[]; root: string; identity: string }
  | { outcome: 'missing' }
  | { outcome: 'unreadable'; errorCode: string };

/** Where a search may go. `linkTargets` are real paths; a link may lead into these and into the directory itself. */
export interface SearchOptions {
  directory: string;
  linkTargets: readonly string[];
}

/** Hidden folders are searched, since clients keep skills in them, but for these, which no skill is written in. */
const neverSearched = new Set(['.git', '.hg', '.svn', '.venv', '.tox', '.cache', '.Trash', 'venv']);

/** Whether a search ignores folders of this name. */
export function isNeverSearched(name: string): boolean {
  return neverSearched.has(name) || (!name.startsWith('.') && isIgnoredName(name));
}

/** Searches a directory for skill folders, sorted by path. A real folder is reported once. Never throws. */
export async function searchSkillFolders(options: SearchOptions): Promise<DirectorySearch> {
  try {
    const root = await realpath(options.directory);
    const { dev, ino } = await stat(root);
    const search = new FolderSearch([root, ...options.linkTargets]);
    await search.run({ path: options.directory, real: root, depth: 0, skill: undefined });
    return { outcome: 'searched', ...search.result(), root, identity: `${dev}:${ino}` };
  } catch (error) {
    return isNotFound(error) ? { outcome: 'missing' } : { outcome: 'unreadable', errorCode: fileErrorCode(error) };
  }
}

/** A folder to read. `skill` is the skill that its files belong to. */
interface Visit {
  path: string;
  real: string;
  depth: number;
  skill: SkillState | undefined;
}

interface SkillState {
  folder: string;
  real: string;
  /** One line for each file: path, size and times. */
  files: string[];
}

function fileLine(path: string, { size, mtimeMs, ctimeMs, ino }: Stats): string {
  return `${path} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

class FolderSearch {
  readonly #roots: readonly string[];
  readonly #skills: SkillState[] = [];
  readonly #notSearched: NotSearched[] = [];
  readonly #visited = new Set<string>();
  /** Linked folders, which are visited last, so that a skill is found at its own path rather than through a link. */
  readonly #links: Visit[] = [];
  #entriesLeft: number = searchLimits.entriesMax;

  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  async run(start: Visit): Promise<void> {
    const entries = await readdir(start.real, { withFileTypes: true });
    await this.#visit(start, entries);
    for (let link = this.#links.shift(); link !== undefined; link = this.#links.shift()) await this.#enter(link);
  }

  result(): { folders: FoundFolder[]; notSearched: NotSearched[] } {
    const sorted = this.#skills.toSorted((left, right) => (left.folder < right.folder ? -1 : 1));
    const { foldersMax } = searchLimits;
    const left = sorted.slice(foldersMax).map(({ folder: path }) => ({ path, reason: 'too_many_folders' }) as const);
    const folders = sorted.slice(0, foldersMax).map(({ folder, real, files }) => ({
      folder,
      real,
      fingerprint: hash('sha256', files.sort().join('\n'), 'hex'),
    }));
    return { folders, notSearched: [...this.#notSearched, ...left] };
  }

  async #enter(visit: Visit): Promise<void> {
    if (visit.depth > searchLimits.depthMax) return this.#leaveOut(visit.path, 'too_deep');
    try {
      await this.#visit(visit, await readdir(visit.real, { withFileTypes: true }));
    } catch (error) {
      if (!isNotFound(error) || isUndecodable(visit.path)) this.#leaveOut(visit.path, 'unreadable');
    }
  }

  async #visit({ path, real, depth, skill: outer }: Visit, entries: Dirent[]): Promise<void> {
    if (this.#visited.has(real)) return;
    this.#visited.add(real);
    this.#entriesLeft -= entries.length;
    if (this.#entriesLeft < 0) return this.#leaveOut(path, 'too_many_entries');
    const manifest = skillFileOf(entries.map(({ name }) => name));
    let skill = outer;
    if (manifest !== undefined) {
      skill = { folder: path, real, files: [] };
      this.#skills.push(skill);
    }
    const isOwnFile = (entry: Dirent) => !entry.isDirectory() && !isIgnoredName(entry.name);
    if (skill !== undefined) await this.#addFiles(skill, real, entries.filter(isOwnFile));
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const visit = { path: join(path, entry.name), real: join(real, entry.name), depth: depth + 1, skill };
      const isOwn = skill !== undefined && !isIgnoredName(entry.name);
      if (entry.isDirectory()) {
        if (!isNeverSearched(entry.name)) await this.#enter({ ...visit, skill: isOwn ? skill : undefined });
        continue;
      }
      if (entry.isSymbolicLink() && !isNeverSearched(entry.name)) await this.#addLink(visit);
    }
  }

  async #addFiles(skill: SkillState, folder: string, entries: readonly Dirent[]): Promise<void> {
    for (let at = 0; at < entries.length; at += filesAtOnce) {
      const batch = entries.slice(at, at + filesAtOnce);
      await Promise.all(batch.map(({ name }) => this.#addFile(skill, join(folder, name))));
    }
  }

  async #addFile(skill: SkillState, path: string): Promise<void> {
    try {
      const link = await lstat(path);
      skill.files.push(fileLine(path.slice(skill.real.length), link));
      if (link.isSymbolicLink()) skill.files.push(fileLine('->', await stat(path)));
    } catch (error) {
      skill.files.push(`${path.slice(skill.real.length)} ${fileErrorCode(error)}`);
    }
  }

  /** A linked folder is searched if it is in the directory or in a configured place. Others are named. */
  async #addLink(visit: Visit): Promise<void> {
    try {
      const real = await realpath(visit.real);
      if (!(await stat(real)).isDirectory()) return;
      if (this.#roots.some((root) => isWithin(real, root))) this.#links.push({ ...visit, real, skill: undefined });
      else this.#leaveOut(visit.path, 'link_outside');
    } catch {
      // A link to nothing, or in a circle of links, leads to no skill.
    }
  }

  #leaveOut(path: string, reason: NotSearchedReason): void {
    this.#notSearched.push({ path, reason });
  }
}

/** The folders a link may lead to, besides the searched directory: these, and the store of an installer of skills. */
export async function linkTargetsOf(directories: readonly string[], configured: readonly string[]): Promise<string[]> {
  const stores = directories.flatMap(installerStoreOf);
  const paths = await Promise.all(
    [...directories, ...configured, ...stores].map((path) => realpath(path).catch(() => undefined)),
  );
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** `~/.agents/skills` for `~/.claude/skills`: `npx skills add` installs there and links from the folders of clients. */
function installerStoreOf(directory: string): string[] {
  const parent = join(directory, '..');
  const isClientFolder = basename(directory) === 'skills' && basename(parent).startsWith('.');
  return isClientFolder ? [join(parent, '..', '.agents', 'skills')] : [];
}

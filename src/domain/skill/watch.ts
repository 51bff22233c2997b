/**
 * The watcher of skill directories: reports new, changed, broken and removed skills to its listeners.
 * Owns its file watchers and timers. Does not use the registry; the listeners decide what to do.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { createDebouncedQueue, type DebouncedQueue } from '../../flow/debounced-queue.ts';
import { settledWithin } from '../../flow/time-limit.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { skillFileName } from './document.ts';
import {
  type DirectoryListing,
  fileErrorCode,
  isIgnoredName,
  listSkillFolders,
  readSkillFolder,
  type SkillFolderReading,
  skillFoldersMax,
} from './folder.ts';

/** A skill folder: its absolute path, and its name, which is also the name of a valid skill. */
export interface SkillFolder {
  folder: string;
  folderName: string;
}

/** The part of the log that the watcher uses. */
export interface SkillWatchLog {
  warn(message: string, fields?: Record<string, string | number | boolean | undefined>): void;
}

/**
 * Dependencies of the watcher. Calls of listeners for one folder never overlap. A call that rejects is logged and
 * repeated by the next pass.
 */
export interface SkillWatchDeps {
  /** Absolute paths. Each contains skill folders or is one. */
  directories: readonly string[];
  /** Refuse skills that deviate from the specification. */
  strict?: boolean;
  /** Called for a new or changed skill, and in a full pass for every skill. Must be idempotent. */
  onSkill(found: SkillFolder & { document: SkillDocument }): Promise<void>;
  /** Called when the SKILL.md of a reported folder no longer exists. */
  onGone(gone: SkillFolder): Promise<void>;
  /**
   * Called with INVALID_SKILL, PAYLOAD_TOO_LARGE, or CONFLICT if an earlier folder has the same name. The skill counts
   * as present.
   */
  onBroken(broken: SkillFolder & { error: HestiaError }): void;
  log: SkillWatchLog;
}

/** `seen`: folders with a SKILL.md. `complete`: false if a listing is partial, so a folder not seen may still exist. */
export interface FullPassReport {
  seen: string[];
  complete: boolean;
}

/** The watcher. It is active from `start` until it is disposed. */
export interface SkillWatch extends AsyncDisposable {
  /** Starts watching. Resolves with the report of the first full pass. */
  start(): Promise<FullPassReport>;
  /** Reads every folder again and reports each, changed or not. Finds changes that the file watchers missed. */
  fullPass(): Promise<FullPassReport>;
}

// With these limits a change is reported within two seconds, even during a burst of file events.
const pauseMs = 150;
const postponedMsMax = 1000;
const readyMsMax = 10_000;

/** Creates a watcher of `directories`. Nothing is read before `start`. */
export function createSkillWatch(deps: SkillWatchDeps): SkillWatch {
  return new DirectoryWatch(deps);
}

class DirectoryWatch implements SkillWatch {
  readonly #deps: SkillWatchDeps;
  readonly #directories: readonly string[];
  readonly #watchers: FSWatcher[] = [];
  #closed = false;
  readonly #passes: DebouncedQueue;
  readonly #refreshes: DebouncedQueue;
  /** Configured directories that are skill folders themselves. */
  readonly #skillDirectories = new Set<string>();
  /** The last reported state of each folder with a SKILL.md; empty if it must be reported again. */
  readonly #reported = new Map<string, string>();
  /** The folder that owns each name: the first with that name, until it is removed. */
  readonly #folderByName = new Map<string, string>();
  /** The last warning by its subject, so that it is not repeated while the condition lasts. */
  readonly #warned = new Map<string, string>();

  constructor(deps: SkillWatchDeps) {
    this.#deps = deps;
    this.#directories = [...new Set(deps.directories)];
    const timing = { pauseMs, postponedMsMax };
    this.#passes = createDebouncedQueue({ ...timing, run: (directory) => this.#pass(directory).then(() => {}) });
    this.#refreshes = createDebouncedQueue({ ...timing, run: (folder) => this.#refresh(folder) });
  }

  async start(): Promise<FullPassReport> {
    await Promise.all(this.#directories.map((directory) => this.#watch(directory)));
    return this.fullPass();
  }

  async fullPass(): Promise<FullPassReport> {
    for (const folder of this.#reported.keys()) this.#reported.set(folder, '');
    const seen = new Set<string>();
    let complete = true;
    for (const directory of this.#directories) {
      const listed = await this.#pass(directory);
      for (const folder of listed.folders) seen.add(folder);
      complete &&= listed.complete;
    }
    return { seen: [...seen], complete };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    await this.#passes[Symbol.asyncDispose]();
    await this.#refreshes[Symbol.asyncDispose]();
  }

  /** Resolves when the file watcher is ready, or after {@link readyMsMax}. Full passes find what it misses. */
  async #watch(directory: string): Promise<void> {
    // A configured directory may be a link. Links below it are not followed.
    const watched = await realpath(directory).catch(() => directory);
    if (this.#closed) return;
    const segmentsOf = (path: string) => relative(watched, path).split(sep);
    const watcher = watch(watched, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => segmentsOf(path)[0] !== '..' && segmentsOf(path).some(isIgnoredName),
    });
    this.#watchers.push(watcher);
    watcher.on('all', (_event, path) => this.#onChange(directory, segmentsOf(path)));
    watcher.on('error', (error) => {
      const fields = { directory, error_type: fileErrorCode(error) };
      this.#warnOnce(
        `watching ${directory}`,
        'A skill directory cannot be watched completely; full passes still read it',
        fields,
      );
    });
    const ready = new Promise<void>((resolve) => watcher.once('ready', resolve));
    await settledWithin(readyMsMax, ready);
  }

  #onChange(directory: string, segments: readonly string[]): void {
    const first = segments[0] ?? '';
    // While a directory is missing, its ancestors are watched instead.
    if (first === '..') return;
    if (first === '' || first === skillFileName || this.#skillDirectories.has(directory)) {
      this.#passes.request(directory);
    } else {
      this.#refreshes.request(join(directory, first));
    }
  }

  async #pass(directory: string): Promise<{ folders: string[]; complete: boolean }> {
    const listing = await listSkillFolders(directory);
    const known = [...this.#reported.keys()].filter((folder) => folder === directory || dirname(folder) === directory);
    this.#logListing(directory, listing);
    if (listing.outcome === 'unreadable') return { folders: known, complete: false };
    const listed = listing.outcome === 'listed' ? listing : { folders: [], isSkill: false, complete: false };
    if (listed.isSkill) this.#skillDirectories.add(directory);
    else this.#skillDirectories.delete(directory);
    for (const folder of new Set([...listed.folders, ...known])) await this.#refreshes.run(folder);
    return listed;
  }

  async #refresh(folder: string): Promise<void> {
    const folderName = basename(folder);
    const reading = await this.#read(folder);
    if (reading.outcome === 'absent') {
      if (this.#reported.has(folder)) await this.#reportGone({ folder, folderName });
      return;
    }
    const owner = this.#folderByName.get(nameOf(folder)) ?? folder;
    this.#folderByName.set(nameOf(folder), owner);
    if (owner !== folder) {
      await this.#report(folder, 'CONFLICT', () =>
        this.#deps.onBroken({ folder, folderName, error: nameTakenError() }),
      );
    } else if (reading.outcome === 'broken') {
      const { error } = reading;
      const state = `${error.message} ${JSON.stringify(error.violations)}`;
      await this.#report(folder, state, () => this.#deps.onBroken({ folder, folderName, error }));
    } else {
      const { document, leftOut } = reading;
      await this.#report(folder, document.digest, async () => {
        if (leftOut.length > 0) {
          this.#deps.log.warn('Links out of a skill folder were left out', {
            folder,
            links: leftOut.join(', '),
          });
        }
        await this.#deps.onSkill({ folder, folderName, document });
      });
    }
  }

  async #read(folder: string): Promise<SkillFolderReading> {
    // The subfolders of a directory that is a skill itself are files of that skill.
    const isPartOfSkill = this.#skillDirectories.has(dirname(folder)) && !this.#skillDirectories.has(folder);
    if (isPartOfSkill) return { outcome: 'absent' };
    return await readSkillFolder(folder, {
      mayBeLink: this.#directories.includes(folder),
      strict: this.#deps.strict ?? false,
    });
  }

  async #report(folder: string, state: string, listener: () => Promise<void> | void): Promise<void> {
    if (this.#reported.get(folder) === state) return;
    this.#reported.set(folder, '');
    if (await this.#callListener(folder, listener)) this.#reported.set(folder, state);
  }

  async #reportGone(gone: SkillFolder): Promise<void> {
    const key = nameOf(gone.folder);
    if (this.#folderByName.get(key) !== gone.folder) {
      this.#reported.delete(gone.folder);
      return;
    }
    if (!(await this.#callListener(gone.folder, () => this.#deps.onGone(gone)))) return;
    this.#reported.delete(gone.folder);
    this.#folderByName.delete(key);
    for (const folder of this.#reported.keys()) if (nameOf(folder) === key) this.#refreshes.request(folder);
  }

  async #callListener(folder: string, listener: () => Promise<void> | void): Promise<boolean> {
    try {
      await listener();
      return true;
    } catch (error) {
      this.#deps.log.warn('A change in a skill folder was not applied; the next full pass retries it', {
        folder,
        error_type: error instanceof HestiaError ? error.code : 'INTERNAL',
        reason: error instanceof Error ? error.message : undefined,
      });
      return false;
    }
  }

  #logListing(directory: string, listing: DirectoryListing): void {
    if (listing.outcome === 'missing') {
      this.#warnOnce(directory, 'A skill directory does not exist yet', { directory });
    } else if (listing.outcome === 'unreadable') {
      const fields = { directory, error_type: listing.errorCode };
      this.#warnOnce(directory, 'A skill directory cannot be read', fields);
    } else if (!listing.complete) {
      const fields = { directory, folders_max: skillFoldersMax };
      this.#warnOnce(directory, 'A skill directory contains more skills than are read', fields);
    } else {
      this.#warned.delete(directory);
    }
  }

  #warnOnce(key: string, message: string, fields: Record<string, string | number>): void {
    if (this.#warned.get(key) === message) return;
    this.#warned.set(key, message);
    this.#deps.log.warn(message, fields);
  }
}

/** The normalised name of a folder. File systems differ in the Unicode form of names. */
function nameOf(folder: string): string {
  return basename(folder).normalize('NFKC');
}

function nameTakenError(): HestiaError {
  return new HestiaError(
    'CONFLICT',
    'an earlier skill folder has the same name; this one is left out until that one is removed',
  );
}

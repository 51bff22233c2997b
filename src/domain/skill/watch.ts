/**
 * Watches the configured skill directories and tells, folder by folder, of skills that appear, change, break or go.
 * Owns its file watchers and timers. Knows nothing of the registry: what becomes of a skill is the listener's decision.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type FSWatcher, watch } from 'chokidar';
import { HestiaError } from '../../shapes/error.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { createSkillWatchQueue, type SkillWatchQueue } from './debounced-queue.ts';
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

/** A skill's folder: its absolute path below a configured directory, and its name, which a valid skill shares. */
export interface SkillFolder {
  folder: string;
  folderName: string;
}

/** The log as far as the watch needs it. */
export interface SkillWatchLog {
  warn(message: string, fields?: Record<string, string | number | boolean | undefined>): void;
}

/** The listeners. Calls for one folder never overlap; one that rejects is logged and made again by the next pass. */
export interface SkillWatchDeps {
  /** Absolute paths. Each holds skill folders, or is one. */
  directories: readonly string[];
  /** A skill is new or changed; in a full pass, every skill, so it must be repeatable. */
  onSkill(found: SkillFolder & { document: SkillDocument }): Promise<void>;
  /** The SKILL.md of a folder told of before is no longer there. */
  onGone(gone: SkillFolder): Promise<void>;
  /** INVALID_SKILL, PAYLOAD_TOO_LARGE, or CONFLICT where an earlier folder has the same name. Nothing was unpublished. */
  onBroken(broken: SkillFolder & { error: HestiaError }): void;
  log: SkillWatchLog;
}

/** `seen`: folders that hold a SKILL.md. `complete`: false where a directory was not listed whole, so absence proves nothing. */
export interface FullPassReport {
  seen: string[];
  complete: boolean;
}

/** Watches from `start` until disposed of. */
export interface SkillWatch extends AsyncDisposable {
  /** Begins to watch; resolves with what the first full pass found. */
  start(): Promise<FullPassReport>;
  /** Reads every folder again and tells of each, changed or not; finds what the watchers missed. May be repeated. */
  fullPass(): Promise<FullPassReport>;
}

// A change is told within two seconds: the pause that ends a burst of events, and the longest a burst may put it off.
const pauseMs = 150;
const postponedMsMax = 1000;
const readyMsMax = 10_000;

/** Makes a watch over `directories`; nothing is read before `start`. */
export function createSkillWatch(deps: SkillWatchDeps): SkillWatch {
  return new DirectoriesWatch(deps);
}

class DirectoriesWatch implements SkillWatch {
  readonly #deps: SkillWatchDeps;
  readonly #directories: readonly string[];
  readonly #watchers: FSWatcher[] = [];
  #closed = false;
  readonly #passes: SkillWatchQueue;
  readonly #refreshes: SkillWatchQueue;
  /** Configured directories that are themselves a skill. */
  readonly #skillDirectories = new Set<string>();
  /** What each folder that holds a SKILL.md was last told as; an empty text: not told. */
  readonly #told = new Map<string, string>();
  /** Which folder holds a name; the first to come keeps it until it goes. */
  readonly #holders = new Map<string, string>();
  /** The last warning by what it is about, so that it is not repeated while it lasts. */
  readonly #warned = new Map<string, string>();

  constructor(deps: SkillWatchDeps) {
    this.#deps = deps;
    this.#directories = [...new Set(deps.directories)];
    const timing = { pauseMs, postponedMsMax };
    this.#passes = createSkillWatchQueue({ ...timing, run: (directory) => this.#pass(directory).then(() => {}) });
    this.#refreshes = createSkillWatchQueue({ ...timing, run: (folder) => this.#refresh(folder) });
  }

  async start(): Promise<FullPassReport> {
    await Promise.all(this.#directories.map((directory) => this.#watch(directory)));
    return this.fullPass();
  }

  async fullPass(): Promise<FullPassReport> {
    for (const folder of this.#told.keys()) this.#told.set(folder, '');
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

  /** Resolves once changes are noticed, or can be waited for no longer: then the passes still find them. */
  async #watch(directory: string): Promise<void> {
    // A configured directory may be a link; what lies below it is not followed.
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
        'a skill directory cannot be watched whole; passes still read it',
        fields,
      );
    });
    const ready = new Promise<void>((resolve) => watcher.once('ready', resolve));
    await Promise.race([ready, delay(readyMsMax, undefined, { ref: false })]);
  }

  #onChange(directory: string, segments: readonly string[]): void {
    const first = segments[0] ?? '';
    // While a directory is missing, its ancestors are watched in its place.
    if (first === '..') return;
    if (first === '' || first === skillFileName || this.#skillDirectories.has(directory)) {
      this.#passes.request(directory);
    } else {
      this.#refreshes.request(join(directory, first));
    }
  }

  async #pass(directory: string): Promise<{ folders: string[]; complete: boolean }> {
    const listing = await listSkillFolders(directory);
    const known = [...this.#told.keys()].filter((folder) => folder === directory || dirname(folder) === directory);
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
      if (this.#told.has(folder)) await this.#tellGone({ folder, folderName });
      return;
    }
    const holder = this.#holders.get(nameKeyOf(folder)) ?? folder;
    this.#holders.set(nameKeyOf(folder), holder);
    if (holder !== folder) {
      await this.#tell(folder, 'CONFLICT', () => this.#deps.onBroken({ folder, folderName, error: nameTaken() }));
    } else if (reading.outcome === 'broken') {
      const { error } = reading;
      const state = `${error.message} ${JSON.stringify(error.violations)}`;
      await this.#tell(folder, state, () => this.#deps.onBroken({ folder, folderName, error }));
    } else {
      const { document, leftOut } = reading;
      await this.#tell(folder, document.digest, async () => {
        if (leftOut.length > 0) {
          this.#deps.log.warn('links out of a skill folder were left out', {
            folder,
            links: leftOut.join(', '),
          });
        }
        await this.#deps.onSkill({ folder, folderName, document });
      });
    }
  }

  async #read(folder: string): Promise<SkillFolderReading> {
    // Once a directory is a skill itself, its sub-folders are that skill's files.
    const isPartOfSkill = this.#skillDirectories.has(dirname(folder)) && !this.#skillDirectories.has(folder);
    if (isPartOfSkill) return { outcome: 'absent' };
    return await readSkillFolder(folder, { mayBeLink: this.#directories.includes(folder) });
  }

  async #tell(folder: string, state: string, listener: () => Promise<void> | void): Promise<void> {
    if (this.#told.get(folder) === state) return;
    this.#told.set(folder, '');
    if (await this.#heard(folder, listener)) this.#told.set(folder, state);
  }

  async #tellGone(gone: SkillFolder): Promise<void> {
    const key = nameKeyOf(gone.folder);
    if (this.#holders.get(key) !== gone.folder) {
      this.#told.delete(gone.folder);
      return;
    }
    if (!(await this.#heard(gone.folder, () => this.#deps.onGone(gone)))) return;
    this.#told.delete(gone.folder);
    this.#holders.delete(key);
    for (const folder of this.#told.keys()) if (nameKeyOf(folder) === key) this.#refreshes.request(folder);
  }

  async #heard(folder: string, listener: () => Promise<void> | void): Promise<boolean> {
    try {
      await listener();
      return true;
    } catch (error) {
      this.#deps.log.warn('a change in a skill folder was not taken over; the next pass tries again', {
        folder,
        error_type: error instanceof HestiaError ? error.code : 'INTERNAL',
        reason: error instanceof Error ? error.message : undefined,
      });
      return false;
    }
  }

  #logListing(directory: string, listing: DirectoryListing): void {
    if (listing.outcome === 'missing') {
      this.#warnOnce(directory, 'a skill directory does not exist yet', { directory });
    } else if (listing.outcome === 'unreadable') {
      const fields = { directory, error_type: listing.errorCode };
      this.#warnOnce(directory, 'a skill directory cannot be read', fields);
    } else if (!listing.complete) {
      const fields = { directory, folders_max: skillFoldersMax };
      this.#warnOnce(directory, 'a skill directory holds more skills than are read', fields);
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

/** File systems differ in how they spell a name; skills of one name are one skill. */
function nameKeyOf(folder: string): string {
  return basename(folder).normalize('NFKC');
}

function nameTaken(): HestiaError {
  return new HestiaError(
    'CONFLICT',
    'an earlier skill folder has the same name; this one is left out until that one goes',
  );
}

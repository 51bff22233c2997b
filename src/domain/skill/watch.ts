/**
 * The watcher of skill directories: reports new, changed, broken and missing skill folders. The listeners decide what to do.
 */
import { existsSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import type { BackgroundPace } from '../../flow/background-pace.ts';
import { createDebouncedQueue, type DebouncedQueue } from '../../flow/debounced-queue.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { expandDirectories, type SkillDirectory } from './directories.ts';
import { createFileWatch, type FileWatch } from './file-watch.ts';
import { isWithin, readSkillFolder, wasWrittenAfter } from './folder.ts';
import type { NameClaims } from './name-claims.ts';
import { type FolderOutcome, type KnownFolder, mayExist, type PassReport, passReport } from './pass-report.ts';
import { type FoundFolder, linkTargetsOf, type NotSearched, searchSkillFolders } from './search.ts';
import { createWatchLog, type SkillWatchLog, type WatchLog } from './watch-log.ts';

/** A skill folder: its absolute path, and the name of its skill in the registry. */
export interface SkillFolder {
  folder: string;
  name: string;
}

/**
 * Dependencies of the watcher. Calls of listeners for one folder never overlap. A call that rejects is logged and
 * repeated by the next pass.
 */
export interface SkillWatchDeps {
  /** Absolute paths or globs. Each is searched for skill folders, or is one. */
  directories: readonly SkillDirectory[];
  /** Absolute paths that links in the directories may lead to. */
  linkTargets?: readonly string[];
  /** Refuse skills that deviate from the specification. */
  strict?: boolean;
  /** Which folder has which name. */
  claims: NameClaims;
  /** Whether a skill that is not from a directory has this name. */
  isTaken?(name: string): Promise<boolean>;
  /** Whether there were skills of this directory before the start. */
  isExpected(directory: string): boolean;
  /** Called for a new or changed skill. Must be idempotent. */
  onSkill(found: SkillFolder & { document: SkillDocument }): Promise<FolderOutcome>;
  /** Called when a reported folder no longer exists while its directory does. */
  onGone(gone: SkillFolder): Promise<void>;
  /** Called with INVALID_SKILL or PAYLOAD_TOO_LARGE. The skill counts as present. */
  onBroken(broken: SkillFolder & { error: HestiaError }): void;
  /** A pass is slower while requests arrive. */
  pace: Pick<BackgroundPace, 'start'>;
  log: SkillWatchLog;
}

/** The watcher. It is active from `start` until it is disposed. */
export interface SkillWatch extends AsyncDisposable {
  /** Starts watching. Resolves with the report of the first full pass. */
  start(): Promise<PassReport>;
  /** Searches every directory and reports each folder that has changed. Finds changes that the file watchers missed. */
  fullPass(): Promise<PassReport>;
  /** Reads the folder of a skill again and reports it, changed or not. Does nothing for an unknown name. */
  repeat(name: string): Promise<void>;
}

// With these limits a change is reported within two seconds, even during a burst of file events.
const timing = { pauseMs: 150, postponedMsMax: 1000 };

const unwatchable = 'A skill directory cannot be watched completely; full passes still read it';

/** Creates a watcher. Nothing is read before `start`. */
export function createSkillWatch(deps: SkillWatchDeps): SkillWatch {
  return new DirectoryWatch(deps);
}

class DirectoryWatch implements SkillWatch {
  readonly #deps: SkillWatchDeps;
  readonly #files: FileWatch;
  readonly #passes: DebouncedQueue;
  readonly #refreshes: DebouncedQueue;
  readonly #known = new Map<string, KnownFolder>();
  /** The known folder with each real path: of two directories that overlap, the first has the skill. */
  readonly #folderByReal = new Map<string, string>();
  /** The directories of the last full pass, globs expanded, with the prefix of each. */
  #directories: readonly SkillDirectory[] = [];
  /** The identity of each directory that was searched. */
  readonly #identities = new Map<string, string>();
  /** What the last search of each directory left out; undefined if the directory could not be searched. */
  readonly #leftOut = new Map<string, NotSearched[] | undefined>();
  /** Real paths that a skill folder may be in. */
  #allowed = new Set<string>();
  readonly #log: WatchLog;

  constructor(deps: SkillWatchDeps) {
    this.#deps = deps;
    this.#log = createWatchLog(deps.log);
    this.#passes = createDebouncedQueue({ ...timing, run: (directory) => this.#pass(directory) });
    this.#refreshes = createDebouncedQueue({ ...timing, run: (folder) => this.#refresh(folder) });
    this.#files = createFileWatch({
      onChange: (directory, path, isWrite) => this.#onChange(directory, path, isWrite),
      onError: (directory, errorCode) =>
        this.#log.warnOnce(`watching ${directory}`, unwatchable, { directory, error_type: errorCode }),
    });
  }

  async start(): Promise<PassReport> {
    this.#directories = await expandDirectories(this.#deps.directories);
    await Promise.all(this.#directories.map(({ path }) => this.#files.watch(path)));
    return this.fullPass();
  }

  async fullPass(): Promise<PassReport> {
    const found = await expandDirectories(this.#deps.directories);
    const matching = new Set(found.map(({ path }) => path));
    // A directory that no longer matches its glob may be unmounted, and is searched as long as skills of it are known.
    const earlier = this.#directories.filter(({ path }) => !matching.has(path) && this.#knownIn(path).length > 0);
    this.#directories = [...found, ...earlier];
    const paths = this.#directories.map(({ path }) => path);
    this.#allowed = new Set(await linkTargetsOf(paths, this.#deps.linkTargets ?? []));
    for (const { path } of this.#directories) {
      await this.#files.watch(path);
      await this.#passes.run(path);
    }
    return passReport(this.#known, {
      nameOf: (folder) => this.#deps.claims.nameOf(folder) ?? basename(folder),
      directories: this.#directories.map(({ path }) => path),
      leftOut: this.#leftOut,
    });
  }

  async repeat(name: string): Promise<void> {
    const folder = this.#deps.claims.folderOf(name);
    const known = folder === undefined ? undefined : this.#known.get(folder);
    if (folder === undefined || known === undefined) return;
    known.state = '';
    await this.#refreshes.run(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
    await this.#passes[Symbol.asyncDispose]();
    await this.#refreshes[Symbol.asyncDispose]();
  }

  #onChange(directory: string, path: string, isWrite: boolean): void {
    const folder = this.#folderOfFile(path);
    if (folder !== undefined) this.#refreshes.request(folder);
    // A folder that appears or disappears may hold skills, and SKILL.md makes a folder one.
    const isManifest = basename(path).toLowerCase() === 'skill.md';
    if (isManifest || (folder === undefined && !isWrite)) this.#passes.request(directory);
  }

  /** The known folder that a file is in. */
  #folderOfFile(path: string): string | undefined {
    for (let at = path; isAbsolute(at) && at !== join(at, '..'); at = join(at, '..')) {
      const folder = this.#folderByReal.get(at);
      if (folder !== undefined) return folder;
    }
    return undefined;
  }

  #knownIn(directory: string): string[] {
    return [...this.#known].flatMap(([folder, known]) => (known.directory === directory ? [folder] : []));
  }

  async #pass(directory: string): Promise<void> {
    const search = await searchSkillFolders({ directory, linkTargets: [...this.#allowed] });
    this.#log.searched(directory, search);
    if (search.outcome !== 'searched' || this.#isVanished(directory, search)) {
      this.#leftOut.set(directory, undefined);
      return;
    }
    this.#identities.set(directory, search.identity);
    this.#allowed.add(search.root);
    this.#leftOut.set(directory, search.notSearched);
    const found = new Set(search.folders.map(({ folder }) => folder));
    for (const folder of this.#knownIn(directory)) {
      if (!found.has(folder) && !mayExist(search.notSearched, folder)) await this.#reportGone(folder);
    }
    const pause = this.#deps.pace.start();
    let wasRead = false;
    for (const folder of search.folders) {
      if (wasRead) await pause();
      wasRead = await this.#look(directory, folder);
    }
  }

  /** Whether a directory is empty as by an unmount: no skills are left, and it is another directory, or it is a start. */
  #isVanished(
    directory: string,
    { folders, identity }: { folders: readonly FoundFolder[]; identity: string },
  ): boolean {
    const earlier = this.#identities.get(directory);
    if (folders.length > 0 || earlier === identity) return false;
    if (earlier === undefined ? !this.#deps.isExpected(directory) : this.#knownIn(directory).length === 0) return false;
    this.#log.warnOnce(
      `mount ${directory}`,
      'A skill directory is empty, as if it were not mounted; its skills are kept',
      {
        directory,
      },
    );
    return true;
  }

  /** Returns whether the folder was read, since it is new or changed. */
  async #look(directory: string, { folder, real, fingerprint }: FoundFolder): Promise<boolean> {
    const holder = this.#folderByReal.get(real);
    if (holder !== undefined && holder !== folder && this.#known.has(holder)) return false;
    const known = this.#known.get(folder);
    if (known !== undefined && known.real === real && known.fingerprint === fingerprint && known.state !== '') {
      known.outcome = known.outcome === 'published' ? 'unchanged' : known.outcome;
      return false;
    }
    if (known !== undefined) this.#folderByReal.delete(known.real);
    this.#folderByReal.set(real, folder);
    const entry: KnownFolder = known ?? { directory, real, fingerprint, state: '', outcome: 'refused', warned: false };
    // A refresh that is running has the same entry, so it is changed and not replaced.
    this.#known.set(folder, Object.assign(entry, { directory, real }));
    await this.#files.watchLink(directory, real);
    await this.#refreshes.run(folder);
    // A refresh for a file event forgets the fingerprint; this one has read what was found.
    if (entry.state !== '') entry.fingerprint = fingerprint;
    return true;
  }

  async #refresh(folder: string): Promise<void> {
    const known = this.#known.get(folder);
    if (known === undefined) return;
    known.fingerprint = '';
    const readAt = Date.now();
    const name = await this.#claimName(folder, known.directory);
    const { strict = false } = this.#deps;
    const reading = await readSkillFolder(folder, { name, strict, within: [...this.#allowed] });
    if (reading.outcome === 'absent') {
      // Whether the folder is gone or its directory is, a pass finds out.
      if (known.state !== '') this.#passes.request(known.directory);
      known.state = '';
      return;
    }
    const named = { folder, name: name ?? basename(folder) };
    if (reading.outcome === 'broken') {
      // A pass may read a file that is being written; the next reading sees all of it.
      if (known.state !== '' && (await wasWrittenAfter(readAt - timing.pauseMs, known.real))) {
        return this.#refreshes.request(folder);
      }
      const { error } = reading;
      const state = `${error.message} ${JSON.stringify(error.violations)}`;
      await this.#reportState(known, named, state, async () => {
        this.#deps.onBroken({ ...named, error });
        return { outcome: 'refused', warned: false };
      });
    } else {
      const { document } = reading;
      const state = `${document.digest} ${document.frontmatter.name}`;
      await this.#reportState(known, named, state, () => this.#deps.onSkill({ ...named, document }));
    }
  }

  async #claimName(folder: string, directory: string): Promise<string | undefined> {
    const { claims, isTaken } = this.#deps;
    const prefix = this.#directories.find(({ path }) => path === directory)?.prefix;
    for (;;) {
      const name = claims.claim(folder, { prefix, isPresent: (other) => this.#isPresent(other) });
      if (name === undefined || (await isTaken?.(name)) !== true) return name;
      claims.exclude(name);
    }
  }

  /** Whether a folder is known, or is still to be found by the first pass. */
  #isPresent(folder: string): boolean {
    if (this.#known.has(folder)) return true;
    return this.#directories.some(({ path }) => isWithin(folder, path)) && existsSync(folder);
  }

  async #reportState(known: KnownFolder, named: SkillFolder, state: string, listener: () => Promise<FolderOutcome>) {
    if (known.state === state) return;
    known.state = '';
    const result = await this.#callListener(named.folder, listener);
    if (result !== undefined) Object.assign(known, result, { state });
  }

  async #reportGone(folder: string): Promise<void> {
    const known = this.#known.get(folder);
    const name = this.#deps.claims.nameOf(folder) ?? basename(folder);
    this.#known.delete(folder);
    if (known !== undefined) this.#folderByReal.delete(known.real);
    await this.#callListener(folder, () => this.#deps.onGone({ folder, name }));
  }

  async #callListener<T>(folder: string, listener: () => Promise<T>): Promise<T | undefined> {
    try {
      return await listener();
    } catch (error) {
      this.#deps.log.warn('A change in a skill folder was not applied; the next full pass retries it', {
        folder,
        error_type: error instanceof HestiaError ? error.code : 'INTERNAL',
        reason: error instanceof Error ? error.message : undefined,
      });
      return undefined;
    }
  }
}

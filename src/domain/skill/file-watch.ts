/** File watchers of skill directories, and of folders outside that links in them lead to. */
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { settledWithin } from '../../flow/time-limit.ts';
import { fileErrorCode, isWithin } from './folder.ts';
import { isNeverSearched, searchLimits } from './search.ts';

/** The file watchers. Disposal closes them. */
export interface FileWatch extends AsyncDisposable {
  /** Watches a directory, once. Resolves when the watcher is ready, or after ten seconds. */
  watch(directory: string): Promise<void>;
  /** Watches a folder as a part of the directory, unless it is watched already. */
  watchLink(directory: string, real: string): Promise<void>;
}

/** Who is called with each change, as a real path in the directory, and with errors of watching. */
export interface FileWatchDeps {
  /** `isWrite`: the content of a file was written; otherwise something appeared or disappeared. */
  onChange(directory: string, path: string, isWrite: boolean): void;
  onError(directory: string, errorCode: string): void;
}

const readyMsMax = 10_000;
/** Folders in a skill folder that are watched. Full passes read deeper ones. */
const skillDepthMax = 6;

/** Creates the watchers; none watches anything yet. */
export function createFileWatch({ onChange, onError }: FileWatchDeps): FileWatch {
  const watchers = new Map<string, { watcher: FSWatcher; roots: string[] }>();
  let closed = false;
  return {
    watch: async (directory) => {
      if (watchers.has(directory)) return;
      // A configured directory may be a link.
      const root = await realpath(directory).catch(() => directory);
      // Most hubs watch no directory.
      const { watch } = await import('chokidar');
      if (closed || watchers.has(directory)) return;
      const roots = [root];
      const watcher = watch(root, {
        ignoreInitial: true,
        followSymlinks: false,
        depth: searchLimits.depthMax + skillDepthMax,
        ignored: (path) => !roots.includes(path) && isNeverSearched(basename(path)),
      });
      watchers.set(directory, { watcher, roots });
      // While a directory is missing, its ancestors are watched instead.
      watcher.on('all', (event, path) => {
        if (roots.some((at) => isWithin(path, at))) onChange(directory, path, event === 'change');
      });
      watcher.on('error', (error) => onError(directory, fileErrorCode(error)));
      await settledWithin(readyMsMax, new Promise<void>((resolve) => watcher.once('ready', resolve)));
    },
    watchLink: async (directory, real) => {
      const all = [...watchers.values()].flatMap(({ roots }) => roots);
      if (closed || all.some((root) => isWithin(real, root))) return;
      const entry = watchers.get(directory);
      entry?.roots.push(real);
      entry?.watcher.add(real);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...watchers.values()].map(({ watcher }) => watcher.close()));
    },
  };
}

/** Names of skills by folder: the first folder with a name has it, and a second one gets another. Pure. */
import { basename, dirname } from 'node:path';
import { normalisedName, registryName } from './name.ts';

/** Names that folders of skills have in every layout, and that therefore distinguish nothing. */
const layoutNames = new Set(['skills', '.claude', '.agents', '.codex', '.github', 'plugins', 'src']);

/** The names. A folder keeps its name until another takes it over. */
export interface NameClaims {
  /** Records the name that a folder had in an earlier run. */
  remember(folder: string, name: string): void;
  /**
   * The name of a folder: its own, or with its parent folder or `prefix` before it if a present folder has that name. A
   * folder that is new takes the name over from one that is gone, as after a move.
   */
  claim(
    folder: string,
    options: { prefix?: string | undefined; isPresent(folder: string): boolean },
  ): string | undefined;
  /** Takes a name from its folder for good, since a skill from elsewhere has it. */
  exclude(name: string): void;
  folderOf(name: string): string | undefined;
  nameOf(folder: string): string | undefined;
}

/** Creates an empty registry of names. */
export function createNameClaims(): NameClaims {
  const folders = new Map<string, string>();
  const names = new Map<string, string>();
  const excluded = new Set<string>();
  const assign = (folder: string, name: string): string => {
    const holder = folders.get(name);
    if (holder !== undefined) names.delete(holder);
    folders.set(name, folder);
    names.set(folder, name);
    return name;
  };
  return {
    remember: assign,
    claim: (folder, { prefix, isPresent }) => {
      const own = names.get(folder);
      if (own !== undefined) return own;
      for (const name of candidateNames(folder, prefix)) {
        if (excluded.has(name)) continue;
        const holder = folders.get(name);
        if (holder === undefined || holder === folder || !isPresent(holder)) return assign(folder, name);
      }
      return undefined;
    },
    exclude: (name) => {
      excluded.add(name);
      const holder = folders.get(name);
      if (holder !== undefined) names.delete(holder);
      folders.delete(name);
    },
    folderOf: (name) => folders.get(name),
    nameOf: (folder) => names.get(folder),
  };
}

const numberedNamesMax = 1000;

function* candidateNames(folder: string, prefix: string | undefined): Generator<string> {
  const own = normalisedName(basename(folder));
  const name = registryName(own);
  if (name === undefined) return;
  yield name;
  const prefixes = prefix === undefined ? parentNames(folder) : [prefix];
  for (const before of prefixes) {
    const longer = registryName(`${before}-${own}`);
    if (longer !== undefined) yield longer;
  }
  for (let number = 2; number <= numberedNamesMax; number += 1) {
    const numbered = registryName(`${own}-${number}`);
    if (numbered !== undefined) yield numbered;
  }
}

function* parentNames(folder: string): Generator<string> {
  for (let parent = dirname(folder); parent !== dirname(parent); parent = dirname(parent)) {
    const name = basename(parent);
    if (!layoutNames.has(name)) yield name;
  }
}

/** Configured skill directories: globs are expanded to the directories that match now. */
import { glob } from 'node:fs/promises';
import { isNeverSearched } from './search.ts';

/** A configured directory or glob, as an absolute path. `prefix` names its skills whose names are taken. */
export interface SkillDirectory {
  path: string;
  prefix?: string | undefined;
}

/** Directories that one glob may match. */
const matchesMax = 10_000;

/** The directories, each once, in the order configured; those of a glob sorted by path. Never throws. */
export async function expandDirectories(directories: readonly SkillDirectory[]): Promise<SkillDirectory[]> {
  const expanded = new Map<string, SkillDirectory>();
  for (const directory of directories) {
    for (const path of await matchesOf(directory.path)) {
      if (!expanded.has(path)) expanded.set(path, { ...directory, path });
    }
  }
  return [...expanded.values()];
}

async function matchesOf(pattern: string): Promise<string[]> {
  if (!/[*?[{]/.test(pattern)) return [pattern];
  const matches: string[] = [];
  try {
    for await (const entry of glob(pattern, { withFileTypes: true, exclude: ({ name }) => isNeverSearched(name) })) {
      if (entry.isDirectory() || entry.isSymbolicLink()) matches.push(`${entry.parentPath}/${entry.name}`);
      if (matches.length >= matchesMax) break;
    }
  } catch {
    // A pattern below a folder that cannot be read matches what was found until then.
  }
  return matches.sort();
}

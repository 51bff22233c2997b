/** The report of a pass over the skill directories: what was found, and what became of it. Pure. */
import { isWithin } from './folder.ts';
import type { NotSearched } from './search.ts';

/** What became of a folder. `warned`: it deviates from the specification, or the content scan has findings. */
export interface FolderOutcome {
  outcome: 'published' | 'unchanged' | 'refused';
  warned: boolean;
}

/** A folder that was reported. */
export interface KnownFolder extends FolderOutcome {
  directory: string;
  real: string;
  /** Of the files when they were last read; empty if they must be read again. */
  fingerprint: string;
  /** What was last reported; empty if it must be reported again. */
  state: string;
}

/** The result of a full pass. `found` is the sum of `published`, `unchanged` and `refused`. */
export interface PassReport {
  found: number;
  published: number;
  unchanged: number;
  /** Of those published and unchanged. */
  warned: number;
  refused: number;
  notSearched: NotSearched[];
  /** The names of all folders, refused ones included, with whether their skill is published. */
  names: Map<string, { published: boolean }>;
  /** Whether a skill folder that was not found may still exist, since its directory is missing or was not searched. */
  mayExist(folder: string | undefined): boolean;
}

/** What a report is made from. `leftOut` of a directory is undefined if it could not be searched. */
export interface PassReportSource {
  nameOf(folder: string): string;
  directories: readonly string[];
  leftOut: ReadonlyMap<string, readonly NotSearched[] | undefined>;
}

/** The report of a pass after which these folders are known. */
export function passReport(
  folders: ReadonlyMap<string, KnownFolder>,
  { nameOf, directories, leftOut }: PassReportSource,
): PassReport {
  const known = [...folders];
  const count = (outcome: FolderOutcome['outcome']) => known.filter(([, folder]) => folder.outcome === outcome).length;
  return {
    found: known.length,
    published: count('published'),
    unchanged: count('unchanged'),
    warned: known.filter(([, { warned }]) => warned).length,
    refused: count('refused'),
    notSearched: [...leftOut.values()].flatMap((folders) => folders ?? []),
    names: new Map(known.map(([folder, { outcome }]) => [nameOf(folder), { published: outcome !== 'refused' }])),
    mayExist: (folder) =>
      folder === undefined
        ? directories.some((directory) => leftOut.get(directory) === undefined)
        : directories.some((directory) => isWithin(folder, directory) && mayExist(leftOut.get(directory), folder)),
  };
}

/** Whether a folder that was not found may exist: its directory, or a folder above it, was not searched. */
export function mayExist(leftOut: readonly NotSearched[] | undefined, folder: string): boolean {
  if (leftOut === undefined) return true;
  return leftOut.some(({ path, reason }) => reason !== 'link_outside' && isWithin(folder, path));
}

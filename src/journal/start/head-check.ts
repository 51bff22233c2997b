/**
 * Compares the journal at the start with its last signed heads.
 * One is in the journal's folder, one in the head file outside of it. An older copy, an edited tree, a deleted journal and a
 * missing key are refused: signing on would make them look true.
 */
import { join } from 'node:path';
import { type Checkpoint, type CheckpointLine, openCheckpoint, parseCheckpoint } from '../checkpoint.ts';
import {
  type CheckpointFiles,
  checkpointLinesName,
  checkpointName,
  newestCheckpointLine,
  readCheckpointFile,
} from '../checkpoint-files.ts';
import { JournalError } from '../journal-error.ts';
import { frontierRoot } from '../merkle-tree.ts';
import { NoteError, type NoteVerifier, parseNote } from '../signed-note.ts';
import type { LogTree } from '../tree.ts';

/** What the journal is compared with. */
export interface HeadCheckDeps {
  /** The folder of the journal. */
  directory: string;
  /** The file with the second copy of the last signed head, which should be on another volume. */
  headFile: string;
  /** The name of the log. */
  origin: string;
  /** The keys that may have signed the last head; undefined if the file of the signing key is missing. */
  verifiers: readonly NoteVerifier[] | undefined;
}

/** A signed head as it was found. */
interface StoredHead {
  place: string;
  note: string;
}

const startNew = 'or set this journal aside with `hestia audit start-new`';

/**
 * Creates the check, for `openJournal`. A journal without records and without a key is new, and passes.
 * @returns a check that throws JournalError `corrupt`, with what is wrong and what to do
 */
export function createHeadCheck(deps: HeadCheckDeps): (tree: LogTree) => Promise<void> {
  return async (tree) => {
    const heads = await readHeads(deps);
    const { origin, verifiers } = deps;
    if (verifiers === undefined) return assertNew(tree, heads);
    for (const place of [join(deps.directory, checkpointName), deps.headFile])
      if (!heads.some((head) => head.place === place)) throw headMissing(place, heads);
    for (const head of heads) await assertExtends(tree, { ...head, ...openHead(head, { origin, verifiers }) });
  };
}

/**
 * Checks that the head file, if there is one, is of this journal or of an earlier state of it.
 * @throws JournalError `corrupt`
 */
export async function checkHeadFile(
  tree: LogTree,
  { headFile, origin, verifiers }: { headFile: string; origin: string; verifiers: readonly NoteVerifier[] },
): Promise<void> {
  const note = await readCheckpointFile(headFile);
  if (note === undefined) return;
  const head = { place: headFile, note };
  await assertExtends(tree, { ...head, ...openHead(head, { origin, verifiers }) });
}

async function readHeads({ directory, headFile }: HeadCheckDeps): Promise<StoredHead[]> {
  const files = [join(directory, checkpointName), headFile];
  const heads: StoredHead[] = [];
  for (const place of files) {
    const note = await readCheckpointFile(place);
    if (note !== undefined) heads.push({ place, note });
  }
  const line = await newestCheckpointLine(directory);
  return line === undefined ? heads : [...heads, { place: join(directory, checkpointLinesName), note: line.note }];
}

/** Without a key nothing was signed, except for the empty journal, whose head is written before its key is stored. */
function assertNew(tree: LogTree, heads: readonly StoredHead[]): void {
  const signed = heads.find(({ note }) => statedSize(note) !== 0);
  if (tree.size() === 0 && signed === undefined) return;
  throw broken(`the signing key is missing, and the journal is not new; restore the file of the key, ${startNew}`);
}

function statedSize(note: string): number | undefined {
  try {
    return parseCheckpoint(parseNote(note).text).size;
  } catch {
    return undefined;
  }
}

function headMissing(place: string, heads: readonly StoredHead[]): JournalError {
  const other = heads[0]?.place;
  return broken(
    other === undefined
      ? `there is a signing key, but no head that it signed: the journal was deleted; restore it, ${startNew}`
      : `${place}, the signed head, is missing; if its path is new, copy ${other} there; else restore it, ${startNew}`,
  );
}

function openHead(
  { place, note }: StoredHead,
  { origin, verifiers }: { origin: string; verifiers: readonly NoteVerifier[] },
): Checkpoint {
  try {
    return openCheckpoint(note, { origin, verifiers });
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw broken(`${place} is not a head that the key of this hub signed: ${cause.message}; restore it, ${startNew}`);
  }
}

async function assertExtends(tree: LogTree, { place, size, root }: StoredHead & Checkpoint): Promise<void> {
  if (size > tree.size())
    throw broken(
      `it has ${tree.size()} records, and the head in ${place} covers ${size}: records were removed, or an older copy was put back; restore the newer one, ${startNew}`,
    );
  if ((await tree.rootAt(size)).equals(root)) return;
  throw broken(
    `its first ${size} records are not the ones that the head in ${place} signs: it was edited or replaced; restore it, ${startNew}`,
  );
}

function broken(message: string): JournalError {
  return new JournalError('corrupt', message);
}

/** Signs the head of a journal without records, in both places. It must precede the file of the key. @throws Error of the file system */
export async function signEmptyJournal({
  files,
  sign,
  time,
}: {
  files: CheckpointFiles;
  /** Signs a checkpoint of this size and root. */
  sign: (checkpoint: { size: number; root: Buffer }) => string;
  time: string;
}): Promise<void> {
  const line: CheckpointLine = { size: 0, time, note: sign({ size: 0, root: frontierRoot([]) }) };
  await files.append(line);
  await files.writeHead(line.note);
}

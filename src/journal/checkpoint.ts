/** Checkpoints of the log (C2SP tlog-checkpoint): signed notes of its origin, size and Merkle root. */
import { z } from 'zod';
import { hashBytes } from './merkle-tree.ts';
import {
  decodeBase64,
  NoteError,
  type NoteSigner,
  type NoteVerifier,
  type OpenedNote,
  openNote,
  signNote,
} from './signed-note.ts';

/** What a checkpoint states. */
export interface Checkpoint {
  /** The unique name of the log. */
  origin: string;
  /** The number of records. */
  size: number;
  /** The root of the Merkle tree over them: 32 bytes. */
  root: Buffer;
}

/** A checkpoint with a verified signature, and its note. */
export interface OpenedCheckpoint extends Checkpoint {
  note: OpenedNote;
}

/** The text of a checkpoint, without signatures. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Signs a checkpoint. @throws NoteError where the origin cannot be in a note */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(checkpointText(checkpoint), signers);
}

const sizePattern = /^(?:0|[1-9]\d*)$/;

/** Parses the text of a note as a checkpoint. Extension lines are ignored. @throws NoteError where it is not one */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n');
  const root = decodeBase64(encoded);
  const isComplete = text.endsWith('\n') && origin !== '' && !extensions.includes('');
  if (!isComplete || !sizePattern.test(size) || !Number.isSafeInteger(Number(size)) || root?.length !== hashBytes)
    throw new NoteError('the text is not a checkpoint');
  return { origin, size: Number(size), root };
}

/**
 * Verifies a signed checkpoint, and that it is of this log.
 * @throws NoteError where a signature is not valid, none is of a given key, or the checkpoint is of another log
 */
export function openCheckpoint(
  note: string,
  { origin, verifiers }: { origin: string; verifiers: readonly NoteVerifier[] },
): OpenedCheckpoint {
  const opened = openNote(note, verifiers);
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint.origin !== origin)
    throw new NoteError(`the checkpoint is of the log ${checkpoint.origin}, not ${origin}`);
  return { ...checkpoint, note: opened };
}

/** A line of `checkpoints.ndjson`: a signed checkpoint, its size, and when it was signed. */
export const checkpointLineSchema = z.strictObject({
  size: z.int().min(0),
  time: z.iso.datetime(),
  note: z.string(),
});
export type CheckpointLine = z.infer<typeof checkpointLineSchema>;

/** The size that a line begins with, without parsing the line; 0 if it is not a checkpoint. */
export function checkpointSizeOf(line: string): number {
  return Number(/^\{"size":(\d+),/.exec(line)?.[1] ?? 0);
}

/** A checkpoint read from its signed note, before any signature is verified. */
import { type Checkpoint, parseCheckpoint } from '../../../journal/checkpoint.ts';
import { NoteError, parseNote } from '../../../journal/signed-note.ts';
import type { ParsedNote } from './key-ring.ts';

/** A checkpoint and its note. */
export interface CheckpointNote extends Checkpoint {
  parsed: ParsedNote;
  /** The note, verbatim. */
  note: string;
}

/** Reads a checkpoint; returns the reason where the text is not a signed note of one. */
export function readCheckpointNote(note: string): CheckpointNote | { reason: string } {
  try {
    const parsed = parseNote(note);
    return { ...parseCheckpoint(parsed.text), parsed, note };
  } catch (error) {
    if (error instanceof NoteError) return { reason: error.message };
    throw error;
  }
}

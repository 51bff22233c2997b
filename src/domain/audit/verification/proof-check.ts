/**
 * Verifies proofs of a hub's API against the keys that the reader trusts. Pure functions that believe nothing else.
 */

import { holdsConsistency } from '../../../journal/merkle-proof.ts';
import { leafHash } from '../../../journal/merkle-tree.ts';
import { NoteError } from '../../../journal/signed-note.ts';
import { parseTlogProof, verifyTlogProof } from '../../../journal/tlog-proof.ts';
import type { AuditConsistencyProof, AuditInclusionProof } from '../../../shapes/audit-log/proof.ts';
import { type CheckpointNote, readCheckpointNote } from './checkpoint-note.ts';
import { createKeyRing, type TrustedKey } from './key-ring.ts';
import { readRecordLine } from './record-check.ts';

/** Opens a checkpoint; returns the reason where it is not one, or no trusted key signed it. */
export function openTrusted(note: string, keys: readonly TrustedKey[]): CheckpointNote | { reason: string } {
  const checkpoint = readCheckpointNote(note);
  if ('reason' in checkpoint) return checkpoint;
  try {
    const signer = createKeyRing(keys.map((key) => key(checkpoint.origin))).signerOf(checkpoint.parsed);
    return signer === 'trusted' ? checkpoint : { reason: 'the checkpoint has no valid signature of a trusted key' };
  } catch (error) {
    if (error instanceof NoteError)
      return { reason: `the checkpoint is of the log ${checkpoint.origin}: ${error.message}` };
    throw error;
  }
}

/**
 * Verifies that a checkpoint of a trusted key includes the record of this line, which must be record `seq` if that is given.
 * @returns the number of the record and the size of the checkpoint, or the reason
 */
export function checkInclusion(
  { line, proof }: Pick<AuditInclusionProof, 'line' | 'proof'>,
  { seq, keys }: { seq?: number; keys: readonly TrustedKey[] },
): { seq: number; size: number } | { reason: string } {
  try {
    const { index, checkpoint } = parseTlogProof(proof);
    const record = readRecordLine(line);
    if ('reason' in record) return record;
    if (record.seq !== (seq ?? record.seq) || index !== record.seq - 1)
      return { reason: `it is for record ${record.seq} at place ${index + 1}` };
    const opened = openTrusted(checkpoint, keys);
    if ('reason' in opened) return opened;
    const { origin } = opened;
    const verifiers = keys.map((key) => key(origin));
    const { size } = verifyTlogProof(proof, { leaf: leafHash(line), origin, verifiers });
    return { seq: record.seq, size };
  } catch (error) {
    if (error instanceof NoteError) return { reason: error.message };
    throw error;
  }
}

/** Verifies that the newer checkpoint only adds to the one that was kept; returns the reason where it does not. */
export function consistencyFault(
  { kept, proof }: { kept: string; proof: AuditConsistencyProof },
  keys: readonly TrustedKey[],
): string | undefined {
  const first = openTrusted(kept, keys);
  if ('reason' in first) return first.reason;
  const second = openTrusted(proof.note, keys);
  if ('reason' in second) return second.reason;
  if (first.origin !== second.origin) return `it is of the log ${first.origin}, and the trail is ${second.origin}`;
  const path = proof.path.map((node) => Buffer.from(node, 'base64'));
  if (holdsConsistency({ first, second, path })) return undefined;
  return 'the trail of the hub does not only add to it: records up to there were changed';
}

/**
 * Checkpoints that were kept outside of the trail, such as the head file and lines of the log.
 * Each must be a checkpoint of the tree that is verified. They reveal a trail that was cut off, put back, or written anew.
 */
import type { GrowingTree } from '../../../journal/merkle-tree.ts';
import type { TrailFault } from '../../../shapes/audit-log/verdict.ts';
import { type CheckpointNote, readCheckpointNote } from './checkpoint-note.ts';
import type { KeyRing } from './key-ring.ts';

/** The kept checkpoints of one verification. */
export interface KeptCheckpoints {
  /** Compares those of the tree's present size with its root. Call it at the size where the trail begins, and at each after. */
  faultAt(tree: GrowingTree): TrailFault | undefined;
  /** Checks that the trail reached all of them, and that a trusted key signed each. */
  endFault(trail: { firstSeq: number; lastSeq: number; keys: KeyRing }): TrailFault | undefined;
}

/** Reads the kept notes; returns the fault of one that is not a checkpoint of the log with this origin. */
export function createKeptCheckpoints(notes: readonly string[], origin: string): KeptCheckpoints | TrailFault {
  const kept: CheckpointNote[] = [];
  for (const note of notes) {
    const checkpoint = readCheckpointNote(note);
    if ('reason' in checkpoint) return { seq: 0, reason: `a checkpoint kept elsewhere: ${checkpoint.reason}` };
    const { size } = checkpoint;
    if (checkpoint.origin !== origin)
      return keptFault(size, `it is of the log ${checkpoint.origin}, and the trail is ${origin}`);
    kept.push(checkpoint);
  }
  kept.sort((left, right) => left.size - right.size);
  let next = 0;
  return {
    faultAt: (tree) => {
      const size = tree.size();
      // Those before the trail begins are passed by; `endFault` reports them.
      while ((kept[next]?.size ?? size) < size) next += 1;
      for (; kept[next]?.size === size; next += 1) {
        if (kept[next]?.root.equals(tree.root()) === false)
          return keptFault(size, 'the trail is not the one that it signs: records up to there were changed');
      }
      return undefined;
    },
    endFault: (trail) => keptEndFault(kept, trail),
  };
}

function keptEndFault(
  kept: readonly CheckpointNote[],
  { firstSeq, lastSeq, keys }: { firstSeq: number; lastSeq: number; keys: KeyRing },
): TrailFault | undefined {
  const last = kept.at(-1)?.size ?? 0;
  if (last > lastSeq)
    return {
      ...keptFault(
        last,
        `it covers record ${last}, but the trail ends with record ${lastSeq}: its end was cut off, or an older copy was put back`,
      ),
      seq: lastSeq + 1,
      lastSeq: last,
    };
  const early = kept.find(({ size }) => size < firstSeq - 1);
  if (early !== undefined)
    return keptFault(early.size, `it covers records that retention deleted: there is nothing left to compare it with`);
  const unsigned = kept.find(({ parsed }) => keys.signerOf(parsed) !== 'trusted');
  if (unsigned !== undefined) return keptFault(unsigned.size, 'it has no valid signature of a trusted key');
  return undefined;
}

function keptFault(size: number, reason: string): TrailFault {
  return { seq: size, checkpoint: size, reason: `a checkpoint over ${size} records was kept elsewhere: ${reason}` };
}

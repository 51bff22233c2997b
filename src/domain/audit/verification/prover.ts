/** Creates inclusion and consistency proofs (RFC 6962) from the tree of the journal. */
import type { CheckpointLine } from '../../../journal/checkpoint.ts';
import { formatTlogProof } from '../../../journal/tlog-proof.ts';
import type { AuditConsistencyProof, AuditInclusionProof } from '../../../shapes/audit-log/proof.ts';
import { HestiaError, notFound } from '../../../shapes/error.ts';
import type { TrailSources } from './trail-lines.ts';

/** Creates proofs. Errors: NOT_FOUND, CONFLICT, STORAGE_FAILED. */
export interface AuditProver {
  /**
   * Proves that a checkpoint covers record `seq`: that of this size, or the newest.
   * @throws HestiaError NOT_FOUND where the record or the checkpoint is not stored; CONFLICT where it does not cover the record
   */
  inclusion(seq: number, size: number | undefined): Promise<AuditInclusionProof>;
  /**
   * Proves that the checkpoint of size `to`, or the newest, only adds to the first `from` records.
   * @throws HestiaError INVALID_REQUEST where `to` is smaller than `from`; CONFLICT where no checkpoint covers `from` records
   */
  consistency(from: number, to: number | undefined): Promise<AuditConsistencyProof>;
}

/** What proofs are made from. */
export type ProofSources = Pick<TrailSources, 'journal' | 'checkpoints'> & {
  /** The newest checkpoint. */
  newest: () => CheckpointLine | undefined;
};

/** Creates the prover. */
export function createAuditProver(sources: ProofSources): AuditProver {
  const { journal } = sources;
  return {
    inclusion: async (seq, size) => {
      const line = await readLine(sources, seq);
      const checkpoint = await readCheckpoint(sources, size);
      if (checkpoint === undefined || checkpoint.size < seq) {
        const which = size === undefined ? 'a checkpoint yet' : 'that checkpoint';
        throw new HestiaError('CONFLICT', `record ${seq} is not under ${which}`);
      }
      const path = await journal.tree.inclusionProof(seq - 1, checkpoint.size);
      return { seq, line, proof: formatTlogProof({ index: seq - 1, path, checkpoint: checkpoint.note }) };
    },
    consistency: async (from, to) => {
      const checkpoint = await readCheckpoint(sources, to);
      if (checkpoint === undefined || (to === undefined && checkpoint.size < from))
        throw new HestiaError('CONFLICT', `no checkpoint covers ${from} records`);
      if (checkpoint.size < from)
        throw new HestiaError('INVALID_REQUEST', `from: found ${from}, must be at most to (${checkpoint.size})`);
      const path = await journal.tree.consistencyProof(from, checkpoint.size);
      const { size, note } = checkpoint;
      return { from, to: size, path: path.map((node) => node.toString('base64')), note };
    },
  };
}

async function readLine({ journal }: ProofSources, seq: number): Promise<string> {
  if (seq < journal.firstSeq() || seq > journal.tree.size()) throw notFound('record');
  for await (const page of journal.read({ from: seq, to: seq })) {
    for (const { line } of page) return line;
  }
  throw notFound('record');
}

/** The checkpoint of this size, or the newest one. @throws HestiaError NOT_FOUND where no checkpoint has this size */
async function readCheckpoint(
  { checkpoints, newest }: ProofSources,
  size: number | undefined,
): Promise<CheckpointLine | undefined> {
  if (size === undefined) return newest();
  for await (const checkpoint of checkpoints({ after: size - 1, until: size })) return checkpoint;
  throw notFound('checkpoint');
}

/** Creates inclusion and consistency proofs (RFC 6962) from the stored audit trail. */
import { setImmediate } from 'node:timers/promises';
import type { AuditCheckpoint, AuditConsistencyProof, AuditInclusionProof } from '../../shapes/audit-checkpoint.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { treeLevelMin } from '../../stores/audit-checkpoint-store.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { consistencyPath, frontierLength, inclusionPath, leafHash, nodeHash, type RangeHash } from './merkle-tree.ts';
import { readAnchor, type TrailSources } from './trail-lines.ts';

/** Creates proofs. Errors: NOT_FOUND, CONFLICT, STORAGE_FAILED. */
export interface AuditProver {
  /**
   * Proves that a checkpoint covers record `seq`; the latest checkpoint if no number is given.
   * @throws HestiaError CONFLICT where no checkpoint covers the record yet, or this one does not
   */
  inclusion(seq: number, checkpointNumber: number | undefined): Promise<AuditInclusionProof>;
  /**
   * Proves that checkpoint `to` only appends to checkpoint `from`; the latest checkpoint if `to` is not given.
   * @throws HestiaError INVALID_REQUEST where `to` is earlier than `from`
   */
  consistency(from: number, to: number | undefined): Promise<AuditConsistencyProof>;
}

/** Creates the prover. */
export function createAuditProver(sources: TrailSources): AuditProver {
  return {
    inclusion: async (seq, checkpointNumber) => {
      const [record] = await sources.auditStore.list({ after: seq - 1, limit: 1 });
      const [row] = await sources.auditStore.listRaw({ after: seq - 1, until: seq, limit: 1 });
      if (record === undefined || row === undefined) throw notFound('record');
      const checkpoint = await readCheckpoint(sources, checkpointNumber);
      if (checkpoint === undefined || checkpoint.last_seq < seq) {
        throw new HestiaError(
          'CONFLICT',
          `record ${seq} is not under ${checkpointNumber === undefined ? 'a checkpoint yet' : 'that checkpoint'}`,
        );
      }
      const path = await inclusionPath(seq - 1, checkpoint.last_seq, await createRangeHash(sources));
      return { record, leafHash: leafHash(row.body), path, checkpoint };
    },
    consistency: async (from, to) => {
      const first = await readCheckpoint(sources, from);
      const second = await readCheckpoint(sources, to);
      if (first === undefined || second === undefined) throw notFound('checkpoint');
      if (first.number > second.number) {
        throw new HestiaError('INVALID_REQUEST', `from: found ${from}, must be at most to (${second.number})`);
      }
      const path = await consistencyPath(first.last_seq, second.last_seq, await createRangeHash(sources));
      return { from: first, to: second, path };
    },
  };
}

/** @throws HestiaError NOT_FOUND where no checkpoint has this number; CONFLICT where the stored text is not a checkpoint */
async function readCheckpoint(
  { checkpointStore }: TrailSources,
  number: number | undefined,
): Promise<AuditCheckpoint | undefined> {
  const stored = number === undefined ? await checkpointStore.last() : await checkpointStore.find(number);
  if (stored === undefined) {
    if (number === undefined) return undefined;
    throw notFound('checkpoint');
  }
  const checkpoint = parseCheckpoint(stored.body);
  if ('reason' in checkpoint) throw new HestiaError('CONFLICT', 'the stored checkpoint is not valid; verify the trail');
  return checkpoint;
}

/**
 * Computes the hash of any range of leaves that a proof needs: from stored nodes where they exist, from records below that
 * level, and from the frontier of the anchor for pruned records.
 */
async function createRangeHash(sources: TrailSources): Promise<RangeHash> {
  const anchor = await readAnchor(sources);
  const readLeaves = createLeafReader(sources);

  const perfect = async (level: number, index: number): Promise<string> => {
    const start = index * 2 ** level;
    const end = start + 2 ** level;
    if (end <= anchor.seq) return frontierNode(anchor, level, index);
    const stored = level < treeLevelMin ? undefined : await sources.checkpointStore.node({ level, index });
    if (stored !== undefined) return stored;
    if (level === 0) return readLeaves(start);
    return nodeHash(await perfect(level - 1, index * 2), await perfect(level - 1, index * 2 + 1));
  };
  return async function rangeHash(start, end): Promise<string> {
    const level = Math.floor(Math.log2(end - start));
    const size = 2 ** level;
    if (size === end - start) return perfect(level, start / size);
    return nodeHash(await perfect(level, start / size), await rangeHash(start + size, end));
  };
}

/** The hash of a pruned subtree, known only for roots of the anchor's frontier. Proofs above the anchor need no other. */
function frontierNode({ seq, frontier }: { seq: number; frontier: string[] }, level: number, index: number): string {
  const isRoot = Math.floor(seq / 2 ** level) % 2 === 1 && index === Math.floor(seq / 2 ** level) - 1;
  const node = isRoot ? frontier[frontierLength(Math.floor(seq / 2 ** (level + 1)))] : undefined;
  if (node === undefined) throw new HestiaError('CONFLICT', 'the proof needs records that were pruned');
  return node;
}

/** Reads leaf hashes by position, from records in blocks of the size of the smallest stored subtree. */
function createLeafReader({ auditStore }: TrailSources): (position: number) => Promise<string> {
  const blocks = new Map<number, Map<number, string>>();
  const blockSize = 2 ** treeLevelMin;
  return async (position) => {
    const start = Math.floor(position / blockSize) * blockSize;
    let block = blocks.get(start);
    if (block === undefined) {
      const rows = await auditStore.listRaw({ after: start, until: start + blockSize, limit: blockSize });
      block = new Map(rows.map(({ seq, body }) => [seq - 1, leafHash(body)]));
      blocks.set(start, block);
      await setImmediate();
    }
    const leaf = block.get(position);
    if (leaf === undefined) throw new HestiaError('CONFLICT', `record ${position + 1} is missing; verify the trail`);
    return leaf;
  };
}

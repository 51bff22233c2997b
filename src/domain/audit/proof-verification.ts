/**
 * Verifies Merkle inclusion and consistency proofs against signed roots (RFC 6962, RFC 9162). Pure functions that trust
 * nothing but the public key they are given.
 */
import canonicalize from 'canonicalize';
import type { AuditConsistencyProof, AuditInclusionProof } from '../../shapes/audit-checkpoint.ts';
import { signatureFault, type VerifyingKey } from './checkpoint.ts';
import { frontierLength, leafHash, nodeHash } from './merkle-tree.ts';

/** The claim that a leaf is in a tree: its hash and index, the audit path, and the size and root of the tree. */
export interface InclusionClaim {
  leaf: string;
  /** Counted from 0. */
  index: number;
  size: number;
  path: readonly string[];
  root: string;
}

/** Reports whether the path proves that the leaf is in the tree (RFC 9162, section 2.1.3.2). */
export function holdsInclusion({ leaf, index, size, path, root }: InclusionClaim): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let node = leaf;
  let position = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && node === root;
}

/** The claim that the second tree extends the first: size and root of both, and the path between them. */
export interface ConsistencyClaim {
  first: { size: number; root: string };
  second: { size: number; root: string };
  path: readonly string[];
}

/** Reports whether the path proves that the second tree only appends to the first (RFC 9162, section 2.1.4.2). */
export function holdsConsistency({ first, second, path }: ConsistencyClaim): boolean {
  if (first.size < 1 || first.size > second.size) return false;
  if (first.size === second.size) return path.length === 0 && first.root === second.root;
  const isPerfect = frontierLength(first.size) === 1;
  const [start, ...rest] = isPerfect ? [first.root, ...path] : path;
  if (start === undefined) return false;
  let position = first.size - 1;
  let last = second.size - 1;
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let [firstRoot, secondRoot] = [start, start];
  for (const node of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      firstRoot = nodeHash(node, firstRoot);
      secondRoot = nodeHash(node, secondRoot);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      secondRoot = nodeHash(secondRoot, node);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && firstRoot === first.root && secondRoot === second.root;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

/** Verifies record, path and signature of an inclusion proof; returns the reason where it does not hold, else `undefined`. */
export function inclusionFault(
  { record, leafHash: leaf, path, checkpoint }: AuditInclusionProof,
  key: VerifyingKey,
): string | undefined {
  if (leafHash(canonicalize(record) ?? '') !== leaf) return 'the record does not have the leaf hash given with it';
  if (record.writer_id !== checkpoint.writer_id) return 'the record and the checkpoint are of different writers';
  const size = checkpoint.last_seq;
  if (!holdsInclusion({ leaf, index: record.seq - 1, size, path, root: checkpoint.root_hash }))
    return 'the path does not lead from the record to the root of the checkpoint';
  return signatureFault(checkpoint, key);
}

/** Verifies the path and both signatures of a consistency proof; returns the reason where it does not hold, else `undefined`. */
export function consistencyFault({ from, to, path }: AuditConsistencyProof, key: VerifyingKey): string | undefined {
  if (from.writer_id !== to.writer_id) return 'the checkpoints are of different writers';
  const first = { size: from.last_seq, root: from.root_hash };
  const second = { size: to.last_seq, root: to.root_hash };
  if (!holdsConsistency({ first, second, path })) return 'the later checkpoint does not only add to the earlier one';
  return signatureFault(from, key) ?? signatureFault(to, key);
}

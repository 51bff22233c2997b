/**
 * Verifies Merkle inclusion and consistency proofs (RFC 6962, RFC 9162).
 * Pure functions over Buffers of 32 bytes, which trust nothing but the roots they are given.
 */
import { frontierLength, nodeHash } from './merkle-tree.ts';

/** The claim that a leaf is in a tree: its hash and index, the audit path, and the size and root of the tree. */
export interface InclusionClaim {
  leaf: Buffer;
  /** Counted from 0. */
  index: number;
  size: number;
  path: readonly Buffer[];
  root: Buffer;
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
  return last === 0 && node.equals(root);
}

/** The claim that the second tree extends the first: size and root of both, and the path between them. */
export interface ConsistencyClaim {
  first: { size: number; root: Buffer };
  second: { size: number; root: Buffer };
  path: readonly Buffer[];
}

/** Reports whether the path proves that the second tree only appends to the first (RFC 9162, section 2.1.4.2). */
export function holdsConsistency({ first, second, path }: ConsistencyClaim): boolean {
  if (first.size < 1 || first.size > second.size) return false;
  if (first.size === second.size) return path.length === 0 && first.root.equals(second.root);
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
  return last === 0 && firstRoot.equals(first.root) && secondRoot.equals(second.root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

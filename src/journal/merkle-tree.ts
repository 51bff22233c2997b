/**
 * Merkle tree hashes and proof paths (RFC 6962, section 2.1): leaves, nodes, roots.
 * Pure functions over Buffers of 32 bytes. A growing tree is kept as its frontier: the roots of its perfect subtrees, the
 * largest first.
 */
import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';

/** The length of a hash, in bytes. */
export const hashBytes = 32;

/** The hash of a leaf: SHA-256 of 0x00 and the bytes; a string stands for its UTF-8 bytes. */
export function leafHash(line: Uint8Array | string): Buffer {
  if (typeof line === 'string') return sha256(`\0${line}`);
  const prefixed = Buffer.allocUnsafe(line.length + 1);
  prefixed[0] = 0;
  prefixed.set(line, 1);
  return sha256(prefixed);
}

/** SHA-256 by way of a string of bytes: half the time of a Buffer from `hash`, which has memory of its own. */
function sha256(data: string | Buffer): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

/** The input of {@link nodeHash}, reused because it is hashed synchronously. */
const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 1);

/** The hash of an inner node: SHA-256 of 0x01 and the two child hashes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return sha256(nodeInput);
}

/** A perfect subtree that an appended leaf completed: the root of the leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export interface TreeNode {
  level: number;
  index: number;
  hash: Buffer;
}

/** A tree to which leaves are appended. */
export interface GrowingTree {
  size(): number;
  frontier(): readonly Buffer[];
  root(): Buffer;
  /** Appends a leaf hash. Calls `onNode` for each perfect subtree of two or more leaves that it completes, the smallest first. */
  append(leaf: Buffer, onNode?: (node: TreeNode) => void): void;
}

/**
 * Creates a tree that continues from `size` leaves with this frontier.
 * @throws AssertionError where the frontier does not have one root for each bit of `size`
 */
export function growTree({ size: sizeBefore, frontier }: { size: number; frontier: readonly Buffer[] }): GrowingTree {
  assert.equal(frontier.length, frontierLength(sizeBefore), 'a frontier has one root for each bit of the size');
  let size = sizeBefore;
  const roots = [...frontier];
  return {
    size: () => size,
    frontier: () => [...roots],
    root: () => frontierRoot(roots),
    append: (leaf, onNode) => {
      let node = leaf;
      let index = size;
      for (let level = 1; index % 2 === 1; level += 1) {
        const left = roots.pop();
        assert(left !== undefined, 'an odd count has a root to merge with');
        node = nodeHash(left, node);
        index = Math.floor(index / 2);
        onNode?.({ level, index, hash: node });
      }
      roots.push(node);
      size += 1;
    },
  };
}

/** The number of perfect subtrees in a tree of `size` leaves: the number of bits set in `size`. */
export function frontierLength(size: number): number {
  let length = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) length += rest % 2;
  return length;
}

/** The perfect subtrees of a tree of `size` leaves, the largest first. */
export function frontierNodes(size: number): { level: number; index: number }[] {
  const nodes: { level: number; index: number }[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) nodes.unshift({ level, index: rest - 1 });
  }
  return nodes;
}

/** The root of the tree with this frontier; SHA-256 of the empty string for the empty tree. */
export function frontierRoot(frontier: readonly Buffer[]): Buffer {
  if (frontier.length === 0) return hash('sha256', '', 'buffer');
  return frontier.reduceRight((right, left) => nodeHash(left, right));
}

/** Returns the subtree hash of the leaves from `start` to `end`, `end` excluded. */
export type RangeHash = (start: number, end: number) => Promise<Buffer>;

/** Returns the root of a perfect subtree: the leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export type SubtreeHash = (level: number, index: number) => Promise<Buffer>;

/** The hash of any range that RFC 6962 hashes, computed from the roots of its perfect subtrees. */
export function rangeHashOf(subtree: SubtreeHash): RangeHash {
  return async function rangeHash(start, end): Promise<Buffer> {
    const level = Math.floor(Math.log2(end - start));
    const size = 2 ** level;
    const left = await subtree(level, start / size);
    return size === end - start ? left : nodeHash(left, await rangeHash(start + size, end));
  };
}

/** The audit path of a leaf: PATH(index, D[size]) of RFC 6962, section 2.1.1. */
export async function inclusionPath(index: number, size: number, rangeHash: RangeHash): Promise<Buffer[]> {
  assert(index >= 0 && index < size, 'the leaf is in the tree');
  const path: Buffer[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.unshift(await rangeHash(middle, end));
      end = middle;
    } else {
      path.unshift(await rangeHash(start, middle));
      start = middle;
    }
  }
  return path;
}

/** The consistency path between two sizes: PROOF(first, D[second]) of RFC 6962, section 2.1.2; empty for equal sizes. */
export async function consistencyPath(first: number, second: number, rangeHash: RangeHash): Promise<Buffer[]> {
  assert(first > 0 && first <= second, 'the first tree is not empty and not larger than the second');
  const path: Buffer[] = [];
  let [start, end] = [0, second];
  // Before any step to the right, the range that remains is the first tree itself, whose root the verifier has. After one, it
  // is a subtree that the verifier lacks.
  let isFirstTree = true;
  while (end > first) {
    const middle = start + splitPoint(end - start);
    if (first <= middle) {
      path.unshift(await rangeHash(middle, end));
      end = middle;
    } else {
      path.unshift(await rangeHash(start, middle));
      start = middle;
      isFirstTree = false;
    }
  }
  if (!isFirstTree) path.unshift(await rangeHash(start, end));
  return path;
}

/** The largest power of two below `count`, which is at least 2. */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/**
 * The Merkle tree over all records (RFC 6962, section 2.1): leaves, nodes, roots and proof paths. Pure functions; hashes are
 * hexadecimal. A growing tree is stored as its frontier: the roots of its perfect subtrees, the largest first.
 */
import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import type { AuditTreeNode } from '../../shapes/audit-checkpoint.ts';

/** The hash of a leaf: SHA-256 of 0x00 and the UTF-8 bytes. */
export function leafHash(body: string): string {
  return hash('sha256', `\0${body}`);
}

/** The hash of an inner node: SHA-256 of 0x01 and the two child hashes. */
export function nodeHash(left: string, right: string): string {
  return hash('sha256', Buffer.from(`01${left}${right}`, 'hex'));
}

/** A tree to which leaves are appended. */
export interface GrowingTree {
  size(): number;
  frontier(): readonly string[];
  root(): string;
  /** Appends a leaf hash. Returns the roots of the perfect subtrees of two or more leaves that it completes. */
  append(leaf: string): AuditTreeNode[];
}

/**
 * Creates a tree that continues from `size` leaves with this frontier.
 * @throws AssertionError where the frontier does not have one root for each bit of `size`
 */
export function growTree({ size: sizeBefore, frontier }: { size: number; frontier: readonly string[] }): GrowingTree {
  assert.equal(frontier.length, frontierLength(sizeBefore), 'a frontier has one root for each bit of the size');
  let size = sizeBefore;
  const roots = [...frontier];
  return {
    size: () => size,
    frontier: () => [...roots],
    root: () => frontierRoot(roots),
    append: (leaf) => {
      const completed: AuditTreeNode[] = [];
      let node = leaf;
      let index = size;
      for (let level = 1; index % 2 === 1; level += 1) {
        const left = roots.pop();
        assert(left !== undefined, 'an odd count has a root to merge with');
        node = nodeHash(left, node);
        index = Math.floor(index / 2);
        completed.push({ level, index, hash: node });
      }
      roots.push(node);
      size += 1;
      return completed;
    },
  };
}

/** The number of perfect subtrees in a tree of `size` leaves: the number of bits set in `size`. */
export function frontierLength(size: number): number {
  let length = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) length += rest % 2;
  return length;
}

/** The root of the tree with this frontier; SHA-256 of the empty string for the empty tree. */
export function frontierRoot(frontier: readonly string[]): string {
  if (frontier.length === 0) return hash('sha256', '');
  return frontier.reduceRight((right, left) => nodeHash(left, right));
}

/** Returns the subtree hash of the leaves from `start` to `end`, `end` excluded. */
export type RangeHash = (start: number, end: number) => Promise<string>;

/** The audit path of a leaf: PATH(index, D[size]) of RFC 6962, section 2.1.1. */
export async function inclusionPath(index: number, size: number, rangeHash: RangeHash): Promise<string[]> {
  assert(index >= 0 && index < size, 'the leaf is in the tree');
  const path: string[] = [];
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
export async function consistencyPath(first: number, second: number, rangeHash: RangeHash): Promise<string[]> {
  assert(first > 0 && first <= second, 'the first tree is not empty and not larger than the second');
  const path: string[] = [];
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

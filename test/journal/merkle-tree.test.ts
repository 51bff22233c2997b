/** The Merkle tree and its proofs, compared with a literal implementation of the definitions in RFC 6962. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsConsistency, holdsInclusion } from '../../src/journal/merkle-proof.ts';
import {
  consistencyPath,
  frontierLength,
  frontierNodes,
  growTree,
  inclusionPath,
  leafHash,
  type RangeHash,
  rangeHashOf,
  type TreeNode,
} from '../../src/journal/merkle-tree.ts';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const largestPowerBelow = (count: number) => {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
};

/** MTH of section 2.1. */
function treeHash(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.from([0]), Buffer.from(leaves[0] ?? '', 'utf8'));
  const k = largestPowerBelow(leaves.length);
  return sha256(Buffer.from([1]), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** PATH of section 2.1.1. */
function pathOf(m: number, leaves: readonly string[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = largestPowerBelow(leaves.length);
  return m < k
    ? [...pathOf(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...pathOf(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

/** SUBPROOF of section 2.1.2. */
function subproof(m: number, leaves: readonly string[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [treeHash(leaves)];
  const k = largestPowerBelow(leaves.length);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), isWhole), treeHash(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))];
}

const grown = (leaves: readonly (string | Buffer)[]) => {
  const tree = growTree({ size: 0, frontier: [] });
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
};
const hashOf =
  (leaves: readonly string[]): RangeHash =>
  async (start, end) =>
    treeHash(leaves.slice(start, end));
const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => `record ${index} ž`);
const flipped = (digest: Buffer, at: number) => {
  const changed = Buffer.from(digest);
  changed[at % 32] = (changed[at % 32] ?? 0) ^ 1;
  return changed;
};

const someLeaves = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 70 });

/** Leaves and roots after each of them, as in the tests of github.com/google/certificate-transparency and its successors. */
const knownLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the tree', () => {
  test('has the roots of the test vectors of Certificate Transparency', () => {
    const roots = knownRoots.map((_, size) => grown(knownLeaves.slice(0, size)).root().toString('hex'));
    expect(roots).toEqual(knownRoots);
  });

  test('has the root that RFC 6962 defines after each appended leaf', () => {
    fc.assert(
      fc.property(someLeaves, (leaves) => {
        expect(grown(leaves).root()).toEqual(treeHash(leaves));
      }),
    );
  });

  test('continues from any frontier to the same root', () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), (leaves, cut) => {
        const first = grown(leaves.slice(0, cut % leaves.length));
        const second = growTree({ size: first.size(), frontier: first.frontier() });
        for (const leaf of leaves.slice(first.size())) second.append(leafHash(leaf));
        expect(second.root()).toEqual(treeHash(leaves));
        expect(second.frontier()).toHaveLength(frontierLength(leaves.length));
        expect(frontierNodes(leaves.length)).toHaveLength(frontierLength(leaves.length));
      }),
    );
  });

  test('reports each perfect subtree once, when it is completed', () => {
    const leaves = leavesOf(37);
    const tree = growTree({ size: 0, frontier: [] });
    const nodes: TreeNode[] = [];
    for (const leaf of leaves) tree.append(leafHash(leaf), (node) => nodes.push(node));
    expect(nodes).toHaveLength(18 + 9 + 4 + 2 + 1);
    for (const { level, index, hash } of nodes) {
      expect(hash).toEqual(treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));
    }
  });

  test('refuses a frontier that does not match its size', () => {
    expect(() => growTree({ size: 3, frontier: [Buffer.alloc(32)] })).toThrow('one root for each bit');
  });

  test('hashes a string as its UTF-8 bytes', () => {
    expect(leafHash('ž{}')).toEqual(leafHash(Buffer.from('ž{}', 'utf8')));
  });

  test('has the hash of any range, from its perfect subtrees', async () => {
    const leaves = leavesOf(40);
    const rangeHash = rangeHashOf(async (level, index) =>
      treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
    for (let size = 1; size <= 40; size += 1) expect(await rangeHash(0, size)).toEqual(treeHash(leaves.slice(0, size)));
  });
});

describe('an inclusion proof', () => {
  test('is the path of RFC 6962 and verifies, for each leaf of each tree of up to 40 leaves', async () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size);
      const root = treeHash(leaves);
      for (let index = 0; index < size; index += 1) {
        const path = await inclusionPath(index, size, hashOf(leaves));
        expect(path).toEqual(pathOf(index, leaves));
        expect(holdsInclusion({ leaf: leafHash(leaves[index] ?? ''), index, size, path, root })).toBe(true);
      }
    }
  });

  test('does not verify with another leaf, index, size, path or root', async () => {
    await fc.assert(
      fc.asyncProperty(someLeaves, fc.nat(), fc.nat({ max: 63 }), fc.nat(), async (leaves, at, byte, which) => {
        const size = leaves.length;
        const index = at % size;
        const path = await inclusionPath(index, size, hashOf(leaves));
        const claim = { leaf: leafHash(leaves[index] ?? ''), index, size, path, root: treeHash(leaves) };
        expect(holdsInclusion(claim)).toBe(true);
        expect(holdsInclusion({ ...claim, leaf: flipped(claim.leaf, byte) })).toBe(false);
        expect(holdsInclusion({ ...claim, root: flipped(claim.root, byte) })).toBe(false);
        expect(holdsInclusion({ ...claim, index: size })).toBe(false);
        expect(holdsInclusion({ ...claim, index: -1 })).toBe(false);
        expect(holdsInclusion({ ...claim, path: [...path, claim.leaf] })).toBe(false);
        const step = which % Math.max(path.length, 1);
        const changed = path.map((node, position) => (position === step ? flipped(node, byte) : node));
        if (path.length > 0) {
          expect(holdsInclusion({ ...claim, path: changed })).toBe(false);
          expect(holdsInclusion({ ...claim, path: path.slice(1) })).toBe(false);
          expect(holdsInclusion({ ...claim, path: path.slice(0, -1) })).toBe(false);
        }
      }),
    );
  });
});

describe('a consistency proof', () => {
  test('is the path of RFC 6962 and verifies, between all sizes up to 33', async () => {
    for (let second = 1; second <= 33; second += 1) {
      const leaves = leavesOf(second);
      for (let first = 1; first <= second; first += 1) {
        const path = await consistencyPath(first, second, hashOf(leaves));
        expect(path).toEqual(subproof(first, leaves, true));
        const trees = {
          first: { size: first, root: treeHash(leaves.slice(0, first)) },
          second: { size: second, root: treeHash(leaves) },
        };
        expect(holdsConsistency({ ...trees, path })).toBe(true);
      }
    }
  });

  test('does not verify if a leaf of the first tree or a node of the path was changed', async () => {
    await fc.assert(
      fc.asyncProperty(someLeaves, fc.nat(), fc.nat(), fc.nat({ max: 63 }), async (leaves, at, which, byte) => {
        const second = leaves.length;
        const first = (at % second) + 1;
        const path = await consistencyPath(first, second, hashOf(leaves));
        const rewritten = leaves.map((leaf, index) => (index === which % first ? `${leaf}!` : leaf));
        const claim = {
          first: { size: first, root: treeHash(leaves.slice(0, first)) },
          second: { size: second, root: treeHash(leaves) },
          path,
        };
        expect(holdsConsistency(claim)).toBe(true);
        const forged = {
          ...claim,
          second: { size: second, root: treeHash(rewritten) },
          path: await consistencyPath(first, second, hashOf(rewritten)),
        };
        expect(holdsConsistency(forged)).toBe(false);
        expect(holdsConsistency({ ...claim, path: [...path, claim.first.root] })).toBe(false);
        expect(holdsConsistency({ ...claim, first: { ...claim.first, size: 0 } })).toBe(false);
        expect(holdsConsistency({ ...claim, first: { ...claim.first, size: second + 1 } })).toBe(false);
        const step = which % Math.max(path.length, 1);
        const changed = path.map((node, position) => (position === step ? flipped(node, byte) : node));
        if (path.length > 0) expect(holdsConsistency({ ...claim, path: changed })).toBe(false);
      }),
    );
  });
});

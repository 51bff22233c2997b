/** The tree of the journal with its tile files: proofs over sizes, restarts, deleted records and lost files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { holdsConsistency, holdsInclusion } from '../../src/journal/merkle-proof.ts';
import { growTree, leafHash } from '../../src/journal/merkle-tree.ts';
import { parseTileIndex, tileIndexPath } from '../../src/journal/tile.ts';
import { type LogTree, openLogTree } from '../../src/journal/tree.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-tree-'));
  folders.push(folder);
  return folder;
}

const leaves = Array.from({ length: 66_400 }, (_, index) => leafHash(`record ${index}`));
const leafAt = (index: number): Buffer => leaves[index] ?? Buffer.alloc(32);
const rootOf = (size: number): Buffer => {
  const tree = growTree({ size: 0, frontier: [] });
  for (const leaf of leaves.slice(0, size)) tree.append(leaf);
  return tree.root();
};

/** Opens the tree of a journal that has `size` records, of which those before `firstStored` were deleted. */
function openTree(directory: string, { size, firstStored = 0 }: { size: number; firstStored?: number }) {
  const readLeaves = async function* (from: number, to: number) {
    for (const leaf of leaves.slice(Math.max(from, firstStored), to)) yield leaf;
  };
  return openLogTree({ directory, size, firstStored, readLeaves });
}

function append(tree: LogTree, until: number): void {
  for (const leaf of leaves.slice(tree.size(), until)) tree.append(leaf);
}

async function treeOf(directory: string, size: number): Promise<LogTree> {
  const tree = await openTree(directory, { size: 0 });
  append(tree, size);
  await tree.flush();
  return tree;
}

async function expectProofs(tree: LogTree, { index, from, to }: { index: number; from: number; to: number }) {
  const root = rootOf(to);
  expect(await tree.rootAt(to)).toEqual(root);
  const path = await tree.inclusionProof(index, to);
  expect(holdsInclusion({ leaf: leafAt(index), index, size: to, path, root })).toBe(true);
  const consistency = await tree.consistencyProof(from, to);
  const first = { size: from, root: rootOf(from) };
  expect(holdsConsistency({ first, second: { size: to, root }, path: consistency })).toBe(true);
}

describe('the path of a tile', () => {
  test('is the one of the specification', () => {
    expect(tileIndexPath(1_234_067)).toBe('x001/x234/067');
    expect(tileIndexPath(0)).toBe('000');
    expect(tileIndexPath(1000)).toBe('x001/000');
  });

  test('is parsed back to the index', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (index) => {
        expect(parseTileIndex(tileIndexPath(index))).toBe(index);
      }),
    );
  });

  test.each([
    '',
    '0',
    '67',
    '1234',
    'x000/067',
    'x001/x234',
    'x001/67',
    '067/x001',
    '../067',
    'x999/x999/x999/x999/x999/x999',
  ])('is refused as %s', (path) => {
    expect(parseTileIndex(path)).toBeUndefined();
  });
});

describe('the tree of the journal', () => {
  test('has the root of RFC 6962 after each append', async () => {
    const tree = await openTree(newFolder(), { size: 0 });
    const expected = growTree({ size: 0, frontier: [] });
    for (const leaf of leaves.slice(0, 1500)) {
      expect(tree.root()).toEqual(expected.root());
      tree.append(leaf);
      expected.append(leaf);
    }
    expect(tree.size()).toBe(1500);
  });

  test('proves each record and each size to each later size, from tiles of two levels', async () => {
    const tree = await treeOf(newFolder(), 1500);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1500 }), fc.nat(), fc.nat(), async (to, at, earlier) => {
        await expectProofs(tree, { index: at % to, from: (earlier % to) + 1, to });
      }),
      { numRuns: 60 },
    );
  });

  test('proves over three levels of tiles, after a restart too', async () => {
    const directory = newFolder();
    const tree = await treeOf(directory, 66_400);
    const reopened = await openTree(directory, { size: 66_400 });
    expect(reopened.root()).toEqual(tree.root());
    for (const opened of [tree, reopened]) {
      for (const [index, from, to] of [
        [0, 1, 66_400],
        [65_535, 65_536, 65_537],
        [66_399, 65_793, 66_400],
        [300, 257, 65_536],
      ] as const)
        await expectProofs(opened, { index, from, to });
    }
  });

  test('stores full tiles in the standard layout and no partial ones before a flush', async () => {
    const directory = newFolder();
    const tree = await openTree(directory, { size: 0 });
    append(tree, 2 * 256 + 3);
    await expect.poll(() => readdirSync(join(directory, 'tile/0')).toSorted()).toEqual(['000', '001']);
    expect(readFileSync(join(directory, 'tile/0/001'))).toEqual(Buffer.concat(leaves.slice(256, 512)));
    expect(await tree.tile(0, 1, 256)).toEqual(Buffer.concat(leaves.slice(256, 512)));
    expect(await tree.tile(0, 2, 3)).toEqual(Buffer.concat(leaves.slice(512, 515)));
    expect(await tree.tile(0, 1, 7)).toEqual(Buffer.concat(leaves.slice(256, 263)));
    const second = growTree({ size: 0, frontier: [] });
    for (const leaf of leaves.slice(256, 512)) second.append(leaf);
    expect(await tree.tile(1, 0, 2)).toEqual(Buffer.concat([rootOf(256), second.root()]));
  });

  test.each([
    [0, 2, 4],
    [0, 2, 0],
    [0, 2, 257],
    [0, 3, 1],
    [1, 0, 3],
    [2, 0, 1],
    [64, 0, 1],
  ])('has no tile %s/%s of width %s that a tree of 515 records lacks', async (level, index, width) => {
    const tree = await openTree(newFolder(), { size: 515 });
    expect(await tree.tile(level, index, width)).toBeUndefined();
  });

  test('continues after a restart at any size, with records deleted up to any flush', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 1200 }), fc.nat({ max: 700 }), fc.nat(), async (size, more, deleted) => {
        const directory = newFolder();
        await treeOf(directory, size);
        const reopened = await openTree(directory, { size, firstStored: deleted % (size + 1) });
        append(reopened, size + more);
        expect(reopened.root()).toEqual(rootOf(size + more));
        if (size > 0) await expectProofs(reopened, { index: size - 1, from: size, to: size + more });
      }),
      { numRuns: 40 },
    );
  });

  test('of deleted records continues after two restarts between which the incomplete tile grew', async () => {
    const directory = newFolder();
    await treeOf(directory, 270);
    const second = await openTree(directory, { size: 270, firstStored: 270 });
    append(second, 280);
    await second.flush();
    expect(readdirSync(join(directory, 'tile/0/001.p'))).toEqual(['24']);
    const third = await openTree(directory, { size: 285, firstStored: 275 });
    expect(third.root()).toEqual(rootOf(285));
    append(third, 600);
    await third.flush();
    expect(readdirSync(join(directory, 'tile/0')).toSorted()).toEqual(['000', '001', '002.p']);
  });

  test('ignores tiles beyond its size, which a crash can leave, and replaces them', async () => {
    const directory = newFolder();
    await treeOf(directory, 600);
    writeFileSync(join(directory, 'tile/0/001'), Buffer.alloc(8192, 7));
    const tree = await openTree(directory, { size: 400 });
    expect(tree.root()).toEqual(rootOf(400));
    append(tree, 600);
    await tree.flush();
    await expectProofs(await openTree(directory, { size: 600 }), { index: 300, from: 450, to: 600 });
  });

  test.each([
    ['lost', (file: string) => rmSync(file)],
    ['cut short', (file: string) => truncateSync(file, 100)],
  ])('makes a tile again that was %s, while its records are stored', async (_what, damage) => {
    const directory = newFolder();
    await treeOf(directory, 1000);
    damage(join(directory, 'tile/0/001'));
    const tree = await openTree(directory, { size: 1000 });
    expect(tree.root()).toEqual(rootOf(1000));
    await tree.flush();
    expect(readFileSync(join(directory, 'tile/0/001'))).toEqual(Buffer.concat(leaves.slice(256, 512)));
  });

  test('refuses to open if a tile is lost whose records are deleted', async () => {
    const directory = newFolder();
    await treeOf(directory, 1000);
    rmSync(join(directory, 'tile/0/001'));
    await expect(openTree(directory, { size: 1000, firstStored: 600 })).rejects.toMatchObject({
      type: 'corrupt',
      message: expect.stringContaining('0/001'),
    });
  });

  test('refuses to open if the leaf hashes of the incomplete tile are lost', async () => {
    await expect(openTree(newFolder(), { size: 200, firstStored: 100 })).rejects.toMatchObject({ type: 'corrupt' });
  });

  test('keeps a tile that cannot be written, and writes it when it can', async () => {
    const directory = newFolder();
    const blocker = join(directory, 'tile');
    writeFileSync(blocker, '');
    const tree = await openTree(directory, { size: 0 });
    append(tree, 300);
    await expect(tree.flush()).rejects.toThrow();
    expect(await tree.tile(0, 0, 256)).toEqual(Buffer.concat(leaves.slice(0, 256)));
    rmSync(blocker);
    await tree.flush();
    expect(readFileSync(join(directory, 'tile/0/000'))).toEqual(Buffer.concat(leaves.slice(0, 256)));
  });
});

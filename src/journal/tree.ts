/**
 * The Merkle tree of the journal (RFC 6962): appended in memory, with its full tiles in files.
 * Proofs are made from the tiles. Incomplete tiles are in memory. A tile file that is lost is made again from the records
 * while those are stored.
 */
import { strict as assert } from 'node:assert';
import { BoundedMap } from '../flow/bounded-map.ts';
import { JournalError } from './journal-error.ts';
import {
  consistencyPath,
  frontierNodes,
  frontierRoot,
  type GrowingTree,
  growTree,
  hashBytes,
  inclusionPath,
  rangeHashOf,
  type SubtreeHash,
} from './merkle-tree.ts';
import { createPartialTiles, type PartialTiles } from './partial-tiles.ts';
import {
  tileHash,
  tileHashCount,
  tileHeight,
  tileIndexPath,
  tileLevelMax,
  tileSubtreeHash,
  tileWidth,
} from './tile.ts';
import { createTileFiles, type TileFiles } from './tile-files.ts';

export { leafHash } from './merkle-tree.ts';

/** The tree. Sizes and indexes count leaves, indexes from 0. Hashes are Buffers of 32 bytes. */
export interface LogTree {
  size(): number;
  root(): Buffer;
  /** Appends a leaf hash. A tile that it fills is written to its file in the background. */
  append(leaf: Buffer): void;
  /** The root that the tree had at this size. @throws JournalError `corrupt` where a tile is lost */
  rootAt(size: number): Promise<Buffer>;
  /** The roots of the perfect subtrees of the first `size` leaves, the largest first. @throws JournalError `corrupt` where a tile is lost */
  frontierAt(size: number): Promise<Buffer[]>;
  /** PATH(index, D[size]) of RFC 6962, section 2.1.1. @throws JournalError `corrupt` where a tile is lost */
  inclusionProof(index: number, size: number): Promise<Buffer[]>;
  /** PROOF(from, D[to]) of RFC 6962, section 2.1.2; empty where `from` is 0 or `to`. @throws JournalError `corrupt` where a tile is lost */
  consistencyProof(from: number, to: number): Promise<Buffer[]>;
  /**
   * The first `width` (1 to 256) hashes of a tile in the layout of C2SP tlog-tiles; undefined where the tree has fewer.
   * @throws TreeError where the tile is lost
   */
  tile(level: number, index: number, width: number): Promise<Buffer | undefined>;
  /**
   * Resolves once all full tiles are in files, and the leaf hashes of the incomplete tile too. Required before a record is
   * deleted, and at the end of the process.
   * @throws Error of the file system
   */
  flush(): Promise<void>;
}

/** Dependencies of the tree. */
export interface LogTreeDeps {
  /** The folder of the journal. Tiles are below `tile/` in it. */
  directory: string;
  /** The number of records in the journal. */
  size: number;
  /** Leaf hashes by index, `to` excluded, ascending. */
  readLeaves: (from: number, to: number) => AsyncIterable<Buffer>;
  /** The index of the oldest record that is stored; `size` where there is none. */
  firstStored: number;
}

/** The tiles kept after they were read, 8 KiB each. */
const cachedTilesMax = 64;

/**
 * Opens the tree of a journal of `size` records from its tiles and from the records of the incomplete tile.
 * @throws JournalError `corrupt` where a tile is lost
 */
export async function openLogTree(deps: LogTreeDeps): Promise<LogTree> {
  const files = createTileFiles(deps.directory);
  const readTile = createTileReader(deps, files);
  const partial = await readPartialTiles(deps, { files, readTile });
  const subtree = createSubtreeReader({ partial, readTile });
  const readFrontier = (size: number) =>
    Promise.all(frontierNodes(size).map(({ level, index }) => subtree(level, index)));
  const tree = growTree({ size: deps.size, frontier: await readFrontier(deps.size) });
  const isIn = (size: number) => assert(size >= 0 && size <= tree.size(), 'the tree has this size');
  const rangeHash = rangeHashOf(subtree);
  return {
    ...createGrowth({ tree, partial, files }),
    frontierAt: async (size) => {
      isIn(size);
      return readFrontier(size);
    },
    rootAt: async (size) => {
      isIn(size);
      return frontierRoot(await readFrontier(size));
    },
    inclusionProof: async (index, size) => {
      isIn(size);
      return inclusionPath(index, size, rangeHash);
    },
    consistencyProof: async (from, to) => {
      isIn(to);
      return from === 0 ? [] : consistencyPath(from, to, rangeHash);
    },
    tile: async (level, index, width) => {
      const isStored = width >= 1 && width <= tileWidth && level <= tileLevelMax;
      if (!isStored || index * tileWidth + width > tileHashCount(level, tree.size())) return undefined;
      const bytes = partial.index(level) === index ? partial.bytes(level) : await readTile(level, index);
      return Buffer.from(bytes.subarray(0, width * hashBytes));
    },
  };
}

function createGrowth({ tree, partial, files }: { tree: GrowingTree; partial: PartialTiles; files: TileFiles }) {
  const add = (level: number, hash: Buffer): void => {
    const full = partial.add(level, hash);
    if (full !== undefined) files.write(level, full);
  };
  return {
    size: () => tree.size(),
    root: () => tree.root(),
    append: (leaf: Buffer): void => {
      assert.equal(leaf.length, hashBytes, 'a leaf hash has 32 bytes');
      add(0, leaf);
      tree.append(leaf, ({ level, hash }) => {
        if (level % tileHeight === 0) add(level / tileHeight, hash);
      });
    },
    flush: async (): Promise<void> => {
      const width = tree.size() % tileWidth;
      const bytes = Buffer.from(partial.bytes(0).subarray(0, width * hashBytes));
      if (width > 0) files.writePartial({ index: partial.index(0), bytes });
      await files.flush();
    },
  };
}

type TileReader = (level: number, index: number) => Promise<Buffer>;

/** Reads full tiles: from a cache, from their files, or from what is below them. */
function createTileReader({ readLeaves }: LogTreeDeps, files: TileFiles): TileReader {
  const cache = new BoundedMap<string, Buffer>(cachedTilesMax);
  const remade = async (level: number, index: number): Promise<Buffer> => {
    const hashes: Buffer[] = [];
    const start = index * tileWidth;
    if (level === 0) for await (const leaf of readLeaves(start, start + tileWidth)) hashes.push(leaf);
    else
      for (let child = start; child < start + tileWidth; child += 1)
        hashes.push(tileSubtreeHash(await readTile(level - 1, child), { position: 0, count: tileWidth }));
    if (hashes.length !== tileWidth)
      throw new JournalError(
        'corrupt',
        `the tile ${level}/${tileIndexPath(index)} of the Merkle tree is lost, and so are its records`,
      );
    const bytes = Buffer.concat(hashes);
    files.write(level, { index, bytes });
    return bytes;
  };
  const readTile: TileReader = async (level, index) => {
    const key = `${level}/${index}`;
    const bytes = cache.get(key) ?? (await files.read(level, index)) ?? (await remade(level, index));
    cache.set(key, bytes);
    return bytes;
  };
  return readTile;
}

/** Reads the root of a perfect subtree from the tile that holds the smallest subtrees it is made of. */
function createSubtreeReader({ partial, readTile }: { partial: PartialTiles; readTile: TileReader }): SubtreeHash {
  return async (level, index) => {
    const count = 2 ** (level % tileHeight);
    const tileLevel = Math.floor(level / tileHeight);
    const tileIndex = Math.floor((index * count) / tileWidth);
    const isPartial = tileIndex === partial.index(tileLevel);
    const tile = isPartial ? partial.bytes(tileLevel) : await readTile(tileLevel, tileIndex);
    return tileSubtreeHash(tile, { position: (index * count) % tileWidth, count });
  };
}

/** Reads the incomplete tile of each level: leaf hashes from records, the hashes above from the full tiles below them. */
async function readPartialTiles(
  deps: LogTreeDeps,
  { files, readTile }: { files: TileFiles; readTile: TileReader },
): Promise<PartialTiles> {
  const { size } = deps;
  const partial = createPartialTiles();
  for (let level = 1; tileHashCount(level, size) > 0; level += 1) {
    const count = tileHashCount(level, size);
    const index = Math.floor(count / tileWidth);
    partial.startAt(level, index);
    for (let child = index * tileWidth; child < count; child += 1)
      partial.add(level, tileSubtreeHash(await readTile(level - 1, child), { position: 0, count: tileWidth }));
  }
  const index = Math.floor(size / tileWidth);
  partial.startAt(0, index);
  for (const leaf of await readTail(deps, { files, index })) partial.add(0, leaf);
  return partial;
}

/** The leaf hashes of the incomplete tile: from the file that a flush wrote where records are deleted, and from records. */
async function readTail(
  { size, firstStored, readLeaves }: LogTreeDeps,
  { files, index }: { files: TileFiles; index: number },
): Promise<Buffer[]> {
  const start = index * tileWidth;
  const leaves: Buffer[] = [];
  if (firstStored > start) {
    const kept = await files.readPartial({ index, widthMin: firstStored - start, widthMax: size - start });
    for (let at = 0; kept !== undefined && at < kept.length / hashBytes; at += 1) leaves.push(tileHash(kept, at));
  }
  for await (const leaf of readLeaves(start + leaves.length, size)) leaves.push(leaf);
  if (leaves.length !== size - start)
    throw new JournalError(
      'corrupt',
      `the Merkle tree has no leaf hashes for the records ${start + leaves.length + 1} to ${size}`,
    );
  return leaves;
}

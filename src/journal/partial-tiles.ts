/** The incomplete tile of each level of the Merkle tree, in memory. */
import { hashBytes } from './merkle-tree.ts';
import { tileBytes } from './tile.ts';

/** A full tile: its index within its level, and its bytes. */
export interface FullTile {
  index: number;
  bytes: Buffer;
}

/** The incomplete tiles, one for each level. Before its first hash, a level has an empty tile with index 0. */
export interface PartialTiles {
  /** The index of the incomplete tile, which is the number of full ones. */
  index(level: number): number;
  /** The bytes of the incomplete tile, in a buffer that is not changed when more hashes follow them. Not copied. */
  bytes(level: number): Buffer;
  /** Sets the index of the incomplete tile of a level that has no hashes yet. */
  startAt(level: number, index: number): void;
  /** Adds a hash. Returns the tile if that filled it. */
  add(level: number, hash: Buffer): FullTile | undefined;
}

interface Level {
  index: number;
  bytes: Buffer;
  length: number;
}

/** Creates the tiles, all of them empty. */
export function createPartialTiles(): PartialTiles {
  const levels: Level[] = [];
  const at = (level: number): Level => {
    levels[level] ??= { index: 0, bytes: Buffer.alloc(tileBytes), length: 0 };
    return levels[level];
  };
  return {
    index: (level) => levels[level]?.index ?? 0,
    bytes: (level) => {
      const { bytes, length } = at(level);
      return bytes.subarray(0, length);
    },
    startAt: (level, index) => {
      at(level).index = index;
    },
    add: (level, hash) => {
      const tile = at(level);
      tile.bytes.set(hash, tile.length);
      tile.length += hashBytes;
      if (tile.length < tileBytes) return undefined;
      const full = { index: tile.index, bytes: tile.bytes };
      levels[level] = { index: tile.index + 1, bytes: Buffer.alloc(tileBytes), length: 0 };
      return full;
    },
  };
}

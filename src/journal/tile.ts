/**
 * Tiles of the Merkle tree in the layout of C2SP tlog-tiles: their paths and the hashes in them.
 * A tile of level L holds up to 256 consecutive roots of perfect subtrees of 256^L leaves.
 */
import { hashBytes, nodeHash } from './merkle-tree.ts';

/** The levels of the tree that one level of tiles spans. */
export const tileHeight = 8;

/** The hashes in a full tile. */
export const tileWidth = 2 ** tileHeight;

/** The length of a full tile, in bytes. */
export const tileBytes = tileWidth * hashBytes;

/** The highest level of a tile that has a path; a tree of 2^53 leaves reaches level 6. */
export const tileLevelMax = 63;

/** The index of a tile as path elements of three digits, all but the last with an `x` before them: 1234067 is `x001/x234/067`. */
export function tileIndexPath(index: number): string {
  const elements = [threeDigits(index % 1000)];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    elements.unshift(`x${threeDigits(rest % 1000)}`);
  }
  return elements.join('/');
}

function threeDigits(value: number): string {
  return String(value).padStart(3, '0');
}

const indexPattern = /^(?:x\d{3}\/)*\d{3}$/;

/** Parses the path of an index; undefined where it is not the one path of an index below 2^53. */
export function parseTileIndex(path: string): number | undefined {
  if (!indexPattern.test(path)) return undefined;
  const index = Number(path.replaceAll(/[x/]/g, ''));
  return Number.isSafeInteger(index) && tileIndexPath(index) === path ? index : undefined;
}

/** The hashes that a tree of `size` leaves has at a level of tiles. */
export function tileHashCount(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** One hash of a tile, not copied. */
export function tileHash(tile: Buffer, position: number): Buffer {
  return tile.subarray(position * hashBytes, (position + 1) * hashBytes);
}

/** The root of `count` hashes of a tile from `position` on; `count` is a power of two. */
export function tileSubtreeHash(tile: Buffer, { position, count }: { position: number; count: number }): Buffer {
  if (count === 1) return tileHash(tile, position);
  const half = count / 2;
  return nodeHash(
    tileSubtreeHash(tile, { position, count: half }),
    tileSubtreeHash(tile, { position: position + half, count: half }),
  );
}

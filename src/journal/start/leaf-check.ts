/**
 * Compares the records of the last segment with the leaf hashes in the tiles, at the start.
 * The tree is what was signed. A record that was edited since it was appended has another hash.
 */
import { rm } from 'node:fs/promises';
import { JournalError } from '../journal-error.ts';
import type { SegmentScan } from '../segments/segment-scan.ts';
import { tileHash, tileHashCount, tileLevelMax, tileWidth } from '../tile.ts';
import { tileFile } from '../tile-files.ts';
import type { LogTree } from '../tree.ts';

/**
 * Checks the records of the last segment that lie in full tiles. The hashes of the others are not in a file.
 * @throws JournalError `corrupt` with the number of the first record that differs
 */
export async function checkLeaves({ segments, leaves, size }: SegmentScan, tree: LogTree): Promise<void> {
  const first = segments.at(-1)?.first ?? 0;
  const fullTiles = tileHashCount(1, size);
  for (let index = Math.floor(first / tileWidth); index < fullTiles; index += 1) {
    const tile = await tree.tile(0, index, tileWidth);
    const start = index * tileWidth;
    for (let at = Math.max(start, first); at < start + tileWidth; at += 1) {
      const stored = tile && tileHash(tile, at - start);
      if (stored === undefined || leaves[at - first]?.equals(stored)) continue;
      throw new JournalError('corrupt', `record ${at + 1} is not the one that was appended: it was edited`);
    }
  }
}

/**
 * Removes full tiles beyond the size of the tree. A loss of power can leave such tiles of records that did not reach the disk,
 * and other records take these places.
 */
export async function removeStaleTiles(directory: string, size: number): Promise<void> {
  for (let level = 0; level <= tileLevelMax; level += 1) {
    let index = tileHashCount(level + 1, size);
    while (await isRemoved(tileFile(directory, { level, index }))) index += 1;
    if (index === 0) return;
  }
}

async function isRemoved(file: string): Promise<boolean> {
  try {
    await rm(file);
    return true;
  } catch {
    return false;
  }
}

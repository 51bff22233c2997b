/**
 * The journal as a tiled transparency log (C2SP tlog-tiles): checkpoint, hash tiles, entry bundles.
 * Serves only what the newest checkpoint covers, so that no answer ever changes but the checkpoint itself.
 */
import type { Journal } from '../../journal/journal.ts';
import { parseTileIndex, tileHashCount, tileLevelMax, tileWidth } from '../../journal/tile.ts';
import { notFound } from '../../shapes/error.ts';
import type { LogCheckpointer } from './log-checkpointer.ts';

/** Reads the log in the layout of tlog-tiles. Errors: NOT_FOUND, also for a path that is not valid; STORAGE_FAILED. */
export interface LogTiles {
  /** The newest checkpoint, or the newest that a witness cosigned. */
  checkpoint(kind: { isCosigned: boolean }): string;
  /** The hashes of a tile. `index` is the path of an index with an optional width, such as `x001/067.p/12`. */
  tile(path: { level: string; index: string }): Promise<Buffer>;
  /** The records of a tile of level 0: each with its length before it, as a big-endian number of 2 bytes. */
  entries(path: { index: string }): Promise<Buffer>;
}

/** Creates the reader. */
export function createLogTiles({
  journal,
  checkpointer,
}: {
  journal: Pick<Journal, 'tree' | 'firstSeq' | 'read'>;
  checkpointer: Pick<LogCheckpointer, 'newest' | 'newestCosigned'>;
}): LogTiles {
  const coveredTile = (level: number, path: string): TilePath => {
    const tile = parseTilePath(path);
    const covered = tileHashCount(level, checkpointer.newest()?.size ?? 0);
    if (tile === undefined || tile.index * tileWidth + tile.width > covered) throw notFound('tile');
    return tile;
  };
  return {
    checkpoint: ({ isCosigned }) => {
      const line = isCosigned ? checkpointer.newestCosigned() : checkpointer.newest();
      if (line === undefined) throw notFound('checkpoint');
      return line.note;
    },
    tile: async ({ level: levelText, index: path }) => {
      const level = parseLevel(levelText);
      const { index, width } = coveredTile(level, path);
      const bytes = await journal.tree.tile(level, index, width);
      if (bytes === undefined) throw notFound('tile');
      return bytes;
    },
    entries: async ({ index: path }) => {
      const { index, width } = coveredTile(0, path);
      const from = index * tileWidth + 1;
      if (from < journal.firstSeq()) throw notFound('entry bundle');
      const entries: Buffer[] = [];
      for await (const page of journal.read({ from, to: from + width - 1 })) {
        for (const { line } of page) entries.push(entryOf(line));
      }
      return Buffer.concat(entries);
    },
  };
}

interface TilePath {
  index: number;
  /** The number of hashes, 256 for a full tile. */
  width: number;
}

const levelPattern = /^(?:0|[1-9]\d?)$/;
const widthPattern = /^(?<index>.+)\.p\/(?<width>[1-9]\d{0,2})$/;

function parseLevel(text: string): number {
  const level = Number(text);
  if (!levelPattern.test(text) || level > tileLevelMax) throw notFound('tile');
  return level;
}

function parseTilePath(path: string): TilePath | undefined {
  const partial = widthPattern.exec(path)?.groups;
  const index = parseTileIndex(partial?.index ?? path);
  const width = Number(partial?.width ?? tileWidth);
  const isValid = index !== undefined && (partial === undefined || width < tileWidth);
  return isValid ? { index, width } : undefined;
}

function entryOf(line: string): Buffer {
  const bytes = Buffer.from(line, 'utf8');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

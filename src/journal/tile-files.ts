/**
 * The files of the Merkle tree's full tiles, in the layout of C2SP tlog-tiles.
 * A file is `tile/<level>/<index>` and has 8 KiB. Files are written in the background, one after the other, and replaced as a whole, so that a crash leaves no partial file.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../flow/system-error.ts';
import { hashBytes } from './merkle-tree.ts';
import type { FullTile } from './partial-tiles.ts';
import { replaceFile } from './replace-file.ts';
import { tileBytes, tileIndexPath } from './tile.ts';

/** The files. */
export interface TileFiles {
  /** Writes a full tile in the background. A failed write is repeated with the next one, and by `flush`. */
  write(level: number, tile: FullTile): void;
  /** Writes the leaf hashes of the incomplete tile in the background, as `<index>.p/<width>`. The full tile replaces them. */
  writePartial(tile: FullTile): void;
  /** Resolves once everything is written. @throws Error of the file system */
  flush(): Promise<void>;
  /** A full tile, written or still being written; undefined where there is none. @throws Error of the file system */
  read(level: number, index: number): Promise<Buffer | undefined>;
  /** Leaf hashes of an incomplete tile: the most that were written, within the bounds. @throws Error of the file system */
  readPartial(tile: { index: number; widthMin: number; widthMax: number }): Promise<Buffer | undefined>;
}

interface Write {
  bytes: Buffer;
  /** Removes what this file replaces. */
  after: () => Promise<void>;
}

/** The file of a full tile in the folder of the journal. */
export function tileFile(directory: string, { level, index }: { level: number; index: number }): string {
  return join(directory, 'tile', String(level), tileIndexPath(index));
}

/** Creates the files below `tile/` in the directory. Folders are created with the first tile. */
export function createTileFiles(directory: string): TileFiles {
  const pathOf = (level: number, index: number) => tileFile(directory, { level, index });
  const queue = createWriteQueue();
  return {
    write: (level, { index, bytes }) => {
      const path = pathOf(level, index);
      const after = () => (level === 0 ? rm(`${path}.p`, { recursive: true, force: true }) : Promise.resolve());
      queue.add(path, { bytes, after });
    },
    writePartial: ({ index, bytes }) => {
      const folder = `${pathOf(0, index)}.p`;
      const width = String(bytes.length / hashBytes);
      queue.add(join(folder, width), { bytes, after: () => removeOthers(folder, width) });
    },
    flush: () => queue.flush(),
    read: async (level, index) => {
      const path = pathOf(level, index);
      const bytes = queue.bytes(path) ?? (await readIfPresent(path));
      return bytes?.length === tileBytes ? bytes : undefined;
    },
    readPartial: async ({ index, widthMin, widthMax }) => {
      const folder = `${pathOf(0, index)}.p`;
      const widths = (await namesIn(folder)).map(Number).filter((width) => width >= widthMin && width <= widthMax);
      if (widths.length === 0) return undefined;
      const width = Math.max(...widths);
      const bytes = await readIfPresent(join(folder, String(width)));
      return bytes?.length === width * hashBytes ? bytes : undefined;
    },
  };
}

/** Writes files in the background, one after the other. What fails stays in the queue. */
function createWriteQueue() {
  const pending = new Map<string, Write>();
  let running: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    for (const [path, write] of pending) {
      await replaceFile(path, write.bytes);
      await write.after();
      if (pending.get(path) === write) pending.delete(path);
    }
  };
  const start = (): Promise<void> => {
    running ??= drain().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    add: (path: string, write: Write): void => {
      pending.set(path, write);
      // `flush` reports a failure.
      start().catch(() => undefined);
    },
    bytes: (path: string) => pending.get(path)?.bytes,
    flush: async (): Promise<void> => {
      while (pending.size > 0) await start();
    },
  };
}

async function removeOthers(folder: string, name: string): Promise<void> {
  for (const other of await namesIn(folder)) if (other !== name) await rm(join(folder, other), { force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return await unlessAbsent(readdir(folder), []);
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  return await unlessAbsent(readFile(path), undefined);
}

async function unlessAbsent<Value, Absent>(reading: Promise<Value>, absent: Absent): Promise<Value | Absent> {
  try {
    return await reading;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return absent;
    throw error;
  }
}

/**
 * The files of signed checkpoints, in the journal's folder, and the head file outside of it.
 * Those of stored records are in `checkpoints.ndjson`, the cosigned ones in `cosigned.ndjson`, the newest is in `checkpoint`.
 * The head file has the newest again, so that a journal that was replaced is noticed.
 */
import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { privateAppendFlags, privateFileMode, restrictFile } from '../flow/private-file.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { parsedJson } from '../shapes/json.ts';
import { type CheckpointLine, checkpointLineSchema } from './checkpoint.ts';
import { pruneCheckpointLines } from './checkpoint-pruning.ts';
import { replaceFile } from './replace-file.ts';

/** The files. The caller waits for one write before it begins the next. */
export interface CheckpointFiles {
  /** The last line of `checkpoints.ndjson`; undefined before the first checkpoint. */
  newest(): CheckpointLine | undefined;
  /** Adds a line, then replaces `checkpoint`. @throws Error of the file system */
  append(line: CheckpointLine): Promise<void>;
  /** The largest checkpoint of `cosigned.ndjson`; undefined where none was cosigned. */
  newestCosigned(): CheckpointLine | undefined;
  /** Adds a line to `cosigned.ndjson`; replaces `checkpoint` with it if it is the newest one. @throws Error of the file system */
  appendCosigned(line: CheckpointLine): Promise<void>;
  /** Deletes checkpoints over fewer than `size` records, except the last of each file. @throws Error of the file system */
  prune(size: number): Promise<void>;
  /** Replaces the head file. @throws Error of the file system */
  writeHead(note: string): Promise<void>;
}

/** The name of the file of checkpoints, in the journal's folder. */
export const checkpointLinesName = 'checkpoints.ndjson';

/** The name of the file of the newest checkpoint, in the journal's folder. */
export const checkpointName = 'checkpoint';

const cosignedLinesName = 'cosigned.ndjson';

/** Opens the files. Cuts incomplete last lines, which a crash leaves. @throws Error of the file system */
export async function openCheckpointFiles({
  directory,
  headFile,
}: {
  directory: string;
  headFile: string;
}): Promise<CheckpointFiles> {
  const linesFile = join(directory, checkpointLinesName);
  const cosignedFile = join(directory, cosignedLinesName);
  let newest = await readNewest(linesFile);
  let newestCosigned = await readNewest(cosignedFile);
  return {
    newest: () => newest,
    append: async (line) => {
      await appendSynced(linesFile, `${JSON.stringify(line)}\n`);
      newest = line;
      await replaceFile(join(directory, checkpointName), line.note);
    },
    newestCosigned: () => newestCosigned,
    appendCosigned: async (line) => {
      await appendSynced(cosignedFile, `${JSON.stringify(line)}\n`);
      if (line.size >= (newestCosigned?.size ?? 0)) newestCosigned = line;
      if (line.size === newest?.size) await replaceFile(join(directory, checkpointName), line.note);
    },
    prune: async (size) => {
      await pruneCheckpointLines(linesFile, size);
      await pruneCheckpointLines(cosignedFile, size);
    },
    writeHead: (note) => replaceFile(headFile, note),
  };
}

/** The newest line is found within this many bytes of the end of the file. */
const tailBytes = 1_048_576;

/** The last complete line of `checkpoints.ndjson`, which is not changed; undefined where there is none. @throws Error of the file system */
export async function newestCheckpointLine(directory: string): Promise<CheckpointLine | undefined> {
  return lastLine(await readTail(join(directory, checkpointLinesName)));
}

async function readNewest(file: string): Promise<CheckpointLine | undefined> {
  const tail = await readTail(file);
  if (tail !== undefined && tail.end < tail.bytes.length) await truncate(file, tail.position + tail.end);
  return lastLine(tail);
}

function lastLine(tail: FileTail | undefined): CheckpointLine | undefined {
  const last = tail?.bytes.toString('utf8', 0, tail.end).trimEnd().split('\n').at(-1) ?? '';
  return last === '' ? undefined : checkpointLineSchema.parse(parsedJson(last));
}

/** The last bytes of a file, from `position` on. Complete lines end before `end` in them. */
interface FileTail {
  bytes: Buffer;
  position: number;
  end: number;
}

async function readTail(path: string): Promise<FileTail | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const position = Math.max(size - tailBytes, 0);
    const bytes = Buffer.alloc(size - position);
    await file.read(bytes, 0, bytes.length, position);
    return { bytes, position, end: bytes.lastIndexOf('\n') + 1 };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function appendSynced(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  restrictFile(path);
  await using file = await open(path, privateAppendFlags, privateFileMode);
  await file.writeFile(text);
  await file.datasync();
}

/** Reads a file with one signed checkpoint, such as the head file; undefined where there is none. @throws Error of the file system */
export async function readCheckpointFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

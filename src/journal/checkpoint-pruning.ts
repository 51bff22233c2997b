/**
 * Deletes the oldest lines of a file of checkpoints, which are in the order of their sizes.
 * The rest is copied as it is and replaces the file, so that a crash leaves either and a reader of the old file reads on.
 */
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { privateFileMode } from '../flow/private-file.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { checkpointSizeOf } from './checkpoint.ts';

/**
 * Deletes the lines before the first checkpoint over at least `size` records. The last line always stays.
 * Does nothing if the file is missing. Nothing may be appended meanwhile.
 * @throws Error of the file system
 */
export async function pruneCheckpointLines(path: string, size: number): Promise<void> {
  const start = await placeOfFirst(path, size);
  if (start === 0) return;
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  await using file = await open(draft, 'wx', privateFileMode);
  for await (const chunk of createReadStream(path, { start })) await file.writeFile(chunk);
  await file.datasync();
  await rename(draft, path);
}

/** Where the first line to keep begins, in bytes. */
async function placeOfFirst(path: string, size: number): Promise<number> {
  let rest = '';
  let place = 0;
  let last = 0;
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        last = place;
        if (checkpointSizeOf(line) >= size) return place;
        place += Buffer.byteLength(line) + 1;
      }
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  return last;
}

/** Reads the bytes of a regular file with few system calls, since a directory has thousands of files. */
import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const statusOf = promisify(fstat);
const readBytes = promisify<number, Buffer, number, number, null, number>(
  (file, buffer, offset, length, position, done) =>
    read(file, buffer, offset, length, position, (error, bytesRead) => done(error, bytesRead)),
);
const closeFile = promisify(close);

/**
 * At most `bytesMax` + 1 bytes of a file; undefined if it is not a regular file. Follows no link at the end of the path, and
 * does not block on a pipe. @throws the error of the system
 */
export async function readRegularFile(path: string, bytesMax: number): Promise<Buffer | undefined> {
  const file = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await statusOf(file);
    if (!status.isFile()) return undefined;
    // One byte more than there should be, so that the end of the file needs no further read.
    const buffer = Buffer.allocUnsafe(Math.min(status.size, bytesMax) + 1);
    let length = 0;
    while (length < status.size || length === 0) {
      const count = await readBytes(file, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === buffer.length) break;
    }
    return buffer.subarray(0, length);
  } finally {
    await closeFile(file);
  }
}

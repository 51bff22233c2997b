/**
 * The file of the log: appended to in the background, reopened after a rotation, and rotated by size.
 * A file that is copied and truncated (logrotate's `copytruncate`) needs nothing, since each write goes to its end.
 */
import { existsSync, fstatSync, openSync, renameSync, statSync } from 'node:fs';
import { pino } from 'pino';
import { settledWithin } from '../flow/time-limit.ts';

/** The file of the log. It never throws after it was opened. */
export interface LogFile {
  write(line: string): void;
  /** Opens the file at its path again if that is another one than is open. Called each second, too. */
  reopen(): void;
  /** Writes buffered lines. Resolves even if the file cannot be written. */
  close(): Promise<void>;
}

/** What {@link openLogFile} needs. */
export interface LogFileOptions {
  path: string;
  /** The size at which the file is renamed to `<path>.1`, and older ones to `.2` and so on; undefined: never. */
  bytesMax: number | undefined;
}

/** The most bytes buffered for an output that does not accept them. Lines beyond are lost, as on a full disk. */
export const bufferedBytesMax = 16_777_216;

/** How long closing waits for the last lines to be written, in milliseconds. Then they are lost. */
const closeTimeoutMs = 500;
/** How often it is checked whether the file was moved or is too large, in milliseconds. */
const checkIntervalMs = 1000;
/** How many older files are kept beside the current one. */
const olderFilesMax = 5;
const fileMode = 0o600;

/** Opens the file, and creates it if it is missing. @throws Error if it cannot be opened */
export function openLogFile({ path, bytesMax }: LogFileOptions): LogFile {
  let current = openStream(path);
  const check = () => {
    try {
      const status = fstatSync(current.descriptor);
      if (!status.isFile()) return;
      const atPath = statSync(path, { throwIfNoEntry: false });
      const isMoved = atPath?.ino !== status.ino || atPath.dev !== status.dev;
      const isTooLarge = bytesMax !== undefined && status.size >= bytesMax;
      if (!isMoved && !isTooLarge) return;
      if (!isMoved) moveAside(path);
      const previous = current.stream;
      current = openStream(path);
      previous.end();
    } catch {
      // The folder is missing or cannot be written. Lines go to the open file until a later check succeeds.
    }
  };
  const timer = setInterval(check, checkIntervalMs).unref();
  return {
    write: (line) => {
      const { stream } = current;
      if (!('destroyed' in stream) || stream.destroyed !== true) stream.write(line);
    },
    reopen: check,
    close: () => {
      clearInterval(timer);
      return closed(current.stream);
    },
  };
}

type FileStream = ReturnType<typeof pino.destination>;

function openStream(path: string): { stream: FileStream; descriptor: number } {
  const descriptor = opened(path);
  const stream = pino.destination({ dest: descriptor, sync: false, maxLength: bufferedBytesMax });
  // A full disk must not stop the process. The line is lost; the audit record is the durable one.
  stream.on('error', () => undefined);
  return { stream, descriptor };
}

/** Opens the file here and not in the library, whose exit hook fails for a file that could not be opened. */
function opened(path: string): number {
  try {
    return openSync(path, 'a', fileMode);
  } catch (cause) {
    throw new Error(`HESTIA_LOG_FILE: cannot open ${path}`, { cause });
  }
}

/** Renames `path` to `path.1`, after that to `path.2`, and so on. The oldest is replaced. */
function moveAside(path: string): void {
  for (let number = olderFilesMax - 1; number >= 1; number -= 1) {
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

async function closed(stream: FileStream): Promise<void> {
  const closing = new Promise<void>((resolve) => stream.once('close', resolve));
  // Otherwise the library would retry a file that cannot be written until the process exits.
  stream.once('error', () => stream.destroy());
  stream.end();
  if (await settledWithin(closeTimeoutMs, closing)) return;
  stream.destroy();
  await closing;
}

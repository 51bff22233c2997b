/**
 * The journal: an append-only log of audit records, one line a record, and the Merkle tree over it.
 * A line is canonical JSON. The journal is the only place where records are stored; everything else is a view of it. Of a
 * line it reads the number and the time only.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { HestiaError } from '../shapes/error.ts';
import { JournalError, JournalOpenError, journalFailure } from './journal-error.ts';
import { createAppendQueue } from './segments/append-queue.ts';
import { createRetirement, type RetirementRange } from './segments/retirement.ts';
import { segmentsFolder } from './segments/segment.ts';
import type { SegmentOperations } from './segments/segment-file.ts';
import {
  createSegmentReader,
  type JournalLine,
  type JournalRange,
  type SegmentReader,
} from './segments/segment-reader.ts';
import { type SegmentScan, scanSegments } from './segments/segment-scan.ts';
import { openSegmentWriter, type SegmentLimits } from './segments/segment-writer.ts';
import { createWriteCheck } from './segments/write-check.ts';
import { lockJournal } from './start/journal-lock.ts';
import { checkLeaves, removeStaleTiles } from './start/leaf-check.ts';
import { type LogTree, leafHash, openLogTree } from './tree.ts';

export type { RetirementRange } from './segments/retirement.ts';
export { type JournalLine, type JournalRange, readSegments } from './segments/segment-reader.ts';

/** The journal of one process. Disposing writes the appends that wait, and releases the lock. */
export interface Journal extends AsyncDisposable {
  /** The number of records ever appended, which is the size of the tree. */
  size(): number;
  /** The number of the oldest record that is still stored; `size() + 1` if there is none. */
  firstSeq(): number;
  /**
   * Appends the line that `build` returns for its number, and returns the number. All appends of one turn of the event loop
   * are one write; with durability `full` also one fdatasync. `build` runs when the group is written, so that a group that
   * fails consumes no number. An error of `build` rejects only its own append.
   * @throws JournalError if nothing was appended
   */
  append(build: (seq: number) => string): Promise<number>;
  /** Resolves if a write would be accepted now. Writes no record. @throws JournalError */
  checkWritable(): Promise<void>;
  /** Resolves when all records appended before the call are on the disk, in both durabilities. @throws JournalError */
  sync(): Promise<void>;
  /**
   * Reads lines by number, ascending, in pages.
   * @throws JournalError `corrupt` if lines are missing; HestiaError CONFLICT if they were deleted by {@link retire}
   */
  read(range: JournalRange): AsyncIterable<readonly JournalLine[]>;
  readonly tree: LogTree;
  /** Deletes closed segments, never the open one. Returns how many records went. May be repeated. @throws JournalError */
  retire(range: RetirementRange): Promise<{ records: number }>;
  /** Calls `listener` after each group that was appended, with the new size. Only lines up to it may be read. */
  onAppended(listener: (size: number) => void): void;
  /** The bytes of an incomplete last line that were cut at the start; 0 if the journal was complete. */
  readonly tornBytes: number;
}

/** Dependencies of the journal. */
export interface JournalDeps {
  /** The folder of the journal, which is created. */
  directory: string;
  /** What an append survives. `normal`: a crash of the process. `full`: also a loss of power. */
  durability: 'normal' | 'full';
  now: () => number;
  /**
   * Compares the stored tree with what was signed. It runs before anything is changed, and throws to refuse the start.
   * @see checkSignedHeads
   */
  check?: (tree: LogTree) => Promise<void>;
  /** Called once for each group that fails, for each refused append, and for failures in the background. */
  onFailure?: (error: JournalError) => void;
  limits?: Partial<SegmentLimits>;
  /** For tests: the operations on the open segment, and a monotonic clock. */
  operations?: SegmentOperations;
  elapsedMs?: () => number;
}

/** A segment is closed at 64 MiB or after one day. */
export const segmentLimits: SegmentLimits = { segmentBytesMax: 67_108_864, segmentAgeMsMax: 86_400_000 };

/**
 * Opens or creates the journal and locks its folder. An incomplete last line is cut.
 * @throws JournalOpenError with one line: the folder, the reason and what to do
 */
export async function openJournal(deps: JournalDeps): Promise<Journal> {
  const { directory } = deps;
  await createFolders(directory);
  const lock = lockJournal({ directory, now: deps.now() });
  try {
    const scan = await scanSegments(directory);
    const firstStored = scan.segments[0]?.first ?? 0;
    const reader = createSegmentReader({ directory });
    const tree = await openLogTree({ directory, size: scan.size, firstStored, readLeaves: leavesOf(scan, reader) });
    await checkLeaves(scan, tree);
    await deps.check?.(tree);
    await removeStaleTiles(directory, scan.size);
    return createJournal(deps, { lock, scan, tree });
  } catch (cause) {
    lock[Symbol.dispose]();
    if (cause instanceof JournalOpenError) throw cause;
    throw new JournalOpenError(directory, cause);
  }
}

async function createFolders(directory: string): Promise<void> {
  try {
    await mkdir(segmentsFolder(directory), { recursive: true, mode: 0o700 });
    // Also where it existed with other permissions: the files in it are for the hub alone.
    await chmod(directory, 0o700);
  } catch (cause) {
    throw new JournalOpenError(directory, cause);
  }
}

/** Leaf hashes of stored records by index, `to` excluded: those of the last segment are known from its scan. */
function leavesOf({ segments, leaves }: SegmentScan, reader: SegmentReader) {
  const knownFrom = segments.at(-1)?.first ?? 0;
  return async function* (from: number, to: number): AsyncGenerator<Buffer> {
    if (from < knownFrom) {
      for await (const page of reader.read({ from: from + 1, to: Math.min(to, knownFrom) }))
        for (const { line } of page) yield leafHash(line);
    }
    yield* leaves.slice(Math.max(from - knownFrom, 0), Math.max(to - knownFrom, 0));
  };
}

/** The parts of an open journal. */
interface JournalParts {
  lock: Disposable;
  scan: SegmentScan;
  tree: LogTree;
}

function createJournal(deps: JournalDeps, { lock, scan, tree }: JournalParts): Journal {
  const { directory, durability, now, onFailure = () => undefined, elapsedMs = () => performance.now() } = deps;
  const listeners: ((size: number) => void)[] = [];
  const writer = openSegmentWriter({
    directory,
    segments: scan.segments,
    bytes: scan.bytes,
    ageMs: Math.max(now() - (scan.lastBeganAtMs ?? now()), 0),
    limits: { ...segmentLimits, ...deps.limits },
    operations: deps.operations,
    elapsedMs,
    onFailure,
  });
  const writeCheck = createWriteCheck(elapsedMs);
  const onAppended = (size: number) => {
    for (const listener of listeners) listener(size);
  };
  const queue = createAppendQueue({ writer, tree, writeCheck, size: scan.size, durability, onFailure, onAppended });
  const firstSeq = () => (writer.segments()[0]?.first ?? 0) + 1;
  let isClosed = false;
  const closedError = () => new JournalError('other', 'the journal is closed');
  return {
    size: queue.size,
    firstSeq,
    tree,
    tornBytes: scan.tornBytes,
    append: (build) => (isClosed ? Promise.reject(closedError()) : queue.append(build)),
    checkWritable: async () => {
      if (isClosed) throw closedError();
      writeCheck.check(writer.file(), queue.isBusy());
    },
    sync: () => writer.flush(),
    read: readStored({ reader: createSegmentReader({ directory, segments: async () => writer.segments() }), firstSeq }),
    retire: createRetirement({ writer, tree, size: queue.size }),
    onAppended: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await queue.idle();
      await Promise.all([writer.close(), tree.flush()])
        .catch((cause: unknown) => onFailure(journalFailure(cause)))
        .finally(() => lock[Symbol.dispose]());
    },
  };
}

/** Reads lines, and distinguishes those that were deleted by retention meanwhile from those that are missing. */
function readStored({ reader, firstSeq }: { reader: SegmentReader; firstSeq: () => number }): Journal['read'] {
  return async function* (range) {
    let next = range.from;
    try {
      for await (const page of reader.read(range)) {
        yield page;
        next = (page.at(-1)?.seq ?? next) + 1;
      }
    } catch (cause) {
      if (next >= firstSeq()) throw cause;
      const message = 'records past their retention were deleted while they were read; read again';
      throw new HestiaError('CONFLICT', message, { cause });
    }
  };
}

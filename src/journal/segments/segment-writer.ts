/**
 * Writes groups of lines to the last segment of the journal, and begins a new segment by size and age.
 * It also puts segments on the disk: the open one, those it closed, and the entries of their folder.
 */
import { closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type JournalError, journalFailure } from '../journal-error.ts';
import { type Segment, segmentAt, segmentsFolder } from './segment.ts';
import { fileOperations, openSegmentFile, type SegmentFile, type SegmentOperations } from './segment-file.ts';

/** When the last segment is closed and a new one begins. */
export interface SegmentLimits {
  segmentBytesMax: number;
  segmentAgeMsMax: number;
}

/** Dependencies of the writer. */
export interface SegmentWriterDeps {
  directory: string;
  /** All segments, oldest first; empty for a new journal. */
  segments: readonly Segment[];
  /** Bytes of complete lines in the last segment. What follows them is cut off. */
  bytes: number;
  /** The age of the last segment, in milliseconds. */
  ageMs: number;
  limits: SegmentLimits;
  operations?: SegmentOperations | undefined;
  /** A monotonic clock in milliseconds, so that a change of the system time closes no segment. */
  elapsedMs: () => number;
  /** Called if a new segment cannot be created, or a closed one cannot be put on the disk. */
  onFailure: (error: JournalError) => void;
}

/** The writer of one journal. */
export interface SegmentWriter {
  /** All segments, oldest first. The last one is open. */
  segments(): readonly Segment[];
  /** Removes the oldest segments from the list, after they were deleted. */
  forget(count: number): void;
  /** The file of the last segment, which changes when a new one begins. */
  file(): SegmentFile;
  /** Begins a new segment with the record after `size`, if the last one is due and has no pending lines. Never throws. */
  rollIfDue(size: number): void;
  /** Resolves when everything written before the call is on the disk. @throws JournalError */
  flush(): Promise<void>;
  /** Flushes and closes the file. */
  close(): Promise<void>;
}

/** Opens the last segment for writing, or creates the first one. @throws an error of the file system */
export function openSegmentWriter(deps: SegmentWriterDeps): SegmentWriter {
  const { directory, limits, onFailure, elapsedMs, operations = fileOperations } = deps;
  const isNew = deps.segments.length === 0;
  const segments = isNew ? [segmentAt(directory, 0)] : [...deps.segments];
  const openLast = (options: { bytes: number; isNew: boolean }) =>
    openSegmentFile(segments.at(-1) ?? segmentAt(directory, 0), { ...options, operations });
  let file = openLast({ bytes: deps.bytes, isNew });
  let bornAtMs = elapsedMs() - deps.ageMs;
  const flusher = createFlusher({ operations, directory, hasNewEntry: isNew });
  const isDue = () => file.bytes() >= limits.segmentBytesMax || elapsedMs() - bornAtMs >= limits.segmentAgeMsMax;
  return {
    segments: () => segments,
    forget: (count) => void segments.splice(0, count),
    file: () => file,
    rollIfDue: (size) => {
      if (file.bytes() === 0 || file.hasPending() || !isDue()) return;
      segments.push(segmentAt(directory, size));
      try {
        file.checkPlace();
        const next = openLast({ bytes: 0, isNew: true });
        flusher.closeLater(file.descriptor);
        file = next;
        bornAtMs = elapsedMs();
        flusher.flush(file.descriptor).catch(onFailure);
      } catch (cause) {
        // The last segment still takes lines, and the next group tries again.
        segments.pop();
        onFailure(journalFailure(cause));
      }
    },
    flush: () => flusher.flush(file.descriptor),
    close: () => flusher.flush(file.descriptor).finally(() => closeSync(file.descriptor)),
  };
}

/** Puts segments on the disk. Flushes run one after the other, so that no descriptor is closed while another flush uses it. */
interface Flusher {
  /** Closes a descriptor after its file is on the disk. */
  closeLater(descriptor: number): void;
  /** Flushes the descriptor, those to be closed, and the folder if it has a new entry. @throws JournalError */
  flush(descriptor: number): Promise<void>;
}

function createFlusher(deps: { operations: SegmentOperations; directory: string; hasNewEntry: boolean }): Flusher {
  const { operations, directory } = deps;
  const closing: number[] = [];
  let { hasNewEntry } = deps;
  let running: Promise<void> = Promise.resolve();
  const syncEntries = async () => {
    if (!hasNewEntry) return;
    hasNewEntry = false;
    await syncFolder(segmentsFolder(directory)).catch((cause: unknown) => {
      hasNewEntry = true;
      throw cause;
    });
  };
  const flush = async (descriptor: number) => {
    for (let closed = closing[0]; closed !== undefined; closed = closing[0]) {
      await operations.fdatasync(closed);
      closeSync(closed);
      closing.shift();
    }
    await syncEntries();
    await operations.fdatasync(descriptor);
  };
  return {
    closeLater: (descriptor) => {
      closing.push(descriptor);
      hasNewEntry = true;
    },
    flush: (descriptor) => {
      const run = running.then(() => flush(descriptor));
      running = run.catch(() => undefined);
      return run.catch((cause: unknown) => {
        throw journalFailure(cause);
      });
    },
  };
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/**
 * The journal: an append-only log of audit records, one line a record, and the Merkle tree over it.
 * A line is canonical JSON. The journal is the only place where records are stored; everything else is a view of it. It does
 * not know what a line means.
 */
import type { LogTree } from './tree.ts';

/** A record as it is stored: its number from 1, and its line without the newline. */
export interface JournalLine {
  seq: number;
  line: string;
}

/** Records from `from` up to and including `to`, by number. */
export interface JournalRange {
  from: number;
  to: number;
}

/** What may be deleted: whole closed segments, oldest first. */
export interface RetirementRange {
  /** Only segments whose last record is older than this, in Unix milliseconds. */
  before: number;
  /** Only segments that lie within the first `coveredSize` records, which a signed checkpoint covers. */
  coveredSize: number;
  /** Called before anything is deleted, with the number of the oldest record that stays, so that the caller records it. */
  announce?: (kept: { firstSeq: number; records: number }) => Promise<void>;
}

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
  /** Reads lines by number, ascending, in pages. @throws JournalError `corrupt` if lines are missing */
  read(range: JournalRange): AsyncIterable<readonly JournalLine[]>;
  readonly tree: LogTree;
  /** Deletes closed segments, never the open one. Returns how many records went. May be repeated. @throws JournalError */
  retire(range: RetirementRange): Promise<{ records: number }>;
  /** Calls `listener` after each group that was appended, with the new size. Only lines up to it may be read. */
  onAppended(listener: (size: number) => void): void;
  /** The bytes of an incomplete last line that were cut at the start; 0 if the journal was complete. */
  readonly tornBytes: number;
}

/**
 * The open segment: the file that takes lines.
 * A group of lines is written completely or cut off again. Before each group the file is compared with its path, since a file
 * that was renamed or unlinked would take lines that nobody can read.
 */
import {
  accessSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  type Stats,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { openPrivateFile, privateFileMode } from '../../flow/private-file.ts';
import { JournalError, journalFailure } from '../journal-error.ts';
import type { Segment } from './segment.ts';

/** The operations that change a segment. Tests replace them to inject faults. */
export interface SegmentOperations {
  writeSync(descriptor: number, bytes: Buffer, offset: number, length: number): number;
  ftruncateSync(descriptor: number, length: number): void;
  fdatasync(descriptor: number): Promise<void>;
}

/** The operations of the file system. */
export const fileOperations: SegmentOperations = { writeSync, ftruncateSync, fdatasync: promisify(fdatasync) };

/** The file of an open segment. All methods throw JournalError. */
export interface SegmentFile {
  readonly descriptor: number;
  /** Bytes of committed lines. */
  bytes(): number;
  /** Whether lines are written that are neither committed nor cut off. */
  hasPending(): boolean;
  /** Writes complete lines at the end, or nothing. `commit` or `cutBack` must follow. */
  write(lines: Buffer): void;
  /** Accepts what was written. */
  commit(): void;
  /** Cuts off what is not committed. If that fails, it is tried again before the next write. */
  cutBack(): void;
  /** Checks that this is still the file at its path, and that only this process wrote to it. */
  checkPlace(): void;
  /** Checks that the disk has space and that the file system accepts writes. */
  checkSpace(): void;
  /** Checks all of that, then writes a few bytes that are no line, and cuts them off. */
  probe(): void;
}

/** Free bytes below which the disk counts as full. */
const freeBytesMin = 262_144;
/** What a probe writes. It holds no newline, so that a crash within it leaves an incomplete line, which the next start cuts. */
const probeBytes = Buffer.alloc(4096, ' ');

/** Opens a segment of `bytes` bytes, and cuts off what follows them; creates the file if `isNew`. @throws an error of the file system */
export function openSegmentFile(
  { file }: Segment,
  { bytes: initialBytes, isNew, operations }: { bytes: number; isNew: boolean; operations: SegmentOperations },
): SegmentFile {
  const descriptor = isNew ? openSync(file, 'ax', privateFileMode) : openPrivateFile(file);
  const opened = fstatSync(descriptor);
  let bytes = initialBytes;
  let bytesPending = 0;
  let mayBeLonger = true;
  const cutBack = () => {
    mayBeLonger = true;
    operations.ftruncateSync(descriptor, bytes);
    bytesPending = 0;
    mayBeLonger = false;
  };
  const checkPlace = () => {
    if (mayBeLonger) cutBack();
    assertInPlace(file, { opened, size: bytes + bytesPending });
  };
  const write = (lines: Buffer) => {
    checkPlace();
    try {
      writeCompletely(operations, descriptor, lines);
      bytesPending += lines.length;
    } catch (cause) {
      attempt(cutBack);
      throw cause;
    }
  };
  cutBack();
  return {
    descriptor,
    bytes: () => bytes,
    hasPending: () => bytesPending > 0,
    write: (lines) => converting(() => write(lines)),
    commit: () => {
      bytes += bytesPending;
      bytesPending = 0;
    },
    cutBack: () => converting(cutBack),
    checkPlace: () => converting(checkPlace),
    checkSpace: () => converting(() => checkSpace(file)),
    probe: () =>
      converting(() => {
        checkSpace(file);
        write(probeBytes);
        cutBack();
      }),
  };
}

/** @throws JournalError if the file at the path is not the one that was opened, or has another size */
function assertInPlace(file: string, { opened, size }: { opened: Stats; size: number }): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.ino !== opened.ino || found.dev !== opened.dev)
    throw new JournalError('io', 'the open segment of the journal was moved or deleted');
  if (found.size !== size)
    throw new JournalError('corrupt', 'the open segment of the journal was changed by another process');
}

/** Writes all bytes, in more than one write where the first is short. */
function writeCompletely(operations: SegmentOperations, descriptor: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) {
    offset += operations.writeSync(descriptor, bytes, offset, bytes.length - offset);
  }
}

function checkSpace(file: string): void {
  accessSync(file, constants.W_OK);
  const { bavail, bsize } = statfsSync(file);
  if (bavail * bsize < freeBytesMin) throw new JournalError('full', 'the disk of the journal is full');
}

/** Runs `work`, which is repeated later if it fails. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The cause of the attempt is the error that is reported.
  }
}

/** Runs `work` and converts its errors. @throws JournalError */
function converting(work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw journalFailure(cause);
  }
}

/**
 * Reads from the segments what a start needs to know.
 * That is the number of records, the leaf hashes of the last segment, and an incomplete line at its end. It changes nothing.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { z } from 'zod';
import { parsedJson } from '../../shapes/json.ts';
import { JournalError } from '../journal-error.ts';
import { leafHash } from '../tree.ts';
import { listSegments, type Segment } from './segment.ts';
import { readSegment } from './segment-reader.ts';

/** What the files of the segments hold. */
export interface SegmentScan {
  segments: Segment[];
  /** The number of records ever appended. */
  size: number;
  /** Leaf hashes of the records in the last segment. */
  leaves: Buffer[];
  /** Bytes of complete lines in the last segment, and bytes of an incomplete line after them. */
  bytes: number;
  tornBytes: number;
  /** The time of the first record in the last segment, in Unix milliseconds. */
  lastBeganAtMs: number | undefined;
}

/** Bytes at the beginning and at the end of a segment that hold its first and its last line. */
const lineReadBytes = 131_072;

/**
 * Reads the last segment completely, and of the others the last line, which must precede the next segment.
 * @throws JournalError `corrupt` if a segment or lines of it are missing; an error of the file system
 */
export async function scanSegments(directory: string): Promise<SegmentScan> {
  const segments = await listSegments(directory);
  for (const [at, segment] of segments.slice(0, -1).entries()) {
    const next = segments[at + 1]?.first;
    const stamp = await lastStamp(segment);
    if (stamp?.seq !== next) throw missingLines(segment, `record ${next} does not end it`);
  }
  const last = segments.at(-1);
  if (last === undefined) return { segments, size: 0, leaves: [], bytes: 0, tornBytes: 0, lastBeganAtMs: undefined };
  return { segments, ...(await scanLast(last)) };
}

async function scanLast(last: Segment): Promise<Omit<SegmentScan, 'segments'>> {
  const leaves: Buffer[] = [];
  let first: string | undefined;
  let lastLine: string | undefined;
  let bytes = 0;
  for await (const { lines, endByte } of readSegment(last, { from: last.first + 1, to: Number.POSITIVE_INFINITY })) {
    first ??= lines[0]?.line;
    lastLine = lines.at(-1)?.line;
    for (const { line } of lines) leaves.push(leafHash(line));
    bytes = endByte;
  }
  const size = last.first + leaves.length;
  if (lastLine !== undefined && lineStamp(lastLine)?.seq !== size)
    throw missingLines(last, `its last line is not record ${size}`);
  const tornBytes = (await stat(last.file)).size - bytes;
  return { size, leaves, bytes, tornBytes, lastBeganAtMs: first === undefined ? undefined : lineStamp(first)?.timeMs };
}

function missingLines({ file }: Segment, reason: string): JournalError {
  const remedy = 'restore it, or set this journal aside with `hestia audit start-new`';
  return new JournalError('corrupt', `lines of ${file} were removed, inserted or changed: ${reason}; ${remedy}`);
}

/** Reads number and time of the last line of a closed segment; undefined if it does not end with a record. */
async function lastStamp({ file }: Segment): Promise<LineStamp | undefined> {
  await using handle = await open(file, 'r');
  return await readLastStamp(handle);
}

/**
 * The later of the times of the first and the last record of a closed segment, in Unix milliseconds; undefined if one of them
 * is not a record. Where the clock jumped back, the last record is not the newest.
 */
export async function newestTimeMs({ file }: Segment): Promise<number | undefined> {
  await using handle = await open(file, 'r');
  const text = await readText(handle, { start: 0, end: lineReadBytes });
  const first = lineStamp(text.slice(0, Math.max(text.indexOf('\n'), 0)));
  const last = await readLastStamp(handle);
  return first && last && Math.max(first.timeMs, last.timeMs);
}

async function readLastStamp(handle: FileHandle): Promise<LineStamp | undefined> {
  const { size } = await handle.stat();
  const text = await readText(handle, { start: Math.max(size - lineReadBytes, 0), end: size });
  if (!text.endsWith('\n')) return undefined;
  return lineStamp(text.slice(text.lastIndexOf('\n', text.length - 2) + 1, -1));
}

async function readText(handle: FileHandle, { start, end }: { start: number; end: number }): Promise<string> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  return buffer.toString('utf8', 0, bytesRead);
}

/** The members of a line that the journal reads: the number of the record, and its time in Unix milliseconds. */
interface LineStamp {
  seq: number;
  timeMs: number;
}

/** Reads number and time of a line; undefined for a line that is not a record. */
function lineStamp(line: string): LineStamp | undefined {
  const parsed = stampSchema.safeParse(parsedJson(line));
  return parsed.success ? { seq: parsed.data.seq, timeMs: Date.parse(parsed.data.time) } : undefined;
}

const stampSchema = z.object({ seq: z.int(), time: z.iso.datetime() });

/**
 * Verification of a journal's folder, without the hub that wrote it.
 * It reads segments and checkpoints as an export and changes nothing. The hash tiles, which the hub writes as it appends, name
 * the record where a checkpoint only shows that one of many was changed.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemErrorCode } from '../../../flow/system-error.ts';
import { checkpointName } from '../../../journal/checkpoint-files.ts';
import { readCheckpoints } from '../../../journal/checkpoint-reader.ts';
import { JournalError } from '../../../journal/journal-error.ts';
import { hashBytes, leafHash } from '../../../journal/merkle-tree.ts';
import { listSegments, type Segment } from '../../../journal/segments/segment.ts';
import { readSegment, readSegments } from '../../../journal/segments/segment-reader.ts';
import { NoteError } from '../../../journal/signed-note.ts';
import { tileHash, tileWidth } from '../../../journal/tile.ts';
import { createTileFiles } from '../../../journal/tile-files.ts';
import { openLogTree } from '../../../journal/tree.ts';
import { auditRecordSchema } from '../../../shapes/audit.ts';
import type { AuditVerdict, TrailFault } from '../../../shapes/audit-log/verdict.ts';
import { parsedJson } from '../../../shapes/json.ts';
import { type CheckpointNote, readCheckpointNote } from './checkpoint-note.ts';
import { createTrailCheck, type TrailTrust } from './trail-check.ts';
import { type ExportHeader, exportLines } from './trail-lines.ts';

/** What a folder is verified against. The keys of the reader are required: the folder names none. */
export type FolderTrust = TrailTrust & { keys: NonNullable<TrailTrust['keys']> };

/**
 * Verifies the journal in `directory`. An incomplete last line is left out, as the hub does at its start.
 * @throws an error of the file system where the folder cannot be read
 */
export async function verifyJournalFolder(directory: string, trust: FolderTrust): Promise<AuditVerdict> {
  const folder = await openFolder(directory, trust);
  if ('reason' in folder) return unreadable(folder);
  const { lines, kept } = await folderLines(folder);
  const check = createTrailCheck({ ...trust, kept: [...kept, ...(trust.kept ?? [])] });
  try {
    for await (const page of lines) if (!page.every((line) => check.take(line))) break;
  } catch (error) {
    if (!(error instanceof SegmentFault)) throw error;
    return { ...check.end(), intact: false, firstBad: error.fault };
  }
  const verdict = check.end();
  if (verdict.firstBad === undefined) return verdict;
  return { ...verdict, firstBad: await locatedFault(folder, verdict.firstBad) };
}

/** A segment that is missing, or that does not hold the records that its name and the next one promise. */
class SegmentFault extends Error {
  readonly fault: TrailFault;

  constructor(fault: TrailFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

interface Folder {
  directory: string;
  segments: readonly Segment[];
  newest: CheckpointNote;
  header: ExportHeader;
}

function unreadable(firstBad: TrailFault): AuditVerdict {
  return { intact: false, recordsChecked: 0, checkpointsChecked: 0, recordsUncovered: 0, firstBad };
}

async function openFolder(directory: string, { keys }: FolderTrust): Promise<Folder | TrailFault> {
  const segments = await listSegments(directory);
  const first = segments[0]?.first ?? 0;
  const newest = await readNewest(directory);
  if (newest === undefined) return { seq: first, reason: 'the journal has no checkpoint: nothing covers its records' };
  const writerId = await readWriterId(segments);
  if (writerId === undefined) return { seq: first, reason: 'the journal has no records' };
  const { origin } = newest;
  try {
    const vkeys = keys.map((key) => key(origin).vkey);
    const frontier = await readFrontier(directory, segments);
    return { directory, segments, newest, header: { origin, vkeys, writerId, firstSeq: first + 1, frontier } };
  } catch (error) {
    if (error instanceof NoteError) return { seq: first, reason: `the journal is the log ${origin}: ${error.message}` };
    if (error instanceof JournalError)
      return { seq: first, reason: `retention deleted what came before it: ${error.message}` };
    throw error;
  }
}

/** The last checkpoint of the journal. Verification compares its origin with the keys and with every other checkpoint. */
async function readNewest(directory: string): Promise<CheckpointNote | undefined> {
  let note: string | undefined;
  for await (const checkpoint of readCheckpoints(directory, allSizes)) note = checkpoint.note;
  const newest = note === undefined ? undefined : readCheckpointNote(note);
  return newest === undefined || 'reason' in newest ? undefined : newest;
}

const allSizes = { after: 0, until: Number.POSITIVE_INFINITY };

/** The writer of the first record; every other record must be of the same. Empty where that line is not a record. */
async function readWriterId([segment]: readonly Segment[]): Promise<string | undefined> {
  if (segment === undefined) return undefined;
  for await (const { lines } of readSegment(segment, { from: segment.first + 1, to: segment.first + 1 })) {
    const record = auditRecordSchema.safeParse(parsedJson(lines[0]?.line ?? ''));
    return record.success ? record.data.writer_id : '';
  }
  return undefined;
}

/** The frontier over the deleted records, from the tiles. */
async function readFrontier(directory: string, segments: readonly Segment[]): Promise<readonly Buffer[]> {
  const first = segments[0]?.first ?? 0;
  const last = segments.at(-1);
  if (first === 0 || last === undefined) return [];
  let total = last.first;
  for await (const { lines } of readSegment(last, { from: last.first + 1, to: Number.POSITIVE_INFINITY }))
    total += lines.length;
  // A tree that ends with the tile of the last deleted record needs nothing of what follows.
  const size = Math.min(Math.ceil(first / tileWidth) * tileWidth, total);
  const readLeaves = async function* (from: number, to: number): AsyncGenerator<Buffer> {
    for await (const page of readSegments(directory, { from: Math.max(from, first) + 1, to }))
      for (const { line } of page) yield leafHash(line);
  };
  const tree = await openLogTree({ directory, size, firstStored: first, readLeaves });
  return tree.frontierAt(first);
}

/** The lines of the folder as an export, and the checkpoints that are no lines of it. */
async function folderLines({ directory, segments, newest, header }: Folder) {
  const before = header.firstSeq - 1;
  const kept: string[] = [];
  for await (const { note } of readCheckpoints(directory, { after: before - 1, until: before })) kept.push(note);
  const single = await readIfPresent(join(directory, checkpointName));
  // Usually the newest one again, perhaps with more signatures.
  if (single !== undefined && !single.startsWith(newest.parsed.text)) kept.push(single);
  const checkpoints = readCheckpoints(directory, { ...allSizes, after: before });
  return { lines: exportLines(header, { records: segmentLines(segments), checkpoints }), kept };
}

async function* segmentLines(segments: readonly Segment[]): AsyncGenerator<readonly string[]> {
  let count = segments[0]?.first ?? 0;
  for (const segment of segments) {
    if (segment.first !== count) throw new SegmentFault(gap(segments, { count, segment }));
    for await (const { lines } of readSegment(segment, { from: count + 1, to: Number.POSITIVE_INFINITY })) {
      count += lines.length;
      yield lines.map(({ line }) => line);
    }
  }
}

function gap(segments: readonly Segment[], { count, segment }: { count: number; segment: Segment }): TrailFault {
  const before = segments[segments.indexOf(segment) - 1] ?? segment;
  if (segment.first < count)
    return {
      seq: segment.first + 1,
      lastSeq: count,
      file: nameOf(before),
      reason: 'it holds records of the next segment: lines were inserted',
    };
  const reason = 'the records after it are missing: a segment was deleted, or lines of this one';
  return { seq: count + 1, lastSeq: segment.first, file: nameOf(before), reason };
}

function nameOf({ file }: Segment): string {
  return `segments/${basename(file)}`;
}

/** Names the file of a fault, and the first record that differs from its leaf hash where only a range is known. */
async function locatedFault(folder: Folder, { line: _line, ...fault }: TrailFault): Promise<TrailFault> {
  const { seq, lastSeq, checkpoint } = fault;
  const isRange = lastSeq !== undefined && checkpoint !== undefined;
  const changed = !isRange ? undefined : await firstChanged(folder, { from: seq, to: lastSeq });
  const at = changed ?? seq;
  const segment = folder.segments.findLast(({ first }) => first < at);
  const file = segment === undefined ? {} : { file: nameOf(segment) };
  if (changed === undefined) return { ...fault, ...file };
  const { lastSeq: _last, ...rest } = fault;
  return { ...rest, ...file, seq: changed, reason: 'its bytes were changed: the tile has the hash of others' };
}

/** The first record of a range whose leaf hash is not that of its full tile. */
async function firstChanged({ directory }: Folder, range: { from: number; to: number }): Promise<number | undefined> {
  const tiles = createTileFiles(directory);
  let tile: Buffer | undefined;
  let tileIndex = -1;
  for await (const page of readSegments(directory, { ...range, to: Number.POSITIVE_INFINITY })) {
    for (const { seq, line } of page) {
      if (seq > range.to) return undefined;
      const index = Math.floor((seq - 1) / tileWidth);
      if (index !== tileIndex) tile = await tiles.read(0, index);
      tileIndex = index;
      const place = (seq - 1) % tileWidth;
      if (tile !== undefined && tile.length >= (place + 1) * hashBytes && !tileHash(tile, place).equals(leafHash(line)))
        return seq;
    }
  }
  return undefined;
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Reads lines of the journal by number, from its files alone.
 * It needs neither the writer nor its process. It remembers where lines begin, so that a reader that follows the journal, or that wants a few lines, does not scan a
 * whole segment.
 */
import { open } from 'node:fs/promises';
import { systemErrorCode } from '../../flow/system-error.ts';
import { JournalError, journalFailure } from '../journal-error.ts';
import { listSegments, type Segment } from './segment.ts';

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

/** A reader of one journal. It may be used by several at once. */
export interface SegmentReader {
  /**
   * Reads lines in pages, ascending. With `to` of Infinity it ends at the last complete line.
   * @throws JournalError `corrupt` if a line of the range is missing; `io` if it was deleted
   */
  read(range: JournalRange): AsyncGenerator<readonly JournalLine[]>;
}

/** Bytes that are read at once. A page holds the lines that are complete in them. */
const chunkBytes = 262_144;
/** Of each segment the place of every 256th line is remembered, the width of a tile. */
const markedLines = 256;
const newline = 10;

/** Places in one segment. `marks[n]` is the byte at which the line `n * 256` of the segment begins. */
interface SegmentPlaces {
  marks: number[];
  /** Where the last read ended: the line of the segment that begins at this byte. */
  end: LinePlace;
}

interface LinePlace {
  line: number;
  byte: number;
}

/** Creates a reader of the journal in `directory`. `segments` lists its segments; by default they are read from the folder. */
export function createSegmentReader(deps: {
  directory: string;
  segments?: () => Promise<readonly Segment[]>;
}): SegmentReader {
  const { directory, segments = () => listSegments(directory) } = deps;
  const places = new Map<number, SegmentPlaces>();
  return {
    async *read({ from, to }) {
      let next = from;
      try {
        const listed = await segments();
        for (const [at, segment] of listed.entries()) {
          const endSeq = listed[at + 1]?.first ?? Number.POSITIVE_INFINITY;
          if (endSeq < next || segment.first + 1 > to) continue;
          if (segment.first + 1 > next) throw missing(next);
          const until = Math.min(endSeq, to);
          const range = { from: next, to: until };
          for await (const { lines } of readSegment(segment, range, placesOf(places, segment))) {
            yield lines;
            next = (lines.at(-1)?.seq ?? next) + 1;
          }
          if (next <= until && endSeq !== Number.POSITIVE_INFINITY) throw missing(next);
        }
      } catch (cause) {
        throw readFailure(cause);
      }
      if (next <= to && to !== Number.POSITIVE_INFINITY) throw missing(next);
    },
  };
}

/** Reads lines of a journal once. See {@link createSegmentReader} for reading repeatedly. */
export function readSegments(directory: string, range: JournalRange): AsyncGenerator<readonly JournalLine[]> {
  return createSegmentReader({ directory }).read(range);
}

function missing(seq: number): JournalError {
  return new JournalError('corrupt', `record ${seq} is missing in the journal`);
}

function readFailure(cause: unknown): JournalError {
  if (systemErrorCode(cause) !== 'ENOENT') return journalFailure(cause);
  return new JournalError('io', 'a segment of the journal was deleted while it was read', { cause });
}

function placesOf(places: Map<number, SegmentPlaces>, { first }: Segment): SegmentPlaces {
  const known = places.get(first) ?? newPlaces();
  places.set(first, known);
  return known;
}

function newPlaces(): SegmentPlaces {
  return { marks: [0], end: { line: 0, byte: 0 } };
}

/** The last known place at or before a line of the segment. */
function placeBefore({ marks, end }: SegmentPlaces, line: number): LinePlace {
  const mark = Math.min(Math.floor(line / markedLines), marks.length - 1);
  const marked = { line: mark * markedLines, byte: marks[mark] ?? 0 };
  return end.line <= line && end.line > marked.line ? end : marked;
}

/** Lines that were read at once, and the byte of the segment after the last of them. */
export interface SegmentPage {
  lines: JournalLine[];
  endByte: number;
}

/**
 * Reads lines of one segment. Invalid UTF-8 is replaced, so that such a line does not have the leaf hash it was appended with.
 * @throws an error of the file system
 */
export async function* readSegment(
  segment: Segment,
  { from, to }: JournalRange,
  places: SegmentPlaces = newPlaces(),
): AsyncGenerator<SegmentPage> {
  await using file = await open(segment.file, 'r');
  const place = { ...placeBefore(places, from - 1 - segment.first) };
  const buffer = Buffer.allocUnsafe(chunkBytes);
  while (segment.first + place.line < to) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, place.byte);
    const chunk = buffer.subarray(0, bytesRead);
    const lines: JournalLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const seq = segment.first + place.line + 1;
      if (seq > to) break;
      if (seq >= from) lines.push({ seq, line: chunk.toString('utf8', start, end) });
      place.byte += end + 1 - start;
      place.line += 1;
      start = end + 1;
      if (place.line === places.marks.length * markedLines) places.marks.push(place.byte);
    }
    // No line ends in these bytes: the file ends, or a line is longer than any that is appended.
    if (start === 0) return;
    places.end = { ...place };
    if (lines.length > 0) yield { lines, endByte: place.byte };
  }
}

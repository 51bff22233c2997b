/** Splits untrusted text into numbered lines, and long lines into pieces of bounded length. Pure. */
import { anyReach, type LineReach } from './rules/step-signature.ts';

/** One line of a part, or a piece of a long one, with the number of its line in the part, from 1. */
export interface ScanLine {
  text: string;
  line: number;
  /** The number of UTF-16 units of the line before this piece. */
  offset: number;
  /** For which places the line, or a part of it, may matter; all if this is absent. See `words/line-reach`. */
  reach?: LineReach;
}

/** For which places lines may matter, each alone. */
export function placesOfLines(lines: readonly ScanLine[]): number {
  let places = 0;
  for (const { reach = anyReach } of lines) places |= reach.places;
  return places;
}

/** Lines that a cheap step of the scan reads before it pauses. */
export const linesPerStep = 64;

/** Whether a cheap step ends at this line. */
export function isStepEnd(line: number): boolean {
  return line % linesPerStep === 0;
}

/** UTF-16 units of a piece at most. Each step of the scan reads one piece, so this bounds the time of a step. */
const pieceLengthMax = 4_096;
/** What two pieces share if there is no space to split at, so that an expression matches across the cut. */
const pieceOverlap = 256;

const chunkLength = 32_768;

const anyEnd = /\r\n|[\n\r\u2028\u2029\u0085]/;
const otherEnd = /[\r\u2028\u2029\u0085]/;

/** The lines of a text without their terminators. Yields after each chunk, so that a caller can pause. */
export function* writtenLines(text: string): Generator<void, string[]> {
  const lines: string[] = [];
  for (let from = 0; from <= text.length; ) {
    const feed = text.indexOf('\n', from + chunkLength);
    const end = feed === -1 ? text.length : feed;
    // A carriage return before the line feed belongs to the terminator.
    const chunk = text.slice(from, text[end - 1] === '\r' && feed !== -1 ? end - 1 : end);
    for (const line of chunk.split(otherEnd.test(chunk) ? anyEnd : '\n')) lines.push(line);
    from = end + 1;
    yield;
  }
  return lines;
}

/** The pieces of a line: usually the line itself. A long line is split at a space if there is one. */
export function piecesOf(text: string, line: number): ScanLine[] {
  if (text.length <= pieceLengthMax) return [{ text, line, offset: 0 }];
  const pieces: ScanLine[] = [];
  for (let offset = 0; offset < text.length; ) {
    const window = text.slice(offset, offset + pieceLengthMax);
    const isLast = offset + window.length >= text.length;
    const space = isLast ? -1 : window.lastIndexOf(' ');
    const piece = space > pieceLengthMax / 2 ? window.slice(0, space) : window;
    pieces.push({ text: piece, line, offset });
    if (isLast) break;
    offset += piece === window ? pieceLengthMax - pieceOverlap : piece.length;
  }
  return pieces;
}

/** Joins lines of code with their continuations. A line that ends in a backslash, `|` or `&&` is continued. */
export function* logicalLines(lines: readonly ScanLine[]): Generator<ScanLine[]> {
  let logical: ScanLine[] = [];
  for (const line of lines) {
    logical.push(line);
    if (isContinued(line.text)) continue;
    yield logical;
    logical = [];
  }
  if (logical.length > 0) yield logical;
}

/** Those of the {@link logicalLines} that have a line for which one of the `places` matters. */
export function* logicalLinesFor(lines: readonly ScanLine[], places: number): Generator<ScanLine[]> {
  for (let start = 0, at = 0; at < lines.length; at += 1) {
    if ((placesOf(lines[at]) & places) === 0) continue;
    let from = at;
    while (from > start && isContinued(lines[from - 1]?.text ?? '')) from -= 1;
    while (at + 1 < lines.length && isContinued(lines[at]?.text ?? '')) at += 1;
    start = at + 1;
    yield lines.slice(from, start);
  }
}

function placesOf(line: ScanLine | undefined): number {
  return (line?.reach ?? anyReach).places;
}

const trailingSpacesMax = 8;

function isContinued(text: string): boolean {
  const code = text.trimEnd();
  if (text.length - code.length > trailingSpacesMax) return false;
  return code.endsWith('\\') || code.endsWith('|') || code.endsWith('&&');
}

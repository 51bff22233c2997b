/** Splits untrusted text into numbered lines, and long lines into pieces of bounded length. Pure. */

/** One line of a part, or a piece of a long one, with the number of its line in the part, from 1. */
export interface ScanLine {
  text: string;
  line: number;
  /** The number of UTF-16 units of the line before this piece. */
  offset: number;
}

/** UTF-16 units of a piece at most. Each step of the scan reads one piece, so this bounds the time of a step. */
const pieceLengthMax = 4_096;
/** What two pieces share if there is no space to split at, so that an expression matches across the cut. */
const pieceOverlap = 256;

/** The lines of a text without their terminators. */
export function writtenLines(text: string): string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029\u0085]/);
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

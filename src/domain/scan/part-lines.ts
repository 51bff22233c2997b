/** The lines of a scanned part: normalised, with the places that each may matter for. */
import { decodedTexts, encodedLengthMin, mayHoldEncoded } from './encoded-text.ts';
import { type CharacterRule, characterRules } from './hidden-text.ts';
import { linesPerStep, piecesOf, type ScanLine } from './lines.ts';
import { noReach } from './rules/step-signature.ts';
import { dataLine, type TextFormat } from './text-format.ts';
import { isAscii, isTypographic, normalisedLine } from './text-normalisation.ts';
import { reachOfPlain } from './words/line-reach.ts';

/** Who is called with what a line contains before it is normalised. */
export interface LineFindings {
  onCharacters(rule: CharacterRule, line: number): void;
  /** Called with decoded texts. Its steps are run at once. */
  onDecoded(texts: readonly string[], line: number): Generator<void>;
}

/** Normalises lines as written. Of several empty lines in a row, the first is returned. Yields between steps. */
export function* partLines(
  written: readonly string[],
  format: TextFormat,
  findings: LineFindings,
): Generator<void, ScanLine[]> {
  const lines: ScanLine[] = [];
  for (let from = 0; from < written.length; ) {
    const to = Math.min(written.length, from + linesPerStep);
    const end = readSimpleLines(written, { from, to }, { lines, format });
    if (end < to) yield* readPieces(written[end] ?? '', end + 1, { lines, format, findings });
    from = end < to ? end + 1 : end;
    yield;
  }
  return lines;
}

/** Reads lines up to the first that is not simple. Returns where it ended. */
function readSimpleLines(
  written: readonly string[],
  { from, to }: { from: number; to: number },
  { lines, format }: { lines: ScanLine[]; format: TextFormat },
): number {
  for (let index = from; index < to; index += 1) {
    const text = written[index] ?? '';
    if (text === '') {
      if (lines.at(-1)?.text !== '') lines.push({ text, line: index + 1, offset: 0, reach: noReach });
      continue;
    }
    if (!isSimple(text)) return index;
    const read = format === 'data' ? dataLine(text) : text;
    lines.push({ text: read, line: index + 1, offset: 0, reach: reachOfPlain(read) });
  }
  return to;
}

function scanLine({ text, line, offset }: ScanLine, format: TextFormat): ScanLine {
  const read = format === 'data' ? dataLine(text) : text;
  return { text: read, line, offset, reach: reachOfPlain(read) };
}

const simpleLengthMax = 1_000;
// Beyond ASCII, or the beginning of an entity or of an escape.
const special = /[\u0080-\uffff]|&[#A-Za-z]|\\[xXuU]/;
const escapes = /&[#A-Za-z]|\\[xXuU]/;

/** Whether a line is its own normal form, with nothing encoded or hidden in it. Most lines are. */
function isSimple(text: string): boolean {
  if (text.length > simpleLengthMax || mayHoldEncoded(text)) return false;
  return !special.test(text) || (isTypographic(text) && !escapes.test(text));
}

function* readPieces(
  text: string,
  line: number,
  { lines, format, findings }: { lines: ScanLine[]; format: TextFormat; findings: LineFindings },
): Generator<void> {
  for (const piece of piecesOf(text, line)) {
    const isPlain = isAscii(piece.text);
    for (const rule of characterRules(piece.text, isPlain)) findings.onCharacters(rule, line);
    const normalised = normalisedLine(piece.text, isPlain);
    if (text.length >= encodedLengthMin) {
      const decoded = decodedTexts(piece.text);
      if (normalised !== piece.text) decoded.push(...decodedTexts(normalised));
      if (decoded.length > 0) yield* findings.onDecoded(decoded, line);
    }
    lines.push(scanLine({ text: normalised, line, offset: piece.offset }, format));
    if (piece.offset > 0) yield;
  }
}

/** Decodes encoded text: tag characters, base64, hexadecimal, percent and backslash escapes. Pure. */
import { isStepEnd } from './lines.ts';
import { decodedTags, isAscii } from './text-normalisation.ts';

/** UTF-16 units of the shortest encoded text. */
export const encodedLengthMin = 20;

const encodedRuns =
  /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,65536}={0,2}|(?:\\x[0-9a-fA-F]{2}){8,4096}|(?:%[0-9a-fA-F]{2}){8,4096}|(?:\\u00[0-9a-fA-F]{2}){8,4096}/g;
const decodedLengthMax = 65_536;

/** Decodes the encoded texts in a line: tag characters, base64, hexadecimal, percent and backslash escapes. */
export function decodedTexts(line: string): string[] {
  const texts: string[] = [];
  const tags = isAscii(line) ? '' : decodedTags(line);
  if (tags.length >= 4) texts.push(tags);
  if (!hasLongRun(line)) return texts;
  for (const [run] of line.matchAll(encodedRuns)) {
    const text = decodedRun(run);
    if (text !== undefined && isText(text)) texts.push(text.slice(0, decodedLengthMax));
  }
  return texts;
}

/**
 * Whether a line has a run without spaces that is as long as the shortest encoded text. Most lines have none, so this
 * is what most calls cost. It reads every 20th character, and those before it until a space.
 */
function hasLongRun(line: string): boolean {
  for (let end = encodedLengthMin - 1; end < line.length; ) {
    let at = end;
    while (at > end - encodedLengthMin && !isSpace(line.charCodeAt(at))) at -= 1;
    if (at === end - encodedLengthMin) return true;
    end = at + encodedLengthMin;
  }
  return false;
}

/** Quick to test: whether a line may have an encoded text, other than tag characters and backslash escapes. */
export function mayHoldEncoded(line: string): boolean {
  for (let end = encodedLengthMin - 1; end < line.length; ) {
    let at = end;
    while (at > end - encodedLengthMin && isEncoding(line.charCodeAt(at))) at -= 1;
    if (at === end - encodedLengthMin) {
      at = runEnd(line, end + 1);
      if (mayDecode(line, end + 1 - encodedLengthMin, at)) return true;
    }
    end = at + encodedLengthMin;
  }
  return false;
}

function runEnd(line: string, from: number): number {
  let end = from;
  while (end < line.length && isEncoding(line.charCodeAt(end))) end += 1;
  return end;
}

/** Whether `decodedRun` may decode a run: it mixes upper and lower case, is hexadecimal, or has percent escapes. */
function mayDecode(line: string, from: number, end: number): boolean {
  let start = from;
  while (start > 0 && isEncoding(line.charCodeAt(start - 1))) start -= 1;
  let [hasUpper, hasLower, isHexadecimal] = [false, false, true];
  for (let at = start; at < end; at += 1) {
    const code = line.charCodeAt(at);
    if (code === percent) return true;
    const isUpper = code >= upperA && code <= upperZ;
    const isLower = code >= lowerA && code <= lowerZ;
    hasUpper ||= isUpper;
    hasLower ||= isLower;
    const isDigit = code >= digit0 && code <= digit9;
    isHexadecimal &&= isDigit || (isUpper && code <= upperF) || (isLower && code <= lowerF);
  }
  return isHexadecimal || (hasUpper && hasLower);
}

const [percent, digit0, digit9, upperA, upperF, upperZ, lowerA, lowerF, lowerZ] = [
  37, 48, 57, 65, 70, 90, 97, 102, 122,
];

const encodings = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) encodings[code] = /[A-Za-z0-9+/_%-]/.test(String.fromCharCode(code)) ? 1 : 0;

/** A character of base64, hexadecimal or percent escapes. */
function isEncoding(code: number): boolean {
  return encodings[code] === 1;
}

/** Spaces and tabs. Another character between two runs makes one of them, which the expression then divides. */
function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

function decodedRun(run: string): string | undefined {
  if (run.startsWith('\\x') || run.startsWith('\\u') || run.startsWith('%')) {
    return Buffer.from(run.replace(/\\x|\\u00|%/g, ''), 'hex').toString('latin1');
  }
  if (/^(?:[0-9a-fA-F]{2}){10,}$/.test(run)) return Buffer.from(run, 'hex').toString('latin1');
  // Ordinary words and paths match the base64 alphabet too; real base64 of this length mixes upper and lower case.
  if (run.length < 20 || !/[A-Z]/.test(run) || !/[a-z]/.test(run)) return undefined;
  return Buffer.from(run, 'base64').toString('utf8');
}

/** Whether at least 95 % of the characters are printable ASCII or letters. Decoded noise is not. */
function isText(text: string): boolean {
  if (text.length < 8) return false;
  const strange = text.match(/[^\x20-\x7e\n\r\t\p{L}]|\ufffd/gu)?.length ?? 0;
  return strange * 20 <= text.length;
}

// A line of nothing but encoded text, perhaps quoted, commented out or continued.
const encodedLine = /^[\s>#*/"'`(+|]{0,24}([A-Za-z0-9+/_-]{8,200}={0,2})[\s"'`,;+\\)]{0,8}$/;
const encodedLineLengthMax = 256;
const blockLengthMax = 65_536;
// What the expression allows before and after the encoded text.
const [marksBeforeMax, marksAfterMax] = [24, 10];

/** Quick to test: whether all that must be encoded text in such a line is. */
function mayBeEncoded(line: string): boolean {
  if (line.length <= 8 || line.length > encodedLineLengthMax) return false;
  for (let at = marksBeforeMax; at < line.length - marksAfterMax; at += 1) {
    if (!isEncoding(line.charCodeAt(at))) return false;
  }
  return true;
}

/**
 * Encoded texts that are wrapped over consecutive lines, each as one text with the number of its first line. Yields
 * undefined now and then, so that a caller can pause.
 */
export function* encodedBlocks(lines: readonly string[]): Generator<{ text: string; line: number } | undefined> {
  let runs: string[] = [];
  let length = 0;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const run = mayBeEncoded(line) ? encodedLine.exec(line)?.[1] : undefined;
    if ((run === undefined || length >= blockLengthMax) && runs.length > 0) {
      if (runs.length > 1) yield { text: runs.join(''), line: index + 1 - runs.length };
      runs = [];
      length = 0;
    }
    if (run !== undefined) {
      runs.push(run);
      length += run.length;
    }
    if (isStepEnd(index)) yield;
  }
  if (runs.length > 1) yield { text: runs.join(''), line: lines.length + 1 - runs.length };
}

/** Escapes, cleans and truncates untrusted text. What is left cannot move a cursor, forge a line or hide. */
import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls, DEL, line and paragraph separators, bidirectional overrides and isolates (Unicode TR 36).
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters to escape
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with each control or direction-changing character as its escape `\uXXXX`. Idempotent. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text cut to `lengthMax` UTF-16 units, never within a character. An ellipsis replaces what was cut. */
export function truncated(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, lengthMax - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

/** Untrusted text for display to a person: truncated, on one line, each character visible. */
export function quotable(text: string, lengthMax: number): string {
  const visible = printable(truncated(text.toWellFormed(), lengthMax)).replace(
    /[^\x20-\x7e\p{L}\p{N}\p{P}\p{S}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return truncated(visible, lengthMax);
}

/** Untrusted text that is passed on as content: without control characters but line feeds and tabs, and truncated. */
export function cleanContent(text: string, lengthMax: number): string {
  // What is cut is never examined, so that the cost is bounded whatever the length.
  const begin = text.slice(0, 2 * lengthMax).toWellFormed();
  const lines = stripVTControlCharacters(begin).replace(/\r\n?/g, '\n');
  const clean = lines.replace(unprintable, (character) => (character === '\n' || character === '\t' ? character : ''));
  return truncated(text.length > 2 * lengthMax ? `${clean}…` : clean, lengthMax);
}

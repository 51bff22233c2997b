/** What a character may be in scanned text: part of a word or of a URL, a sign, a space. */

/** A character that was looked at. One that was not has no flag. */
const known = 1;
/** Begins a word. */
export const starts = 2;
/** In a word, after its beginning. */
export const continues = 4;
/** In a word, after `.` or `:`. */
export const follows = 8;
/** Before a word, as a part of it. */
export const prefix = 16;
/** White space. */
export const isSpace = 32;
/** In a URL, anywhere. */
export const inUrl = 64;
/** A word of its own, such as a bracket. */
export const isSign = 128;
/** A Latin letter in lower case, or a digit. */
export const isPlain = 256;

const flagsByCharacter = new Uint16Array(65_536);

/** The flags of a UTF-16 unit. */
export function flagsOf(code: number): number {
  const flags = flagsByCharacter[code] ?? 0;
  return flags === 0 ? classified(code) : flags;
}

function classified(code: number): number {
  const character = String.fromCharCode(code);
  const flag = (value: number, characters: RegExp) => (characters.test(character) ? value : 0);
  const flags =
    known |
    flag(starts, /[\p{L}\p{N}_]/u) |
    flag(continues, /[\p{L}\p{N}\p{M}_'/~$@+-]/u) |
    flag(follows, /[\p{L}\p{N}/_~-]/u) |
    flag(prefix, /[~$%@./-]/) |
    flag(isSpace, /\s/) |
    flag(inUrl, /[^\s<>"'`\\.,;!?)]/) |
    flag(isSign, /[|;(){}<>=&#[\]!?:"“”«»`。！？]/) |
    flag(isPlain, /[a-z0-9]/);
  flagsByCharacter[code] = flags;
  return flags;
}

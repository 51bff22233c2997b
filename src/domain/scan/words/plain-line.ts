/**
 * The reader of lines for `line-reach`: their words, without a string for each. Words are in ASCII, and signs are any.
 * It looks at each character once. Pure but for the cache of words.
 */
import { BoundedMap } from '../../../flow/bounded-map.ts';
import { mayMatchExpression } from '../expression-match.ts';
import { continues, flagsOf, follows, prefix, starts } from './characters.ts';
import { prefixLengthMax, wordLengthMax } from './line-words.ts';
import { extendedHash, extendedPart, mayBeHint } from './notable-words.ts';
import { mayBeKnownOdd } from './odd-words.ts';

/** What the reader calls for a word that a rule may know. Texts are in lower case. */
export interface PlainLineDeps {
  /** Called for a word of letters and digits. Returns whether that is all. */
  addHash(hash: number): boolean;
  addWord(text: string, start: number, end: number): void;
  /** Called with a word that begins at `first`, or anywhere after `start`. */
  addRest(text: string, start: number, first: number, end: number): void;
  /** Called if an expression may match the line. */
  addExpression(): void;
}

/** The reader. */
export interface PlainLineReader {
  /** Reads a line. Returns false for one with emphasis in a word, a URL or a letter of another script, which it does not read. */
  read(text: string): boolean;
}

// What a character of ASCII is. Only the last three may be the first of a word or continue one.
const [other, mark, joint, inWord, underscore, letter] = [0, 1, 2, 3, 4, 5] as const;
const kinds = new Uint8Array(128);
const lowerCodes = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const character = String.fromCharCode(code);
  lowerCodes[code] = character.toLowerCase().charCodeAt(0);
  if (/[a-z0-9]/i.test(character)) kinds[code] = letter;
  else if (character === '_') kinds[code] = underscore;
  else if (/['/~$@+-]/.test(character)) kinds[code] = inWord;
  else if (/[.:]/.test(character)) kinds[code] = joint;
  else kinds[code] = /[*<[=#(]/.test(character) ? mark : other;
}

/** Creates the reader. It reads one line at a time. */
export function createPlainLineReader(deps: PlainLineDeps): PlainLineReader {
  const word: PlainWord = {
    ...{ end: 0, hash: 0, isPlain: true, isHint: false },
    ...{ mayMatchExpression: false, isForeign: false },
  };
  return {
    read: (text) => {
      let before = 0;
      let lower: string | undefined;
      word.mayMatchExpression = false;
      word.isForeign = false;
      for (let at = 0; at < text.length; ) {
        const code = text.charCodeAt(at);
        const kind = code < asciiEnd ? (kinds[code] ?? other) : kindOfForeign(text, at);
        if (kind < underscore) {
          if (kind === mark || kind === joint) noteMark(word, text, at);
          at += 1;
          continue;
        }
        const start = prefixStart(text, at, before);
        readWord(word, text, at);
        if (word.isForeign) return false;
        const first = at;
        at = word.end;
        before = at;
        const isPlain = word.isPlain && start === first;
        const isAdded = isPlain ? deps.addHash(word.hash) : !mayBeKnownOdd(text, start, first, at);
        if (isAdded && !word.isHint) continue;
        lower ??= text.toLowerCase();
        deps.addWord(lower, start, at);
        if (start < first) deps.addRest(lower, start, first, at);
      }
      if (word.isForeign) return false;
      if (word.mayMatchExpression && mayMatchExpression(text)) deps.addExpression();
      return true;
    },
  };
}

/** A sign in a line that is not in ASCII, or `letter` for what may be a part of a word. */
function kindOfForeign(text: string, at: number): number {
  const code = text.charCodeAt(at);
  // The second half of a pair was looked at with the first.
  if (code >= 0xdc00 && code <= 0xdfff) return other;
  if (code < 0xd800 || code > 0xdfff) return (flagsOf(code) & (starts | continues | follows)) === 0 ? other : letter;
  const character = text.slice(at, at + 2);
  const known = isLetterByPair.get(character);
  if (known !== undefined) return known ? letter : other;
  const isLetter = /[\p{L}\p{N}\p{M}]/u.test(character);
  isLetterByPair.set(character, isLetter);
  return isLetter ? letter : other;
}

const pairsMax = 4096;
const isLetterByPair = new BoundedMap<string, boolean>(pairsMax);
const asciiEnd = 128;

/** The word that was read last, and what its line was found to have. One object is used for all. */
interface PlainWord {
  end: number;
  hash: number;
  /** Whether it is of letters and digits only. */
  isPlain: boolean;
  isHint: boolean;
  /** Whether the line has a sign that an expression may match. */
  mayMatchExpression: boolean;
  /** Whether the line has emphasis or a URL. */
  isForeign: boolean;
}

/** Reads the word that begins at `first`. */
function readWord(word: PlainWord, text: string, first: number): void {
  const endMax = Math.min(text.length, first + 1 + wordLengthMax);
  let hash = 0;
  let part = 0;
  let isHint = false;
  let at = first;
  word.isPlain = true;
  for (; at < endMax; at += 1) {
    const code = text.charCodeAt(at);
    const kind = code < asciiEnd ? (kinds[code] ?? other) : kindOfForeign(text, at);
    if (code >= asciiEnd && kind === letter) {
      word.isForeign = true;
      break;
    }
    if (kind < letter) {
      if (kind < joint || (kind === joint && !isFollowed(text, at))) break;
      word.isPlain = false;
      noteSign(word, text, at);
    }
    const lower = lowerCodes[code] ?? code;
    hash = extendedHash(hash, lower);
    part = extendedPart(part, lower);
    isHint ||= mayBeHint(part);
  }
  word.end = at;
  word.hash = hash;
  word.isHint = isHint;
}

/** Notes what a sign within a word may be a part of. */
function noteSign(word: PlainWord, text: string, at: number): void {
  const code = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1) | 32;
  if (code === underscoreCode) {
    if (text.charCodeAt(at + 1) === underscoreCode) word.isForeign = true;
    else if (next === letterS || next === letterU || next === letterA) word.mayMatchExpression = true;
  } else if (code === colon) {
    if (text.startsWith('://', at)) word.isForeign = true;
    else if (isAfterSpeaker(text, at)) word.mayMatchExpression = true;
  } else if (code === plus) word.mayMatchExpression = true;
}

/** Notes what a sign between words may be a part of. */
function noteMark(word: PlainWord, text: string, at: number): void {
  if (text.charCodeAt(at) === asterisk) noteEmphasis(word, text, at);
  else if (text.startsWith('://', at)) word.isForeign = true;
  else if (mayBeMark(text, at)) word.mayMatchExpression = true;
}

/** Notes emphasis, which is no part of the text: without it, what is before and after it may be one word or one mark. */
function noteEmphasis(word: PlainWord, text: string, at: number): void {
  if (text.charCodeAt(at - 1) === asterisk) return;
  let end = at + 1;
  while (text.charCodeAt(end) === asterisk) end += 1;
  const before = at === 0 ? space : text.charCodeAt(at - 1);
  const after = end === text.length ? space : text.charCodeAt(end);
  const isWordAfter = isInWord(after) && (kinds[after] !== joint || isFollowed(text, end));
  if (before === slash || after === slash || (isInWord(before) && isWordAfter)) word.isForeign = true;
  else if (kinds[before] === mark || kinds[after] === mark) word.mayMatchExpression = true;
}

/** Whether a character may be a part of a word. */
function isInWord(code: number): boolean {
  return (kinds[code] ?? letter) >= joint || code === percent;
}

/** Whether a full stop or colon belongs to the word before it. */
function isFollowed(text: string, at: number): boolean {
  return at + 1 < text.length && (flagsOf(text.charCodeAt(at + 1)) & follows) !== 0;
}

/** Where a word begins that has its first letter at `first`, after another that ends at `end`. */
function prefixStart(text: string, first: number, end: number): number {
  let start = first;
  while (start > end && start > first - prefixLengthMax && (flagsOf(text.charCodeAt(start - 1)) & prefix) !== 0) {
    start -= 1;
  }
  return start;
}

/** Whether an expression may match a sign: `<|`, `</`, `<s`, `![`, `[/`, `[i`, `===`, `##`, and a speaker before `(` or `:`. */
function mayBeMark(text: string, at: number): boolean {
  const next = text[at + 1];
  switch (text[at]) {
    case '<':
      return next === '|' || next === '<' || next === '/' || next === 's' || next === 'S';
    case '[':
      return next === '/' || next === 'i' || next === 'I' || text[at - 1] === '!';
    case '=':
      return next === '=';
    case '#':
      return next === '#';
    case '(':
    case ':':
      return isAfterSpeaker(text, at);
    default:
      return false;
  }
}

/** Whether the word before a sign may be human, assistant, system or user. */
function isAfterSpeaker(text: string, at: number): boolean {
  let last = at - 1;
  while (last > 0 && (text.charCodeAt(last) <= space || text.charCodeAt(last) === asterisk)) last -= 1;
  const [before, letter] = [text.charCodeAt(last - 1) | 32, text.charCodeAt(last) | 32];
  return speakerEndings.has(before * 128 + letter);
}

const speakerEndings = new Set(['an', 'nt', 'em', 'er'].map((one) => one.charCodeAt(0) * 128 + one.charCodeAt(1)));

const [space, percent, asterisk, plus, slash, colon, underscoreCode] = [32, 37, 42, 43, 47, 58, 95];
const [letterA, letterS, letterU] = [97, 115, 117];

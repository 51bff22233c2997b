/**
 * The reader of lines in ASCII for `line-reach`: their words, without a string for each.
 * It looks at each character once. Pure but for the cache of words.
 */
import { mayMatchExpression } from '../expression-match.ts';
import { expressionBit } from '../rules/rule-filter.ts';
import { flagsOf, follows, prefix } from './characters.ts';
import { prefixLengthMax, wordLengthMax } from './line-words.ts';
import { extendedHash, extendedPart, mayBeHint } from './notable-words.ts';

/** What the reader calls for a word that may have a reach. Texts are in lower case. */
export interface PlainLineDeps {
  /** Whether a word of letters and digits with this hash may have a reach. */
  mayReach(hash: number): boolean;
  reachOfWord(text: string, start: number, end: number): number;
  /** The reach of a word from `first`, or from anywhere after `start`. */
  reachOfRest(text: string, start: number, first: number, end: number): number;
}

/** The reader. */
export interface PlainLineReader {
  /** The reach of a line; undefined for one with emphasis or a URL, which it does not read. */
  read(text: string): number | undefined;
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
      let reach = 0;
      let before = 0;
      let lower: string | undefined;
      word.mayMatchExpression = false;
      word.isForeign = false;
      for (let at = 0; at < text.length; ) {
        const kind = kinds[text.charCodeAt(at)] ?? other;
        if (kind < underscore) {
          if (kind === mark || kind === joint) noteMark(word, text, at);
          at += 1;
          continue;
        }
        const start = prefixStart(text, at, before);
        readWord(word, text, at);
        if (word.isForeign) return undefined;
        const first = at;
        at = word.end;
        before = at;
        if (start === first && word.isPlain && !word.isHint && !deps.mayReach(word.hash)) continue;
        lower ??= text.toLowerCase();
        reach |= deps.reachOfWord(lower, start, at);
        if (start < first) reach |= deps.reachOfRest(lower, start, first, at);
      }
      if (word.isForeign) return undefined;
      return word.mayMatchExpression && mayMatchExpression(text) ? reach | expressionBit : reach;
    },
  };
}

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
    const kind = kinds[code] ?? other;
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
  if (text.charCodeAt(at) === asterisk || text.startsWith('://', at)) word.isForeign = true;
  else if (mayBeMark(text, at)) word.mayMatchExpression = true;
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
  while (last > 0 && text.charCodeAt(last) <= space) last -= 1;
  const [before, letter] = [text.charCodeAt(last - 1) | 32, text.charCodeAt(last) | 32];
  return speakerEndings.has(before * 128 + letter);
}

const speakerEndings = new Set(['an', 'nt', 'em', 'er'].map((one) => one.charCodeAt(0) * 128 + one.charCodeAt(1)));

const [space, asterisk, plus, colon, underscoreCode, letterA, letterS, letterU] = [32, 42, 43, 58, 95, 97, 115, 117];

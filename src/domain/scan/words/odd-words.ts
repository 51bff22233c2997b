/**
 * A quick test whether a word with signs, such as a path, may mean something to a scan rule.
 * Most do not, and need no classification. It never rejects one that does: `word-cache` decides on the others. Pure.
 */
import { stepsOf, symbolsOfSteps } from '../rules/rule-filter.ts';
import { hintParts, hintWords } from '../rules/rule-set.ts';
import { extendedHash, secretPhrases } from './notable-words.ts';
import { rarestPart } from './rarest-part.ts';
import { classLabels, classParts } from './token-classes.ts';
import { classesByWord } from './vocabulary.ts';

const placesMax = 65_536;

/** A number whose bits all depend on those of a hash (Knuth, The Art of Computer Programming 3, 6.4). */
function mixed(hash: number): number {
  return Math.imul(hash, 0x9e37_79b1);
}

/** A set of hashes of texts. It may contain a hash that was not added: one in thousands. */
class HashSet {
  readonly #first = new Uint8Array(placesMax);
  readonly #second = new Uint8Array(placesMax);

  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      let hash = 0;
      for (const character of text) hash = extendedHash(hash, character.charCodeAt(0));
      this.#first[mixed(hash) >>> 16] = 1;
      this.#second[mixed(hash) & (placesMax - 1)] = 1;
    }
  }

  mayHave(hash: number): boolean {
    const places = mixed(hash);
    return this.#first[places >>> 16] === 1 && this.#second[places & (placesMax - 1)] === 1;
  }
}

const known = [...classesByWord.keys(), ...symbolsOfSteps(), ...secretPhrases.keys()];
const knownWords = new HashSet([...known, ...known.map((word) => word.replace(/\$$/, ''))]);
/** Words without hyphens, which are the same with some. */
const joinedWords = new HashSet(classesByWord.keys());
const hints = new HashSet(hintWords);
const labels = new HashSet(classLabels);

const partLength = 4;
/** Letters that are frequent in names. */
const frequentLetters: ReadonlySet<string> = new Set('etaoinsrdlc');
const parts = new Uint8Array(placesMax);
const hintsWithMarks = hintWords.filter((word) => /\W/.test(word)).map((word) => word.replaceAll("'", ''));
for (const text of [...classParts, ...hintParts, ...hintsWithMarks]) {
  let part = 0;
  for (const character of rarestPart(text, { length: partLength, frequent: frequentLetters }))
    part = extendedPart(part, character.charCodeAt(0));
  parts[mixed(part) >>> 16] = 1;
}

/** A number for the last four characters, after one more. */
function extendedPart(part: number, code: number): number {
  return ((part << 6) ^ code) & 0xff_ffff;
}

/**
 * Whether the word from `start` to `end` may be one that rules know. It has a character besides Latin letters and digits.
 * `first` is its first letter, digit or underscore. Upper and lower case are the same.
 */
export function mayBeKnownOdd(text: string, start: number, first: number, end: number): boolean {
  const begin = text.charCodeAt(start);
  if ((begin | 32) === letterX && text.charCodeAt(start + 1) === dash) return true;
  if (mayBeKnown(text, start, end)) return true;
  if (begin !== slash && begin !== dash) return false;
  // A comment may begin within what is before the first letter.
  for (let from = start + 1; from <= first; from += 1) if (mayBeKnown(text, from, end)) return true;
  return isOptionKnown && first - start > 1;
}

// A word that begins with two dashes has this class.
const isOptionKnown = stepsOf(['@option']).length > 0;

function mayBeKnown(text: string, start: number, end: number): boolean {
  // Hashes of all of the word, of its letters, and of both without marks at its end; of its last four characters and its last name.
  let hash = 0;
  let joined = 0;
  let trimmed = 0;
  let joinedTrimmed = 0;
  let part = 0;
  let name = 0;
  let dots = 0;
  let isAfterDot = false;
  let hasNoLetter = true;
  for (let at = start; at < end; at += 1) {
    let code = text.charCodeAt(at);
    if (code > lastAscii || code === atSign) return true;
    // The rest of a string before a URL is one word with it.
    if (code === colon && text.startsWith('://', at)) return true;
    if (code >= upperA && code <= upperZ) code |= 32;
    const isAlphanumeric = (code >= lowerA && code <= lowerZ) || (code >= digit0 && code <= digit9);
    if (!isAlphanumeric && isName(name, isAfterDot)) return true;
    if (code === apostrophe) {
      if (text.charCodeAt(at + 1) === apostrophe && at + 1 < end) return true;
      if (at + 2 === end && (text.charCodeAt(at + 1) | 32) === letterS) break;
      isAfterDot = false;
      name = 0;
      continue;
    }
    hash = extendedHash(hash, code);
    part = extendedPart(part, code);
    if (parts[mixed(part) >>> 16] === 1) return true;
    if (code !== dash && code !== underscore) joined = extendedHash(joined, code);
    if (isAlphanumeric) {
      name = extendedHash(name, code);
      if (code >= lowerA) hasNoLetter = false;
    } else {
      isAfterDot = code === fullStop;
      name = 0;
      if (isAfterDot) dots += 1;
    }
    if (code !== fullStop && code !== colon && code !== slash && code !== dash) {
      trimmed = hash;
      joinedTrimmed = joined;
    }
  }
  if ((hasNoLetter && dots >= dotsOfAddress) || isName(name, isAfterDot)) return true;
  if (knownWords.mayHave(hash) || knownWords.mayHave(trimmed)) return true;
  return joinedWords.mayHave(joined) || joinedWords.mayHave(joinedTrimmed);
}

/** Whether a name within a word may be a hint, or one that a class needs after a full stop. */
function isName(name: number, isAfterDot: boolean): boolean {
  return name !== 0 && (hints.mayHave(name) || (isAfterDot && labels.mayHave(name)));
}

const dotsOfAddress = 3;
const [apostrophe, dash, fullStop, slash, digit0, digit9, colon, atSign] = [39, 45, 46, 47, 48, 57, 58, 64];
const [upperA, upperZ, underscore, lowerA, letterS, letterX, lowerZ, lastAscii] = [65, 90, 95, 97, 115, 120, 122, 127];

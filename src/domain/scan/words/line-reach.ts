/**
 * A quick test of a line by its words: for which places of rules it may matter.
 * It never leaves out a place for which the line, or a part of it such as a comment, matters. Pure.
 */
import { expressionWindowLength, mayMatchExpression } from '../expression-match.ts';
import { bitOf, expressionBit, stepsOf, symbolsOfSteps } from '../rules/rule-filter.ts';
import { hintWords } from '../rules/rule-set.ts';
import { type LineReach, noReach, type ReachingWord, reachOfSteps } from '../rules/step-signature.ts';
import { flagsOf, prefix } from './characters.ts';
import { withoutEmphasis } from './emphasis.ts';
import { LineWords } from './line-words.ts';
import { extendedHash, secretPhrases } from './notable-words.ts';
import { createPlainLineReader } from './plain-line.ts';
import { classesByWord } from './vocabulary.ts';
import { knownWordAt, type Word, wordAt } from './word-cache.ts';

/** What the description of an option adds to its sentence. */
export const optionReach: LineReach = reachOfSteps(stepsOf(['@option']));

// A comment may begin or end within what is one word of the line, once emphasis is removed.
const markInWord = /[^\s("]\/\*|\*\/[^\s)"]/;
const commentReach = bitOf('comment') | expressionBit;
const words = new LineWords();

/** The reach of a line that is being read. One object is used for all. */
class ReachInProgress {
  places = 0;
  untested = 0;
  low = 0;
  high = 0;
  words: ReachingWord[] | undefined;

  clear(): void {
    this.places = 0;
    this.untested = 0;
    this.low = 0;
    this.high = 0;
    this.words = undefined;
  }

  add(word: Word | undefined): void {
    if (word === undefined) return;
    this.places |= word.reach;
    this.untested |= word.untested;
    this.low |= word.signature.low;
    this.high |= word.signature.high;
    if (word.places !== 0) this.#addReaching(word);
    const { secretAfter } = word;
    if (secretAfter !== undefined && secretAfter.word.places !== 0) this.#addReaching(secretAfter.word);
  }

  result(): LineReach {
    const { places, untested, low, high, words: found = noReach.words } = this;
    return places === 0 && low === 0 && high === 0 ? noReach : { places, untested, low, high, words: found };
  }

  #addReaching(word: ReachingWord): void {
    if (this.words === undefined) this.words = [word];
    else this.words.push(word);
  }
}

const found = new ReachInProgress();

/** For which places a line may matter. `isPlain`: the line has no letters but those of ASCII, or has not many. */
export function reachOf(text: string, isPlain = false): LineReach {
  const lower = withoutEmphasis(text);
  found.clear();
  const mayBeCut = lower.length !== text.length && markInWord.test(text);
  if (!isPlain || !plainLine.read(lower)) readWords(lower);
  if (mayMatchExpression(text)) found.places |= expressionBit;
  if (mayBeCut) {
    found.places |= commentReach;
    found.untested |= commentReach;
  }
  return found.result();
}

function readWords(lower: string): void {
  found.clear();
  words.read(lower);
  while (words.next()) {
    if (!words.mayBeNotable) continue;
    const { start, end } = words;
    let first = start;
    while (first < end && (flagsOf(lower.charCodeAt(first)) & prefix) !== 0) first += 1;
    found.add(knownWordAt(lower, start, end, words.hash));
    if (first > start) addRest(lower, start, first, end);
  }
}

const plainLine = createPlainLineReader({
  addHash,
  addWord,
  addRest,
  addExpression: () => {
    found.places |= expressionBit;
  },
});

/** What {@link reachOf} returns, in less time, for a line of which most words are in ASCII. */
export function reachOfPlain(text: string): LineReach {
  if (text.length > expressionWindowLength) return reachOf(text, true);
  found.clear();
  return plainLine.read(text) ? found.result() : reachOf(text, true);
}

const [dash, slash] = [45, 47];

/** Adds the word without some or all of what is before its letters, as a comment that begins there has it. */
function addRest(text: string, start: number, first: number, end: number): void {
  const code = text.charCodeAt(start);
  if (code !== slash && code !== dash) return;
  for (let from = start + 1; from <= first; from += 1) addWord(text, from, end);
}

function addWord(text: string, start: number, end: number): void {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = extendedHash(hash, text.charCodeAt(at));
  found.add(knownWordAt(text, start, end, hash));
}

const hashesMax = 65_536;
/** What a plain word with a hash may be: 0 unknown, 1 one with a signature, 2 one with a reach. */
const knownByHash = new Uint8Array(hashesMax);
const lowByHash = new Int32Array(hashesMax);
const highByHash = new Int32Array(hashesMax);

/** Adds a plain word by its hash. Returns false if it may have a reach, and must be added as a word. */
function addHash(hash: number): boolean {
  const place = (hash ^ (hash >>> 16)) & (hashesMax - 1);
  const known = knownByHash[place] ?? 0;
  if (known === 0) return true;
  if (known === 2) return false;
  found.low |= lowByHash[place] ?? 0;
  found.high |= highByHash[place] ?? 0;
  return true;
}

for (const symbol of [...classesByWord.keys(), ...symbolsOfSteps(), ...hintWords, ...secretPhrases.keys()]) {
  const text = symbol.replace(/\$$/, '');
  let hash = 0;
  for (const character of text) hash = extendedHash(hash, character.charCodeAt(0));
  const { reach, signature } = wordAt(text, 0, text.length, hash);
  const place = (hash ^ (hash >>> 16)) & (hashesMax - 1);
  knownByHash[place] = Math.max(knownByHash[place] ?? 0, reach === 0 ? 1 : 2);
  lowByHash[place] = (lowByHash[place] ?? 0) | signature.low;
  highByHash[place] = (highByHash[place] ?? 0) | signature.high;
}

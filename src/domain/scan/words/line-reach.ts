/**
 * A quick test of a line by its words: for which places of rules it may matter.
 * It never leaves out a place for which the line, or a part of it such as a comment, matters. Pure.
 */
import { expressionWindowLength, mayMatchExpression } from '../expression-match.ts';
import { bitOf, expressionBit, placesOf, stepsOf, symbolsOfSteps } from '../rules/rule-filter.ts';
import { hintWords } from '../rules/rule-set.ts';
import { flagsOf, prefix } from './characters.ts';
import { withoutEmphasis } from './emphasis.ts';
import { LineWords } from './line-words.ts';
import { extendedHash, secretPhrases } from './notable-words.ts';
import { createPlainLineReader } from './plain-line.ts';
import { classesByWord } from './vocabulary.ts';
import { reachAt } from './word-cache.ts';

/** What the description of an option adds to its sentence. */
export const optionReach = placesOf(stepsOf(['@option']));

// A comment may begin or end within what is one word of the line, once emphasis is removed.
const markInWord = /[^\s("]\/\*|\*\/[^\s)"]/;
const commentReach = bitOf('comment') | expressionBit;
const words = new LineWords();

/**
 * One bit for each place where a rule may match a sentence for a word of this line, and one for expressions. `isPlain`: the
 * line is in ASCII.
 */
export function reachOf(text: string, isPlain = false): number {
  const lower = withoutEmphasis(text);
  let reach = mayMatchExpression(text) ? expressionBit : 0;
  if (lower.length !== text.length && markInWord.test(text)) reach |= commentReach;
  const ofWords = isPlain ? plainLine.read(lower) : undefined;
  if (ofWords !== undefined) return reach | ofWords;
  words.read(lower);
  while (words.next()) {
    if (!words.mayBeNotable) continue;
    const { start, end } = words;
    let first = start;
    while (first < end && (flagsOf(lower.charCodeAt(first)) & prefix) !== 0) first += 1;
    reach |= reachAt(lower, start, end, words.hash);
    if (first > start) reach |= reachOfRest(lower, start, first, end);
  }
  return reach;
}

const plainLine = createPlainLineReader({ mayReach, reachOfWord, reachOfRest });

/** What {@link reachOf} returns, in less time, for a line in ASCII. */
export function reachOfPlain(text: string): number {
  const reach = text.length > expressionWindowLength ? undefined : plainLine.read(text);
  return reach ?? reachOf(text, true);
}

const [dash, slash] = [45, 47];

/** The reach of the word without some or all of what is before its letters, as a comment that begins there has it. */
function reachOfRest(text: string, start: number, first: number, end: number): number {
  const code = text.charCodeAt(start);
  if (code !== slash && code !== dash) return 0;
  let reach = 0;
  for (let from = start + 1; from <= first; from += 1) reach |= reachOfWord(text, from, end);
  return reach;
}

function reachOfWord(text: string, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = extendedHash(hash, text.charCodeAt(at));
  return reachAt(text, start, end, hash);
}

const hashesMax = 65_536;
const reachingHashes = new Uint8Array(hashesMax);

/** Whether a plain word with this hash may have a reach. */
function mayReach(hash: number): boolean {
  return reachingHashes[(hash ^ (hash >>> 16)) & (hashesMax - 1)] === 1;
}

for (const symbol of [...classesByWord.keys(), ...symbolsOfSteps(), ...hintWords, ...secretPhrases.keys()]) {
  const word = symbol.replace(/\$$/, '');
  let hash = 0;
  for (const character of word) hash = extendedHash(hash, character.charCodeAt(0));
  if (reachOfWord(word, 0, word.length) !== 0) reachingHashes[(hash ^ (hash >>> 16)) & (hashesMax - 1)] = 1;
}

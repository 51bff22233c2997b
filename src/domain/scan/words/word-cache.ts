/** The words of scanned text, each classified once: classification is costly and most words repeat. */
import { bitOf, expressionBit, lastStepsOf, placesOf, type StepNumbers, stepsOf } from '../rules/rule-filter.ts';
import { wordHints } from '../rules/rule-set.ts';
import { type Signature, signatureOf } from '../rules/step-signature.ts';
import { secretPhrases } from './notable-words.ts';
import { classesOf } from './token-classes.ts';

/** A word, whatever its place in the text. Words in the cache are shared and never changed. */
export interface Word {
  /** As it is in the text, in lower case. */
  found: string;
  text: string;
  /** What a pattern can match: the text and its `@class`es. */
  symbols: readonly string[];
  steps: StepNumbers;
  /** The steps that the word matches as the last one of its sentence. */
  lastSteps: StepNumbers;
  /** One bit for each place where a pattern may match a sentence for this word. */
  places: number;
  /** The quotation mark that closes this one. */
  closing: string | undefined;
  endsSentence: boolean;
  /** An expression may match its line. */
  isHint: boolean;
  /** The words before it with which it names a secret, and what it is after one of them. */
  secretAfter: { words: readonly string[]; word: Word } | undefined;
  /** What it is at the beginning of a quotation, if it separates commands. */
  separator: Word | undefined;
  /** One bit for each place for which the word may matter in any context, with that of expressions. */
  reach: number;
  /** Of these, those for which what it is a part of may matter. */
  untested: number;
  /** The bits of all steps that it may match in any context. */
  signature: Signature;
  /** Whether any of this means something to a rule or divides sentences. */
  isNotable: boolean;
}

const sentenceEnds = new Set(['.', '!', '?', '。', '！', '？']);
const commandSeparators = new Set([';', '|', '||', '&&', '&']);
const closingQuotes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['“', '”'],
  ['«', '»'],
  ['`', '`'],
]);

const placesMax = 32_768;
const cache: (Word | undefined)[] = new Array(placesMax).fill(undefined);

/** The word from `start` to `end` of a text in lower case. `hash` is of these characters; it decides on the place. */
export function wordAt(text: string, start: number, end: number, hash: number): Word {
  const place = hash & (placesMax - 1);
  const first = cache[place];
  if (first !== undefined && isAt(first.found, text, start, end)) return first;
  const second = cache[place ^ 1];
  if (second !== undefined && isAt(second.found, text, start, end)) return second;
  const word = classifiedWord(detached(text.slice(start, end)));
  cache[place ^ 1] = first;
  cache[place] = word;
  return word;
}

/** A copy of a part of a text, which does not keep the text in memory. */
function detached(part: string): string {
  return Buffer.from(part, 'utf16le').toString('utf16le');
}

function isAt(found: string, text: string, start: number, end: number): boolean {
  return found.length === end - start && text.startsWith(found, start);
}

const unknownMax = 131_072;
const unknown: string[] = new Array(unknownMax).fill('');

/** A word as {@link wordAt} finds it; undefined if no rule knows it. Those are many, and cost little to remember. */
export function knownWordAt(text: string, start: number, end: number, hash: number): Word | undefined {
  const place = (hash ^ (hash >>> 15)) & (unknownMax - 1);
  if (isAt(unknown[place] ?? '', text, start, end)) return undefined;
  const word = wordAt(text, start, end, hash);
  const { reach, found, signature } = word;
  if (reach !== 0 || signature.low !== 0 || signature.high !== 0) return word;
  unknown[place] = found;
  return undefined;
}

function classifiedWord(found: string): Word {
  const text = found.includes("'") || trailingMarks.test(found) ? withoutMarks(found) : found;
  const symbols = [text, ...classesOf(text)];
  const word = wordOf(found, text, symbols);
  const secretWords = secretPhrases.get(text);
  const secretAfter = secretWords && { words: secretWords, word: wordOf(found, text, [...symbols, '@secretdata']) };
  const separator = commandSeparators.has(text) ? wordOf(found, text, [...symbols, '@separator']) : undefined;
  const untested = markReach(found);
  const reach = word.reach | (secretAfter?.word.reach ?? 0) | (separator?.reach ?? 0) | untested;
  const signature = joined(word.signature, secretAfter?.word.signature, separator?.signature);
  return {
    ...{ ...word, secretAfter, separator, reach, untested, signature },
    isNotable: word.isNotable || secretWords !== undefined,
  };
}

function joined(...signatures: readonly (Signature | undefined)[]): Signature {
  let [low, high] = [0, 0];
  for (const signature of signatures) {
    low |= signature?.low ?? 0;
    high |= signature?.high ?? 0;
  }
  return { low, high };
}

const trailingMarks = /[.:/-]$/;

function withoutMarks(found: string): string {
  const text = found
    .replace(/'s$/, '')
    .replace(/[.:/-]+$/, '')
    .replaceAll("'", '');
  return text === '' ? found : text;
}

function wordOf(found: string, text: string, symbols: readonly string[]): Word {
  const [steps, lastSteps] = [stepsOf(symbols), lastStepsOf(text)];
  const closing = closingQuotes.get(found);
  const endsSentence = sentenceEnds.has(found);
  const isHint = wordHints.test(found);
  const places = placesOf(steps) | placesOf(lastSteps);
  // A comma is in no sentence, and a separator of commands may be another word.
  const isSign = found === ',' || commandSeparators.has(text);
  return {
    ...{ found, text, symbols, steps, lastSteps, closing, endsSentence, isHint },
    places,
    reach: places | (isHint ? expressionBit : 0),
    untested: 0,
    signature: joined(signatureOf(steps), signatureOf(lastSteps)),
    secretAfter: undefined,
    separator: undefined,
    isNotable: steps.length + lastSteps.length > 0 || closing !== undefined || endsSentence || isHint || isSign,
  };
}

/** A comment that begins within a word has a part of it. */
function markReach(found: string): number {
  return found.includes("'''") ? bitOf('comment') | expressionBit : 0;
}

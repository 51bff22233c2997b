/** The words of scanned text, each classified once: classification is costly and most words repeat. */
import { lastStepsOf, type StepNumbers, stepsOf } from '../rules/rule-filter.ts';
import { wordHints } from '../rules/rule-set.ts';
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
  /** The quotation mark that closes this one. */
  closing: string | undefined;
  endsSentence: boolean;
  /** An expression may match its line. */
  isHint: boolean;
  /** The words before it with which it names a secret, and what it is after one of them. */
  secretAfter: { words: readonly string[]; word: Word } | undefined;
  /** What it is at the beginning of a quotation, if it separates commands. */
  separator: Word | undefined;
}

const sentenceEnds = new Set(['.', '!', '?', '。', '！', '？']);
const commandSeparators = new Set([';', '|', '||', '&&', '&']);
const closingQuotes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['“', '”'],
  ['«', '»'],
  ['`', '`'],
]);

/** Pairs of words that together name a secret: the first words of each second word. */
const secretPhrases: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    key: ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'],
    keys: ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'],
    variables: ['environment'],
    vars: ['env'],
    phrase: ['seed', 'recovery'],
    prompt: ['system'],
  }),
);

const placesMax = 32_768;
const places: (Word | undefined)[] = new Array(placesMax).fill(undefined);

/** The word from `start` to `end` of a text in lower case. `hash` is of these characters; it decides on the place. */
export function wordAt(text: string, start: number, end: number, hash: number): Word {
  const place = hash & (placesMax - 1);
  const first = places[place];
  if (first !== undefined && isAt(first.found, text, start, end)) return first;
  const second = places[place ^ 1];
  if (second !== undefined && isAt(second.found, text, start, end)) return second;
  const word = classifiedWord(text.slice(start, end));
  places[place ^ 1] = first;
  places[place] = word;
  return word;
}

function isAt(found: string, text: string, start: number, end: number): boolean {
  return found.length === end - start && text.startsWith(found, start);
}

function classifiedWord(found: string): Word {
  const text =
    found
      .replace(/'s$/, '')
      .replace(/[.:/-]+$/, '')
      .replaceAll("'", '') || found;
  const symbols = [text, ...classesOf(text)];
  const word = wordOf(found, text, symbols);
  const secretWords = secretPhrases.get(text);
  return {
    ...word,
    secretAfter: secretWords && { words: secretWords, word: wordOf(found, text, [...symbols, '@secretdata']) },
    separator: commandSeparators.has(text) ? wordOf(found, text, [...symbols, '@separator']) : undefined,
  };
}

function wordOf(found: string, text: string, symbols: readonly string[]): Word {
  return {
    found,
    text,
    symbols,
    steps: stepsOf(symbols),
    lastSteps: lastStepsOf(text),
    closing: closingQuotes.get(found),
    endsSentence: sentenceEnds.has(found),
    isHint: wordHints.test(found),
    secretAfter: undefined,
    separator: undefined,
  };
}

/**
 * The tokenizer of the content scan: splits text into sentences of words and classifies each.
 * Words are also URLs, paths, variables and shell operators. Formatting such as emphasis, bullets and rules is dropped.
 */

import type { ScanLine } from '../lines.ts';
import type { ScanToken } from '../pattern.ts';
import type { FilteredWords, StepNumbers } from '../rules/rule-filter.ts';
import { withoutEmphasis } from './emphasis.ts';
import { LineWords } from './line-words.ts';
import { Sentence, sentenceTokensMax } from './sentence.ts';
import { type Word, wordAt } from './word-cache.ts';

const abbreviations = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf']);

/** Reads lines, and calls a function with each sentence. A sentence may span lines. One text is read after another. */
export class SentenceReader {
  /** Words that were read since this was last set to 0. */
  wordsRead = 0;
  #onSentence: (sentence: Sentence) => void = () => undefined;
  readonly #line = new LineWords();
  readonly #sentence = new Sentence();
  #closingQuote: string | undefined;

  /** Begins a text. The one before it has ended. */
  begin(onSentence: (sentence: Sentence) => void): void {
    this.#onSentence = onSentence;
  }

  read({ text, line }: ScanLine): void {
    const words = this.#line;
    words.read(withoutEmphasis(text));
    while (words.next()) {
      this.wordsRead += 1;
      const word = words.mayBeNotable ? wordAt(words.text, words.start, words.end, words.hash) : undefined;
      if (word?.isNotable === true) this.#addNotable(word, line);
      else this.#add(undefined, line);
    }
  }

  /** Ends the sentence that is open. */
  end(): void {
    this.#endSentence();
    this.#closingQuote = undefined;
  }

  #addNotable(word: Word, line: number): void {
    const closingQuote = this.#closingQuote;
    if (word.endsSentence && !abbreviations.has(this.#sentence.lastText())) {
      this.#closingQuote = undefined;
      this.#endSentence();
    } else if (closingQuote !== undefined && word.found === closingQuote) this.#closingQuote = undefined;
    else if (closingQuote === undefined && word.closing !== undefined) this.#closingQuote = word.closing;
    else if (word.found !== ',' && word.found !== '.') this.#add(word, line);
  }

  #add(notable: Word | undefined, line: number): void {
    const sentence = this.#sentence;
    sentence.add(this.#line, line * 2 + (this.#closingQuote === undefined ? 0 : 1), notable);
    if (sentence.length >= sentenceTokensMax) this.#endSentence();
  }

  #endSentence(): void {
    const sentence = this.#sentence;
    if (sentence.length === 0) return;
    this.#onSentence(sentence);
    sentence.clear();
  }
}

/** Words in one block at most. A longer block is split between sentences. */
const blockWordsMax = 600;

/** The quick test for sentences that are matched together, without their tokens: it reads as {@link SentenceBlock} does. */
export class BlockFilter implements FilteredWords {
  readonly words: Word[] = [];
  count = 0;
  places = 0;
  lastSteps: StepNumbers = [];
  /** Whether the rules may match a block that has ended. */
  mayMatch = false;
  #length = 0;
  readonly #test: (words: FilteredWords) => boolean;

  constructor(test: (words: FilteredWords) => boolean) {
    this.#test = test;
  }

  add(sentence: Sentence): void {
    if (this.mayMatch) return;
    if (this.#length + sentence.length > blockWordsMax) this.end();
    this.#length += sentence.length;
    this.places |= sentence.places;
    this.lastSteps = sentence.lastSteps;
    for (let at = 0; at < sentence.count; at += 1) {
      const word = sentence.words[at];
      if (word === undefined || word.steps.length === 0) continue;
      this.words[this.count] = word;
      this.count += 1;
    }
  }

  end(): void {
    this.mayMatch ||= this.#test(this);
    this.#length = 0;
    this.count = 0;
    this.places = 0;
    this.lastSteps = [];
  }
}

/** Sentences that are matched together: the lines of a code block, or the content of a pseudo-tag. */
export class SentenceBlock implements FilteredWords {
  tokens: ScanToken[] = [];
  words: Word[] = [];
  places = 0;
  lastSteps: StepNumbers = [];
  readonly #onBlock: (block: SentenceBlock) => void;

  constructor(onBlock: (block: SentenceBlock) => void) {
    this.#onBlock = onBlock;
  }

  get count(): number {
    return this.words.length;
  }

  add(sentence: Sentence): void {
    if (this.tokens.length + sentence.length > blockWordsMax) this.end();
    this.tokens.push(...sentence.tokens());
    this.words.push(...sentence.words.slice(0, sentence.count));
    this.places |= sentence.places;
    this.lastSteps = sentence.lastSteps;
  }

  end(): void {
    if (this.tokens.length > 0) this.#onBlock(this);
    this.tokens = [];
    this.words = [];
    this.places = 0;
    this.lastSteps = [];
  }
}

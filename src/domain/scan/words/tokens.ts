/**
 * The tokenizer of the content scan: splits text into sentences of words and classifies each.
 * Words are also URLs, paths, variables and shell operators. Formatting such as emphasis, bullets and rules is dropped.
 */

import type { ScanLine } from '../lines.ts';
import type { ScanToken } from '../pattern.ts';
import { LineWords } from './line-words.ts';
import { type Word, wordAt } from './word-cache.ts';

/** Words in one sentence at most. A longer sentence is split. */
export const sentenceTokensMax = 160;

/** A sentence: its words, and for each the number of its line, doubled, plus one if it is quoted. */
export interface Sentence {
  words: Word[];
  places: number[];
}

const abbreviations = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf']);
/** Reads lines, and calls a function with each sentence. A sentence may span lines. */
export class SentenceReader {
  /** Words that were read since this was last set to 0. */
  wordsRead = 0;
  /** The lines with a word for which an expression may match. */
  readonly hintedLines = new Set<number>();
  readonly #onSentence: (sentence: Sentence) => void;
  readonly #line = new LineWords();
  #sentence: Sentence = { words: [], places: [] };
  #closingQuote: string | undefined;

  constructor(onSentence: (sentence: Sentence) => void) {
    this.#onSentence = onSentence;
  }

  read({ text, line }: ScanLine): void {
    const words = this.#line;
    const read = withoutEmphasis(text);
    words.read(read);
    while (words.next()) this.#addWord(wordAt(read, words.start, words.end, words.hash), line);
  }

  /** Ends the sentence that is open. */
  end(): void {
    this.#endSentence();
    this.#closingQuote = undefined;
  }

  #addWord(word: Word, line: number): void {
    this.wordsRead += 1;
    if (word.isHint) this.hintedLines.add(line);
    const closingQuote = this.#closingQuote;
    const { words } = this.#sentence;
    if (word.endsSentence && !abbreviations.has(words.at(-1)?.text ?? '')) {
      this.#closingQuote = undefined;
      this.#endSentence();
    } else if (closingQuote !== undefined && word.found === closingQuote) this.#closingQuote = undefined;
    else if (closingQuote === undefined && word.closing !== undefined) this.#closingQuote = word.closing;
    else if (word.found !== ',' && word.found !== '.') {
      addWord(this.#sentence, word, line, closingQuote !== undefined);
      if (words.length >= sentenceTokensMax) this.#endSentence();
    }
  }

  #endSentence(): void {
    const sentence = this.#sentence;
    if (sentence.words.length === 0) return;
    this.#sentence = { words: [], places: [] };
    this.#onSentence(sentence);
  }
}

/** Words in one block at most. A longer block is split between sentences. */
const blockWordsMax = 600;

/** Sentences that are matched together: the lines of a code block, or the content of a pseudo-tag. */
export class SentenceBlock {
  #sentences: Sentence[] = [];
  #length = 0;
  readonly #onBlock: (sentences: readonly Sentence[]) => void;

  constructor(onBlock: (sentences: readonly Sentence[]) => void) {
    this.#onBlock = onBlock;
  }

  add(sentence: Sentence): void {
    if (this.#length + sentence.words.length > blockWordsMax) this.end();
    this.#sentences.push(sentence);
    this.#length += sentence.words.length;
  }

  end(): void {
    const sentences = this.#sentences;
    this.#sentences = [];
    this.#length = 0;
    if (sentences.length > 0) this.#onBlock(sentences);
  }
}

/** The tokens of a sentence, in order. */
export function tokensOf({ words, places }: Sentence): ScanToken[] {
  return words.map(({ text, symbols }, index) => {
    const place = places[index] ?? 0;
    return { text, symbols, line: place >> 1, quoted: place % 2 === 1 };
  });
}

function withoutEmphasis(text: string): string {
  const lower = text.toLowerCase();
  // Emphasis marks inside a word would split it and hide it from the rules.
  return lower.includes('*') || lower.includes('__') ? lower.replaceAll(/\*{1,3}|__/g, '') : lower;
}

function addWord({ words, places }: Sentence, word: Word, line: number, isQuoted: boolean): void {
  places.push(line * 2 + (isQuoted ? 1 : 0));
  const { secretAfter, separator } = word;
  const previous = words.at(-1);
  if (secretAfter !== undefined && previous !== undefined && secretAfter.words.includes(previous.text)) {
    words.push(secretAfter.word);
  } else if (separator !== undefined && isQuoted && (places.at(-2) ?? 0) % 2 === 0) {
    // A quotation that begins with a separator of commands is a string for an injection.
    words.push(separator);
  } else words.push(word);
}

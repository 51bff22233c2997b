/**
 * A sentence of scanned text: where its words are, and those of them that mean something to a rule.
 * Tokens are made only of a sentence that a rule may match. One object is used for all sentences of a reader.
 */
import type { ScanToken } from '../pattern.ts';
import type { FilteredWords, StepNumbers } from '../rules/rule-filter.ts';
import type { LineWords } from './line-words.ts';
import { type Word, wordAt } from './word-cache.ts';

/** Words in one sentence at most. A longer sentence is split. */
export const sentenceTokensMax = 160;

const noSteps: StepNumbers = [];

/** A sentence. It is valid until its reader reads on. */
export class Sentence implements FilteredWords {
  /** The number of all words. */
  length = 0;
  /** The notable words, in order; the first {@link count} are of this sentence. */
  readonly words: Word[] = [];
  count = 0;
  places = 0;
  /** The position of the last notable word. */
  #lastNotable = -1;
  readonly #texts: string[] = new Array(sentenceTokensMax).fill('');
  readonly #starts = new Int32Array(sentenceTokensMax);
  readonly #ends = new Int32Array(sentenceTokensMax);
  readonly #hashes = new Int32Array(sentenceTokensMax);
  /** The number of the line of each word, doubled, plus one if it is quoted. */
  readonly #lines = new Float64Array(sentenceTokensMax);

  /** Adds the word that the line is at. `line`: the number of the line, doubled, plus one if the word is quoted. */
  add(at: LineWords, line: number, notable: Word | undefined): void {
    const { length } = this;
    this.#texts[length] = at.text;
    this.#starts[length] = at.start;
    this.#ends[length] = at.end;
    this.#hashes[length] = at.hash;
    this.#lines[length] = line;
    this.length = length + 1;
    if (notable === undefined) return;
    const word = this.#inContext(notable, length);
    this.words[this.count] = word;
    this.count += 1;
    this.places |= word.places;
    this.#lastNotable = length;
  }

  clear(): void {
    this.length = 0;
    this.count = 0;
    this.places = 0;
    this.#lastNotable = -1;
  }

  /** The last word; empty in an empty sentence. */
  lastText(): string {
    return this.length === 0 ? '' : this.#found(this.length - 1).text;
  }

  get lastSteps(): StepNumbers {
    if (this.length === 0 || this.#lastNotable !== this.length - 1) return noSteps;
    return this.words[this.count - 1]?.lastSteps ?? noSteps;
  }

  /** The tokens, in order. */
  tokens(): ScanToken[] {
    return Array.from({ length: this.length }, (_, index) => {
      const { text, symbols } = this.#inContext(this.#found(index), index);
      return { text, symbols, line: Math.floor(this.#lineOf(index) / 2), quoted: this.#lineOf(index) % 2 === 1 };
    });
  }

  #found(index: number): Word {
    const [start = 0, end = 0, hash = 0] = [this.#starts[index], this.#ends[index], this.#hashes[index]];
    return wordAt(this.#texts[index] ?? '', start, end, hash);
  }

  #lineOf(index: number): number {
    return this.#lines[index] ?? 0;
  }

  /** What a word is after the one before it. */
  #inContext(word: Word, index: number): Word {
    const { secretAfter, separator } = word;
    if (secretAfter !== undefined && index > 0 && secretAfter.words.includes(this.#found(index - 1).text)) {
      return secretAfter.word;
    }
    // A quotation that begins with a separator of commands is a string for an injection.
    if (separator === undefined || this.#lineOf(index) % 2 === 0) return word;
    return index > 0 && this.#lineOf(index - 1) % 2 === 1 ? word : separator;
  }
}

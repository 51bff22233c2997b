/**
 * The tokenizer of the content scan: splits text into sentences of tokens and classifies each token.
 * Tokens are words, URLs, paths, variables and shell operators. Formatting such as emphasis, bullets and rules is
 * dropped. One pass without look-behind.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { isStepEnd, type ScanLine } from './lines.ts';
import { isAscii } from './text-normalisation.ts';
import { classesOf } from './token-classes.ts';

/**
 * One token, in lower case. `symbols` are what a pattern can match: the text and its `@class`es.
 */
export interface ScanToken {
  text: string;
  symbols: readonly string[];
  line: number;
  /** Whether the token is inside quotation marks or backticks. */
  quoted: boolean;
}

/** Tokens in one sentence at most. A longer sentence is split. */
export const sentenceTokensMax = 160;

// A word has at most about 200 characters and a URL 300. The rest becomes a further token. Full stops and marks of
// Chinese and Japanese end a word of these scripts, which write no spaces.
const url = /[a-z][a-z0-9+.-]{1,11}:\/\/(?:[^\s<>"'`\\.,;!?)]|[.,;!?)](?=[^\s<>"'`\\.,;!?)])){1,300}/.source;
const sign = /&&|\|\||>>|[|;(){}<>=&#[\]!?:"“”«»`。！？]|[~/]\*?(?=[\s"'`]|$)|[.,](?=\s|$)/.source;
const word = (letter: string, mark: string) =>
  `[~$%@./-]{0,3}[${letter}_](?:[${letter}${mark}_'/~$@+-]|[.:](?=[${letter}/_~-])){0,200}`;
const tokenPattern = new RegExp(`${url}|${word('\\p{L}\\p{N}', '\\p{M}')}|${sign}`, 'gu');
// The same for text that is in ASCII, which most text is. It takes half the time.
const asciiTokenPattern = new RegExp(`${url}|${word('a-z0-9', '')}|${sign}`, 'g');

const sentenceEnds = new Set(['.', '!', '?', '。', '！', '？']);
const commandSeparators = new Set([';', '|', '||', '&&', '&']);
const abbreviations = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf']);
const closingQuotes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['“', '”'],
  ['«', '»'],
  ['`', '`'],
]);

/**
 * Splits lines into sentences, one at a time. A sentence may span lines. Yields undefined now and then, so that a caller
 * can pause.
 */
export function* sentencesOf(lines: readonly ScanLine[]): Generator<ScanToken[] | undefined> {
  let current: ScanToken[] = [];
  let closingQuote: string | undefined;
  for (const { text, line, offset } of lines) {
    if (offset > 0 || isStepEnd(line)) yield;
    for (const found of tokenTexts(text)) {
      const isSentenceEnd = sentenceEnds.has(found) && !abbreviations.has(current.at(-1)?.text ?? '');
      if (isSentenceEnd) closingQuote = undefined;
      else if (closingQuote !== undefined && found === closingQuote) closingQuote = undefined;
      else if (closingQuote === undefined && closingQuotes.has(found)) closingQuote = closingQuotes.get(found);
      else if (found !== ',' && found !== '.')
        current.push(tokenOf(found, { line, quoted: closingQuote !== undefined, previous: current.at(-1) }));
      if (!isSentenceEnd && current.length < sentenceTokensMax) continue;
      if (current.length > 0) yield current;
      current = [];
    }
  }
  if (current.length > 0) yield current;
}

function tokenTexts(line: string): readonly string[] {
  // Emphasis marks inside a word would split it and hide it from the rules.
  const text = withoutEmphasis(line);
  return text.match(isAscii(text) ? asciiTokenPattern : tokenPattern) ?? [];
}

function withoutEmphasis(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('*') || lower.includes('__') ? lower.replaceAll(/\*{1,3}|__/g, '') : lower;
}

// Classification is costly and most words repeat.
const tokenCacheSizeMax = 20_000;
const tokenCache = new BoundedMap<string, { text: string; symbols: readonly string[] }>(tokenCacheSizeMax);

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

function tokenOf(
  found: string,
  { line, quoted, previous }: { line: number; quoted: boolean; previous: ScanToken | undefined },
): ScanToken {
  let classified = tokenCache.get(found);
  if (classified === undefined) {
    const text =
      found
        .toLowerCase()
        .replace(/'s$/, '')
        .replace(/[.:/-]+$/, '')
        .replaceAll("'", '') || found;
    classified = { text, symbols: [text, ...classesOf(text)] };
    tokenCache.set(found, classified);
  }
  const { text, symbols } = classified;
  const isSecret = previous !== undefined && secretPhrases.get(text)?.includes(previous.text) === true;
  if (isSecret) return { text, symbols: [...symbols, '@secretdata'], line, quoted };
  // A quotation that begins with a separator of commands is a string for an injection.
  const isSeparator = quoted && previous?.quoted !== true && commandSeparators.has(text);
  return { text, symbols: isSeparator ? [...symbols, '@separator'] : symbols, line, quoted };
}

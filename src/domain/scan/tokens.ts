/**
 * The tokenizer of the content scan: splits text into sentences of tokens and classifies each token.
 * Tokens are words, URLs, paths, variables and shell operators. Formatting such as emphasis, bullets and rules is
 * dropped. One pass without look-behind.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { classesOf } from './token-classes.ts';

/**
 * One token, in lower case. `symbols` are what a pattern can match: the text, its `@class`es and, for the last token
 * of a sentence, the text followed by `$`.
 */
export interface ScanToken {
  text: string;
  symbols: readonly string[];
  line: number;
  /** Whether the token is inside quotation marks or backticks. */
  quoted: boolean;
}

/** One normalised line of a segment, with its line number in the part, from 1. */
export interface ScanLine {
  text: string;
  line: number;
}

/** Tokens in one sentence at most. A longer sentence is split. */
export const sentenceTokensMax = 160;

// A word has at most about 200 characters and a URL 300. The rest becomes a further token.
const tokenPattern =
  /[a-z][a-z0-9+.-]{1,11}:\/\/(?:[^\s<>"'`\\.,;!?)]|[.,;!?)](?=[^\s<>"'`\\.,;!?)])){1,300}|[~$%@./-]{0,3}[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_'/~$@+-]|[.:](?=[\p{L}\p{N}/_~-])){0,200}|&&|\|\||>>|[|;(){}<>=&#[\]!?:"“”«»`。！？]|[~/]\*?(?=[\s"'`]|$)|[.,](?=\s|$)/gu;

const sentenceEnds = new Set(['.', '!', '?', '。', '！', '？']);
const abbreviations = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf']);
const closingQuotes: Readonly<Record<string, string>> = { '"': '"', '“': '”', '«': '»', '`': '`' };

/** Splits lines into sentences. A sentence may span lines. */
export function sentencesOf(lines: readonly ScanLine[]): ScanToken[][] {
  const sentences: ScanToken[][] = [];
  let current: ScanToken[] = [];
  let closingQuote: string | undefined;
  const endSentence = () => {
    const last = current.pop();
    if (last !== undefined) sentences.push([...current, { ...last, symbols: [...last.symbols, `${last.text}$`] }]);
    current = [];
  };
  for (const { text, line } of lines) {
    // Emphasis marks inside a word would split it and hide it from the rules.
    for (const [found] of withoutEmphasis(text).matchAll(tokenPattern)) {
      if (sentenceEnds.has(found) && !abbreviations.has(current.at(-1)?.text ?? '')) {
        closingQuote = undefined;
        endSentence();
        continue;
      }
      if (closingQuote !== undefined && found === closingQuote) closingQuote = undefined;
      else if (closingQuote === undefined && closingQuotes[found] !== undefined) closingQuote = closingQuotes[found];
      else if (found !== ',' && found !== '.')
        current.push(tokenOf(found, { line, quoted: closingQuote !== undefined, previous: current.at(-1) }));
      if (current.length >= sentenceTokensMax) endSentence();
    }
  }
  endSentence();
  return sentences;
}

function withoutEmphasis(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('*') || lower.includes('__') ? lower.replaceAll(/\*{1,3}|__/g, '') : lower;
}

// Classification is costly and most words repeat.
const tokenCacheSizeMax = 20_000;
const tokenCache = new BoundedMap<string, { text: string; symbols: readonly string[] }>(tokenCacheSizeMax);

/** Pairs of words that together name a secret. */
const secretPhrases = new Set(
  ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'].flatMap((kind) => [
    `${kind} key`,
    `${kind} keys`,
  ]),
);
for (const phrase of ['environment variables', 'env vars', 'seed phrase', 'recovery phrase', 'system prompt'])
  secretPhrases.add(phrase);

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
  const isSecret = previous !== undefined && secretPhrases.has(`${previous.text} ${text}`);
  return { text, symbols: isSecret ? [...symbols, '@secretdata'] : symbols, line, quoted };
}

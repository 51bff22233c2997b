/**
 * Text to tokens: words, addresses, paths, variables and the signs that join commands, each with the classes it belongs
 * to. One pass, no look-back; what formatting adds (bold, bullets, rules) is not a token. Pure.
 */
import { classesOf } from './token-classes.ts';

/** One token. `text` is in lower case; `symbols` are the names a pattern may ask for: its text, its
 * `@class`es and, at the end of a sentence, its text with a `$`. */
export interface ScanToken {
  text: string;
  symbols: readonly string[];
  line: number;
  /** Inside quotation marks or backticks: told of, not told. */
  quoted: boolean;
}

/** One line of a segment, in its normal form, with its number in the part. */
export interface ScanLine {
  text: string;
  line: number;
}

/** Tokens that one sentence may hold; a longer one is read in pieces. */
export const sentenceTokensMax = 160;

// A word is at most 80 characters here, an address 300: what is longer goes on as a further token.
const tokenPattern =
  /[a-z][a-z0-9+.-]{1,11}:\/\/(?:[^\s<>"'`\\.,;!?)]|[.,;!?)](?=[^\s<>"'`\\.,;!?)])){1,300}|[~$%@./-]{0,3}[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_'/~$@+-]|[.:](?=[\p{L}\p{N}/_~-])){0,200}|&&|\|\||>>|[|;(){}<>=&#[\]!?:"“”«»`。！？]|[~/]\*?(?=[\s"'`]|$)|[.,](?=\s|$)/gu;

const sentenceEnds = new Set(['.', '!', '?', '。', '！', '？']);
const abbreviations = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf']);
const openers: Readonly<Record<string, string>> = { '"': '"', '“': '”', '«': '»', '`': '`' };

/** The sentences of the lines, which are read as one running text. */
export function sentencesOf(lines: readonly ScanLine[]): ScanToken[][] {
  const sentences: ScanToken[][] = [];
  let current: ScanToken[] = [];
  let closer: string | undefined;
  const end = () => {
    const last = current.pop();
    if (last !== undefined) sentences.push([...current, { ...last, symbols: [...last.symbols, `${last.text}$`] }]);
    current = [];
  };
  for (const { text, line } of lines) {
    // Marks of emphasis inside a word hide it from a reader of words only.
    for (const [found] of withoutEmphasis(text).matchAll(tokenPattern)) {
      if (sentenceEnds.has(found) && !abbreviations.has(current.at(-1)?.text ?? '')) {
        closer = undefined;
        end();
        continue;
      }
      if (closer !== undefined && found === closer) closer = undefined;
      else if (closer === undefined && openers[found] !== undefined) closer = openers[found];
      else if (found !== ',' && found !== '.') current.push(tokenOf(found, line, closer !== undefined, current.at(-1)));
      if (current.length >= sentenceTokensMax) end();
    }
  }
  end();
  return sentences;
}

function withoutEmphasis(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('*') || lower.includes('__') ? lower.replaceAll(/\*{1,3}|__/g, '') : lower;
}

const cached = new Map<string, { text: string; symbols: readonly string[] }>();
const cachedMax = 20_000;

/** Two words that name a secret together. */
const secretPhrases = new Set(
  ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'].flatMap((kind) => [
    `${kind} key`,
    `${kind} keys`,
  ]),
);
for (const phrase of ['environment variables', 'env vars', 'seed phrase', 'recovery phrase', 'system prompt'])
  secretPhrases.add(phrase);

function tokenOf(found: string, line: number, quoted: boolean, before: ScanToken | undefined): ScanToken {
  let known = cached.get(found);
  if (known === undefined) {
    const text =
      found
        .toLowerCase()
        .replace(/'s$/, '')
        .replace(/[.:/-]+$/, '')
        .replaceAll("'", '') || found;
    known = { text, symbols: [text, ...classesOf(text)] };
    if (cached.size >= cachedMax) cached.clear();
    cached.set(found, known);
  }
  const isSecret = before !== undefined && secretPhrases.has(`${before.text} ${known.text}`);
  return { text: known.text, symbols: isSecret ? [...known.symbols, '@secretdata'] : known.symbols, line, quoted };
}

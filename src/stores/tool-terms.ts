/**
 * Text to the terms that the tool index compares: words of any script, the parts of compound names, and for
 * scripts that leave no blanks between words, pairs of characters.
 */

/** Characters of a text that are read; the rest adds nothing to a search but cost. */
export const textLengthMax = 20_000;

/**
 * The terms of `text` in order, repeated where the text repeats them. Names in camelCase, snake_case and
 * kebab-case, and letters next to digits, give their parts besides the whole; English plurals lose their ending.
 */
export function toolTerms(text: string): string[] {
  const terms: string[] = [];
  // NFKC makes full-width and composed forms equal to the plain ones (Unicode UAX 15).
  for (const word of text.slice(0, textLengthMax).normalize('NFKC').match(words) ?? []) {
    for (const run of word.match(runs) ?? []) {
      if (unspaced.test(run)) terms.push(...pairs(run));
      else terms.push(...compound(run));
    }
  }
  return terms;
}

/** Terms of a query that are looked up; further ones are left out. */
export const queryTermsMax = 64;

/** The distinct terms of a query without English function words, unless it has no others; at most {@link queryTermsMax}. */
export function queryTerms(query: string): string[] {
  const distinct = [...new Set(toolTerms(query))];
  const telling = distinct.filter((term) => !functionWords.has(term));
  return (telling.length > 0 ? telling : distinct).slice(0, queryTermsMax);
}

// They are rare in names and parameters, where their rareness would count as meaning.
const functionWords = new Set(
  `a am an and are as at be been but by can could do does for from had has have how i if in into is it its me my of
   on or our please should so some than that the their them then there these they this those to us was we were what
   when where which who why will with would you your`.split(/\s+/),
);

const words = /[\p{L}\p{N}\p{M}]+/gu;
const unspaced = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
const runs =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+|[^\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+/gu;
const parts = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+|\p{L}+/gu;

function pairs(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return [run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function compound(word: string): string[] {
  const found = word.match(parts) ?? [];
  const terms = found.map((part) => singular(part.toLowerCase()));
  return found.length > 1 ? [...terms, singular(word.toLowerCase())] : terms;
}

// Harman's s-stemmer (Journal of the American Society for Information Science 42 (1), 1991), with "-sses", "-xes", "-ches", "-shes" added.
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s')) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /(us|ss|is)$/.test(word) ? word : word.slice(0, -1);
}

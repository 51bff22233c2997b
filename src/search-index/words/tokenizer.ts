/**
 * The tokenizer and stemmer of the tool index.
 * Tokens are words of any script and the parts of compound names. For scripts without spaces between words they are pairs of
 * characters.
 */
import { stemmer } from 'stemmer';
import { BoundedMap } from '../../flow/bounded-map.ts';

/** The number of characters of a text that are read. Further ones add only cost to a search. */
export const textLengthMax = 20_000;

/** A word in lower case, and the stem that it shares with its other forms. */
export interface Word {
  readonly form: string;
  readonly stem: string;
}

/** The words of a text in order. `wholes` are the compounds whose parts are among `words`. */
export interface TextWords {
  words: Word[];
  wholes: Word[];
}

/**
 * All words of `text`, including repeated ones. Names in camelCase, snake_case and kebab-case, and letters next to digits, are
 * split into their parts. Compounds written as one word ("GitHub") are also returned as `wholes`.
 */
export function textWords(text: string): TextWords {
  const found: TextWords = { words: [], wholes: [] };
  // NFKC maps full-width and composed forms to the plain ones (Unicode UAX 15).
  for (const written of text.slice(0, textLengthMax).normalize('NFKC').match(words) ?? []) {
    const word = knownWords.get(written) ?? learned(written);
    for (const part of word.words) found.words.push(part);
    for (const whole of word.wholes) found.wholes.push(whole);
  }
  return found;
}

/** The written words whose parts are kept, since texts of tools repeat them, and the length of the longest one. */
const knownWordsMax = 20_000;
const knownLengthMax = 40;
const knownWords = new BoundedMap<string, TextWords>(knownWordsMax);

function learned(written: string): TextWords {
  const found: TextWords = { words: [], wholes: [] };
  for (const run of written.match(runs) ?? []) {
    if (unspaced.test(run)) for (const pair of pairs(run)) found.words.push({ form: pair, stem: pair });
    else addCompound(run.replace(possessive, ''), found);
  }
  if (written.length <= knownLengthMax) knownWords.set(written, found);
  return found;
}

/** The stems of a text's words and compounds. */
export function textStems(text: string): string[] {
  const found = textWords(text);
  return [...found.words, ...found.wholes].map(({ stem }) => stem);
}

/** The most words of a query that are looked up. Further ones are ignored. */
export const queryWordsMax = 64;

/** A word of a query with its weight in (0, 1]. */
export interface QueryWord extends Word {
  weight: number;
}

/** The words and compounds that a query looks up. */
export interface QueryWords {
  words: QueryWord[];
  wholes: Word[];
}

/**
 * The words of a query in order, without function words unless there are no others; at most {@link queryWordsMax}. Words that
 * are common in all kinds of queries have a lower weight.
 */
export function queryWords(query: string): QueryWords {
  const { words: all, wholes } = textWords(query);
  const contentWords = all.filter(({ form }) => !functionWords.has(form));
  const kept = (contentWords.length > 0 ? contentWords : all).slice(0, queryWordsMax);
  return {
    words: kept.map((word) => ({ ...word, weight: commonStems.has(word.stem) ? commonWordWeight : 1 })),
    wholes: wholes.slice(0, queryWordsMax),
  };
}

/** Whether a word in lower case is grammar or an address ("please", "help me") and says nothing about the topic. */
export function isFunctionWord(form: string): boolean {
  return functionWords.has(form);
}

/** The stem of a lower-case word, by Porter (Program 14 (3), 1980) for words of English letters. Others are their own stem. */
export function stemOf(form: string): string {
  return english.test(form) ? stemmer(form) : form;
}

const english = /^[a-z]+$/;

// They are rare in names and parameters, where their rareness would give them too much weight.
const functionWords = new Set(
  `a about all also am an and any are as assist at be been but by can cant chatgpt could did do does dont every for
   from get give had has have hello help hey hi how i id if ill im in interested into is it its ive just know let like
   look looking me my need of on or our please really should show so some tell than thank thanks that the their them
   then there these they this those to try trying us want wanting was we were what whats when where which who why will
   with wondering would you your`.split(/\s+/),
);

// Words that people put around any query. Measured: with a weight of 0, queries in which they matter get worse.
const commonWordWeight = 0.6;
const commonStems = new Set(
  `able advice after also answer ask assistance available based because before best better between both comprehensive
   currently day detail different during easily effective efficient even explain few first following good great
   guidance helpful high however idea important include information interesting last latest learn lot make many month
   more most much multiple necessary new next one option other own particular per perfect popular possible provide
   question quickly quite recent recommend recommendation related relevant same several similar since something
   someone specific start still suggest suggestion sure take thing tip today tomorrow too two understand use various
   very via way week while within without work year`
    .split(/\s+/)
    .map(stemOf),
);

const words = /[\p{L}\p{N}\p{M}]+(?:['’]\p{L}+)?/gu;
const possessive = /['’]s?$|['’](?=\p{L})/iu;
const unspaced = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
const runs =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+|[^\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+/gu;
// An acronym's plural is one word ("APIs"). Otherwise an upper-case letter before lower-case ones starts a part.
const parts = /\p{Lu}{2,}s(?!\p{Ll})|\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+|\p{L}+/gu;

function pairs(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return [run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function addCompound(written: string, found: TextWords): void {
  const forms = (written.match(parts) ?? []).map((part) => part.toLowerCase());
  for (const form of forms) found.words.push({ form, stem: stemOf(form) });
  const whole = written.toLowerCase();
  if (forms.length > 1) found.wholes.push({ form: whole, stem: stemOf(whole) });
}

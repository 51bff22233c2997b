/**
 * Text to the words that the tool index compares: words of any script, the parts of compound names, and for
 * scripts that leave no blanks between words, pairs of characters.
 */
import { stemmer } from 'stemmer';

/** Characters of a text that are read; the rest adds nothing to a search but cost. */
export const textLengthMax = 20_000;

/** A word as it is written, in lower case, and what it has in common with its other forms. */
export interface Word {
  form: string;
  stem: string;
}

/** The words of a text in order; `wholes` are the compounds whose parts are among `words`. */
export interface TextWords {
  words: Word[];
  wholes: Word[];
}

/**
 * The words of `text`, repeated where the text repeats them. Names in camelCase, snake_case and kebab-case, and
 * letters next to digits, are read as their parts; what is written as one word is kept whole besides ("GitHub").
 */
export function textWords(text: string): TextWords {
  const found: TextWords = { words: [], wholes: [] };
  // NFKC makes full-width and composed forms equal to the plain ones (Unicode UAX 15).
  for (const written of text.slice(0, textLengthMax).normalize('NFKC').match(words) ?? []) {
    for (const run of written.match(runs) ?? []) {
      if (unspaced.test(run)) for (const pair of pairs(run)) found.words.push({ form: pair, stem: pair });
      else addCompound(run.replace(possessive, ''), found);
    }
  }
  return found;
}

/** The stems of a text's words and compounds, for those who weigh them by themselves. */
export function toolTerms(text: string): string[] {
  const found = textWords(text);
  return [...found.words, ...found.wholes].map(({ stem }) => stem);
}

/** Words of a query that are looked up; further ones are left out. */
export const queryWordsMax = 64;

/** A word of a query with how much it tells, in (0, 1]. */
export interface QueryWord extends Word {
  weight: number;
}

/** What a query looks up. */
export interface QueryWords {
  words: QueryWord[];
  wholes: Word[];
}

/**
 * The words of a query in order, without those that carry its grammar or address who is asked, unless there are no
 * others; at most {@link queryWordsMax}. Words that stand in requests of every kind weigh less.
 */
export function queryWords(query: string): QueryWords {
  const { words: all, wholes } = textWords(query);
  const telling = all.filter(({ form }) => !functionWords.has(form));
  const kept = (telling.length > 0 ? telling : all).slice(0, queryWordsMax);
  return {
    words: kept.map((word) => ({ ...word, weight: commonStems.has(word.stem) ? commonWordWeight : 1 })),
    wholes: wholes.slice(0, queryWordsMax),
  };
}

/** Whether a word, in lower case, carries grammar or addresses who is asked, and says nothing of what is asked for. */
export function isFunctionWord(form: string): boolean {
  return functionWords.has(form);
}

/** The stem of one lower-case word: Porter (Program 14 (3), 1980) for words of English letters; others are their own stem. */
export function stemOf(form: string): string {
  return english.test(form) ? stemmer(form) : form;
}

const english = /^[a-z]+$/;

// They are rare in names and parameters, where their rareness would count as meaning.
const functionWords = new Set(
  `a about all also am an and any are as assist at be been but by can cant chatgpt could did do does dont every for
   from get give had has have hello help hey hi how i id if ill im in interested into is it its ive just know let like
   look looking me my need of on or our please really should show so some tell than thank thanks that the their them
   then there these they this those to try trying us want wanting was we were what whats when where which who why will
   with wondering would you your`.split(/\s+/),
);

// What people put around any request. Measured: at no weight at all the telling uses of them are lost.
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
// An acronym's plural is one word ("APIs"); otherwise an upper-case letter before lower-case ones begins a part.
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

/**
 * Normalisation of untrusted text before scan rules are matched.
 * Resolves compatibility forms and HTML entities, removes invisible characters and maps look-alike letters to Latin.
 * Works line by line, so line numbers do not change. Pure; linear in the text.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';

// Zero-width characters, the soft hyphen, Hangul fillers, bidirectional controls, variation selectors and the tag
// block (Unicode 17, Default_Ignorable_Code_Point).
const invisible =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: the class matches combining characters on purpose
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** Letters of other scripts that look like Latin ones, in lower case (the common part of Unicode TR 39, confusables). */
const lookAlikes: Readonly<Record<string, string>> = {
  а: 'a',
  ӑ: 'a',
  ɑ: 'a',
  α: 'a',
  в: 'b',
  ь: 'b',
  β: 'b',
  с: 'c',
  ϲ: 'c',
  ԁ: 'd',
  ɗ: 'd',
  е: 'e',
  ё: 'e',
  ҽ: 'e',
  ε: 'e',
  є: 'e',
  ɡ: 'g',
  һ: 'h',
  н: 'h',
  і: 'i',
  ї: 'i',
  ι: 'i',
  ı: 'i',
  ɩ: 'i',
  ӏ: 'l',
  ј: 'j',
  к: 'k',
  κ: 'k',
  ⅼ: 'l',
  м: 'm',
  ո: 'n',
  η: 'n',
  п: 'n',
  о: 'o',
  ο: 'o',
  օ: 'o',
  σ: 'o',
  р: 'p',
  ρ: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  τ: 't',
  υ: 'u',
  ս: 'u',
  ц: 'u',
  ν: 'v',
  ѵ: 'v',
  ԝ: 'w',
  ω: 'w',
  х: 'x',
  χ: 'x',
  у: 'y',
  γ: 'y',
  ү: 'y',
  ᴦ: 'r',
  ꜱ: 's',
  ᴏ: 'o',
  ᴀ: 'a',
  ᴇ: 'e',
  ɪ: 'i',
  ɴ: 'n',
  ʀ: 'r',
  ᴛ: 't',
  ᴜ: 'u',
};

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  colon: ':',
  sol: '/',
  bsol: '\\',
  period: '.',
  comma: ',',
  lowbar: '_',
  num: '#',
  dollar: '$',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  rsqb: ']',
  vert: '|',
  Tab: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  NewLine: ' ',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches text that is not pure ASCII
const beyondAscii = /[^\u0000-\u007f]/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression leaves out what is ASCII
const foreignLetter = /(?![\u0000-\u007f])[\p{L}\p{M}]/u;

/** Whether the text has only characters of ASCII. */
export function isAscii(text: string): boolean {
  return !beyondAscii.test(text);
}

/** Whether all characters beyond ASCII are signs such as dashes, arrows and emoji, which normalisation leaves as they are. */
export function isTypographic(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= lastAscii) continue;
    const isPair = code >= 0xd800 && code <= 0xdbff;
    if (!(isPair ? isSignPair(text.slice(at, at + 2)) : isSignCode(code))) return false;
    if (isPair) at += 1;
  }
  return true;
}

const lastAscii = 127;
const noSign = /[\p{L}\p{M}\p{N}\p{Z}\p{C}’]/u;
/** What is known of each UTF-16 unit: 0 nothing, 1 a sign, 2 none. */
const signs = new Uint8Array(65_536);

function isSignCode(code: number): boolean {
  if (signs[code] === 0) signs[code] = isSign(String.fromCharCode(code)) ? 1 : 2;
  return signs[code] === 1;
}

const signPairsMax = 4096;
const signPairs = new BoundedMap<string, boolean>(signPairsMax);

function isSignPair(pair: string): boolean {
  const known = signPairs.get(pair);
  if (known !== undefined) return known;
  const isOne = pair.length === 2 && isSign(pair);
  signPairs.set(pair, isOne);
  return isOne;
}

function isSign(character: string): boolean {
  return !noSign.test(character) && character.replace(invisible, '').normalize('NFKC') === character;
}

/** Normalises one line. `isPlain`: the line is in ASCII. */
export function normalisedLine(line: string, isPlain = isAscii(line)): string {
  // Fast path: most lines are pure ASCII without entities.
  const unescaped = line.includes('&') ? unescapeEntities(line) : line;
  if (isPlain && unescaped === line) return line;
  const visible = unescaped
    .normalize('NFKC')
    .replace(invisible, '')
    .replace(/\p{Zs}/gu, ' ')
    .replaceAll('’', "'");
  // Dashes, arrows and symbols are the only other characters of most lines; words in ASCII are folded to themselves.
  return foreignLetter.test(visible) ? visible.replace(/[\p{L}\p{M}]+/gu, foldWord) : visible;
}

/** Decodes the characters of the tag block (U+E0020 to U+E007E) in a line to the ASCII they represent. */
export function decodedTags(line: string): string {
  let decoded = '';
  for (const character of line) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xe0020 && code <= 0xe007e) decoded += String.fromCharCode(code - 0xe0000);
  }
  return decoded;
}

const lookAlikeScript = /[\p{sc=Cyrillic}\p{sc=Greek}\p{sc=Armenian}]/u;

/** Whether a line has a word that mixes Latin letters with letters of a script that has look-alikes. */
export function mixesScripts(line: string): boolean {
  if (!lookAlikeScript.test(line)) return false;
  return (line.match(/[\p{L}]+/gu) ?? []).some((word) => /[a-z]/i.test(word) && lookAlikeScript.test(word));
}

/** Maps a word to Latin if each of its letters is Latin or looks like it. Other words are unchanged. */
function foldWord(word: string): string {
  if (isAscii(word)) return word;
  const mixed = /[a-z]/i.test(word);
  let folded = '';
  for (const character of word) {
    const lower = character.toLowerCase();
    const latin =
      lookAlikes[lower] ??
      (/\p{sc=Latin}/u.test(character) ? lower.normalize('NFD').replace(/\p{M}/gu, '') : undefined);
    if (latin === undefined && !mixed && !/\p{M}/u.test(character)) return word;
    folded += latin ?? (/\p{M}/u.test(character) ? '' : character);
  }
  return folded;
}

function unescapeEntities(line: string): string {
  return line.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,8}));/g, (entity, decimal, hex, name) => {
    if (name !== undefined) return entities[String(name)] ?? entity;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    if (!(code >= 9 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return entity;
    return code < 32 ? ' ' : String.fromCodePoint(code);
  });
}

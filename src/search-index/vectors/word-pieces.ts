/** The word-piece tokenizer of the static model: BERT's uncased tokenizer without special tokens. */

/** The longest word that is cut into pieces, in UTF-16 units; longer ones are left out. */
const wordLengthMax = 100;

/** The prefix of a piece that continues a word. */
const continuation = '##';

// Control characters (Unicode category C) but white space, which BERT's tokenizer removes.
const controls = /[^\P{C}\t\n\r]/gu;
// A word is a punctuation mark (category P and some ASCII symbols), a Chinese character, or a run of other characters.
const separate =
  '\\p{P}$+<=>^`|~\\u4e00-\\u9fff\\u3400-\\u4dbf\\uf900-\\ufaff\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2ceaf}\\u{2f800}-\\u{2fa1f}';
const words = new RegExp(`[${separate}]|[^\\s${separate}]+`, 'gu');
const ascii = /^[\t\n\r\x20-\x7e]*$/;

/**
 * Cuts a text into pieces of the vocabulary, which maps each piece to its row. A word with an unknown rest is left out.
 * @returns the rows of the pieces, in the order of the text
 */
export function wordPieces(text: string, vocabulary: ReadonlyMap<string, number>): number[] {
  const pieces: number[] = [];
  for (const word of normalized(text).match(words) ?? []) {
    for (const piece of piecesOf(word, vocabulary) ?? []) pieces.push(piece);
  }
  return pieces;
}

/** Lower case without accents and control characters. */
function normalized(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return text
    .replace(controls, '')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '');
}

/** The longest known pieces from the left; undefined where a rest is unknown. */
function piecesOf(word: string, vocabulary: ReadonlyMap<string, number>): number[] | undefined {
  if (word.length > wordLengthMax) return undefined;
  const pieces: number[] = [];
  let start = 0;
  while (start < word.length) {
    const prefix = start === 0 ? '' : continuation;
    let end = word.length;
    let row = vocabulary.get(prefix + word.slice(start, end));
    while (row === undefined && end > start + 1) {
      end -= 1;
      row = vocabulary.get(prefix + word.slice(start, end));
    }
    if (row === undefined) return undefined;
    pieces.push(row);
    start = end;
  }
  return pieces;
}

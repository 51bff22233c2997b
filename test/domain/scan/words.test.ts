/** The fast paths of the content scan find what the expressions and patterns do that they stand for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexSentence } from '../../../src/domain/scan/pattern.ts';
import { mayMatch } from '../../../src/domain/scan/rules/rule-filter.ts';
import { knownSymbols, rulePlaces, rulesFor } from '../../../src/domain/scan/rules/rule-set.ts';
import { LineWords, wordExpression } from '../../../src/domain/scan/words/line-words.ts';
import { type Sentence, SentenceReader, tokensOf } from '../../../src/domain/scan/words/tokens.ts';

function wordsOf(line: string): string[] {
  const reader = new LineWords();
  const words: string[] = [];
  reader.read(line);
  while (reader.next()) words.push(line.slice(reader.start, reader.end));
  return words;
}

const parts = [
  ...[
    'https://a.io/x?q=1,',
    'file://',
    '://',
    'ab-c+d.e://f)g',
    'verylongscheme://x',
    '~/',
    './run.sh',
    '../',
    '--yolo',
    '-----x',
  ],
  ...[
    '$key',
    '%path%',
    '@user',
    'a.b',
    'a:b',
    'a:',
    'e.g.',
    "it's",
    '&&',
    '||',
    '>>',
    '&',
    '|',
    '>',
    '"',
    '“',
    '”',
    '`',
    '。',
    '！',
  ],
  ...[
    '.',
    ',',
    '. ',
    ', ',
    ' ',
    '\t',
    '/',
    '~',
    '/"',
    '_',
    '__',
    'é',
    'ß',
    '忽略',
    'а́',
    '\u0301',
    '½',
    '٣',
    '🚫',
    '𝒂',
    '\ud800',
    ':',
    '!',
    '\\',
  ],
];
const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 120 }),
  fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((all) => all.join('')),
  fc
    .tuple(fc.constantFrom('a', 'a.', 'https://', '/'), fc.integer({ min: 1, max: 400 }))
    .map(([one, n]) => one.repeat(n)),
);

describe('the words of a line', () => {
  test('are those of the expression', () => {
    fc.assert(
      fc.property(line, (text) => {
        const lower = text.toLowerCase();
        expect(wordsOf(lower)).toEqual(lower.match(wordExpression) ?? []);
      }),
      { numRuns: 3000 },
    );
  });
});

function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  const reader = new SentenceReader((sentence) => sentences.push(sentence));
  reader.read({ text, line: 1, offset: 0 });
  reader.end();
  return sentences;
}

// Texts of the symbols of one pattern, with words between them.
const patterns = rulePlaces.flatMap((place) =>
  [...new Set([...rulesFor(place).values()].flat())].map(({ pattern }) => ({ place, pattern })),
);
const matching = fc
  .constantFrom(...patterns)
  .chain(({ pattern }) => fc.tuple(...pattern.steps.map((symbols) => fc.constantFrom(...symbols))))
  .map((symbols) => symbols.map((symbol) => symbol.replace('$', '')).join(' '));

describe('a sentence that no rule may match, by the quick test', () => {
  test('is matched by no pattern', () => {
    fc.assert(
      fc.property(fc.oneof(matching, line), fc.constantFrom(...rulePlaces), (text, place) => {
        for (const sentence of sentencesOf(text)) {
          if (mayMatch(place, sentence.words)) continue;
          const index = indexSentence(tokensOf(sentence), knownSymbols);
          for (const { pattern } of [...rulesFor(place).values()].flat()) expect(pattern.find(index)).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is most of honest text', () => {
    const honest =
      'The report has three parts. Read the file and list its headings. Then write a summary of the results.';
    expect(sentencesOf(honest).filter(({ words }) => mayMatch('skill', words))).toEqual([]);
  });
});

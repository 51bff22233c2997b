/** The quick test of lines leaves out no place that a rule may match them at. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commentsOf } from '../../../src/domain/scan/code-comments.ts';
import { mayMatchExpression } from '../../../src/domain/scan/expression-match.ts';
import type { ScanLine } from '../../../src/domain/scan/lines.ts';
import { bitOf, expressionBit } from '../../../src/domain/scan/rules/rule-filter.ts';
import { hintWords, knownSymbols } from '../../../src/domain/scan/rules/rule-set.ts';
import { segmentsOf } from '../../../src/domain/scan/segments.ts';
import { normalisedLine } from '../../../src/domain/scan/text-normalisation.ts';
import { reachOf, reachOfPlain } from '../../../src/domain/scan/words/line-reach.ts';
import { SentenceReader } from '../../../src/domain/scan/words/tokens.ts';
import { wordAt } from '../../../src/domain/scan/words/word-cache.ts';

const known = [...knownSymbols, ...hintWords]
  .filter((symbol) => !symbol.startsWith('@'))
  .map((one) => one.replace('$', ''));
const marks = [
  ...['/*', '*/', '<!--', '-->', '"""', "'''", '#', '//', '--', '|', '**', '__', '[//]: # (', '<b hidden>', '~~~', ';'],
  ...['- ', '`', '"', "'s", '...', ':', '&&', '<|', '![', '===', '## ', '<system>', '\\n', 'é', '—', '😀'],
  ...['https://webhook.site/x', '~/.ssh/id_rsa', 'x-api-key', '$STRIPE_KEY', '1.2.3.4', '.env', 'CLAUDE.md', 'api key'],
];
const line = fc
  .array(
    fc.tuple(fc.constantFrom(...known, ...marks, ...marks, 'user', 'x', ''), fc.constantFrom('', ' ', ' ', '  ')),
    {
      maxLength: 12,
    },
  )
  .map((all) => normalisedLine(all.flat().join('')));

/** The bits of the places that a rule may match sentences of these lines at. */
function placesOfSentences(lines: readonly ScanLine[]): number {
  let places = 0;
  const reader = new SentenceReader();
  reader.begin((sentence) => {
    places |= sentence.places;
  });
  for (const one of lines) reader.read(one);
  reader.end();
  for (const { text } of lines) if (mayMatchExpression(text)) places |= expressionBit;
  return places;
}

const lacking = (text: string, lines: readonly ScanLine[], places = -1) =>
  placesOfSentences(lines) & places & ~reachOf(text);

describe('the reach of a line', () => {
  test('has each place that a rule may match the line at', () => {
    fc.assert(
      fc.property(line, (text) => {
        expect(lacking(text, [{ text, line: 1, offset: 0 }])).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('has each place that a rule may match a comment in the line at', () => {
    const places = bitOf('comment') | expressionBit;
    fc.assert(
      fc.property(line, (text) => {
        for (const comment of commentsOf([{ text, line: 1, offset: 0 }]))
          expect(lacking(text, comment ?? [], places)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('has each place that a rule may match its table cells or its hidden text at', () => {
    fc.assert(
      fc.property(line, (text) => {
        for (const segment of segmentsOf([{ text, line: 1, offset: 0, reach: reachOf(text) }])) {
          for (const { reach = 0, ...one } of segment?.lines ?? []) expect(placesOfSentences([one]) & ~reach).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('is the same by the quicker reader of lines in ASCII', () => {
    fc.assert(
      fc.property(line, (text) => {
        const plain = text.replace(/[^\0-\x7f]/g, '');
        expect(reachOf(plain) & ~reachOfPlain(plain)).toBe(0);
        if (!plain.includes('__')) expect(reachOfPlain(plain)).toBe(reachOf(plain));
      }),
      { numRuns: 5000 },
    );
  });

  test('is that of its words, and signs alone have none', () => {
    expect(
      ['The quarterly figures are attached.', 'const total = a + b;', '| --- | :-: |', '{ "a": [1, 2] }'].map((text) =>
        reachOf(text),
      ),
    ).toEqual([0, 0, 0, 0]);
    expect(reachOf('ignore it') & bitOf('skill')).not.toBe(0);
    expect(reachOf('IG**NO**RE it') & bitOf('skill')).not.toBe(0);
    for (const comment of ["x'''ignore it", 'x/*ignore it', '//ignore it', '<!--ignore it'])
      expect([comment, reachOf(comment) & bitOf('comment')]).not.toEqual([comment, 0]);
    for (const sign of '|()[]{}<>=&#!?:"`,;/~.')
      expect([sign, wordAt(sign, 0, 1, sign.charCodeAt(0)).reach]).toEqual([sign, 0]);
  });
});

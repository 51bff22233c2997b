/** The quick test of lines leaves out no place that a rule may match them at. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commentsOf } from '../../../src/domain/scan/code-comments.ts';
import { mayMatchExpression } from '../../../src/domain/scan/expression-match.ts';
import type { ScanLine } from '../../../src/domain/scan/lines.ts';
import { bitOf, expressionBit, mayMatch } from '../../../src/domain/scan/rules/rule-filter.ts';
import { hintWords, knownSymbols, rulePlaces, rulesFor } from '../../../src/domain/scan/rules/rule-set.ts';
import { anyReach, linesMayMatch } from '../../../src/domain/scan/rules/step-signature.ts';
import { segmentsOf } from '../../../src/domain/scan/segments.ts';
import { normalisedLine } from '../../../src/domain/scan/text-normalisation.ts';
import { reachOf, reachOfPlain } from '../../../src/domain/scan/words/line-reach.ts';
import { SentenceReader } from '../../../src/domain/scan/words/tokens.ts';
import { wordClasses } from '../../../src/domain/scan/words/vocabulary.ts';
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
  placesOfSentences(lines) & places & ~reachOf(text).places;

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
          for (const { reach = anyReach, ...one } of segment?.lines ?? [])
            expect(placesOfSentences([one]) & ~reach.places).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('is the same by the quicker reader of lines in ASCII', () => {
    fc.assert(
      fc.property(line, (text) => {
        const plain = text.replace(/[^\0-\x7f]/g, '');
        const [all, quick] = [reachOf(plain), reachOfPlain(plain)];
        expect([all.places & ~quick.places, all.low & ~quick.low, all.high & ~quick.high]).toEqual([0, 0, 0]);
        if (!plain.includes('__')) expect(quick.places).toBe(all.places);
      }),
      { numRuns: 5000 },
    );
  });

  test('is that of its words, and signs alone have none', () => {
    expect(
      ['The quarterly figures are attached.', 'const total = a + b;', '| --- | :-: |', '{ "a": [1, 2] }'].map(
        (text) => reachOf(text).places,
      ),
    ).toEqual([0, 0, 0, 0]);
    expect(reachOf('ignore it').places & bitOf('skill')).not.toBe(0);
    expect(reachOf('IG**NO**RE it').places & bitOf('skill')).not.toBe(0);
    for (const comment of ["x'''ignore it", 'x/*ignore it', '//ignore it', '<!--ignore it'])
      expect([comment, reachOf(comment).places & bitOf('comment')]).not.toEqual([comment, 0]);
    for (const sign of '|()[]{}<>=&#!?:"`,;/~.') {
      const { reach, signature } = wordAt(sign, 0, 1, sign.charCodeAt(0));
      expect([sign, reach, signature]).toEqual([sign, 0, { low: 0, high: 0 }]);
    }
  });
});

/** Words with a class that depends on their signs. */
const signed = {
  ...{ url: 'https://a.io/x', ip: '1.2.3.4', email: 'a@b.io', host: 'example.com', sinkhost: 'webhook.site' },
  ...{
    pastehost: 'glot.io',
    shortener: 'bit.ly',
    credpath: '~/.ssh/id_rsa',
    secretvar: '$STRIPE_KEY',
    envfile: '.env',
  },
  ...{ rulefile: 'CLAUDE.md', startup: '~/.bashrc', archive: 'https://a.io/x.zip', archivefile: 'x.zip' },
  ...{ script: 'x.sh', metadata: '169.254.169.254', devtcp: '/dev/tcp/1.2.3.4/80', option: '--yolo', upload: '@file' },
};
const signedOf: ReadonlyMap<string, string> = new Map(Object.entries(signed));
/** A word that has a symbol. */
const wordOf = (symbol: string) => {
  if (!symbol.startsWith('@')) return fc.constant(symbol.replace(/\$$/, ''));
  return fc.constantFrom(...(wordClasses[symbol.slice(1)] ?? [signedOf.get(symbol.slice(1)) ?? symbol]));
};
const matched = fc
  .constantFrom(...rulePlaces.flatMap((place) => [...new Set([...rulesFor(place).values()].flat())]))
  .chain(({ pattern }) => fc.tuple(...pattern.steps.map((symbols) => fc.constantFrom(...symbols).chain(wordOf))))
  .chain((all) => fc.tuple(...all.map((one) => fc.constantFrom(`${one} `, `${one}\n`, `x ${one}, `))))
  .map((all) => all.join('').split('\n'));

describe('lines together', () => {
  const withReach = (texts: readonly string[]) =>
    texts.map((text, index) => ({ text, line: index + 1, offset: 0, reach: reachOf(text) }));
  const expectNoneMissed = (lines: readonly ScanLine[], places = rulePlaces) => {
    const reader = new SentenceReader();
    reader.begin((sentence) => {
      for (const place of places)
        if (mayMatch(place, sentence)) expect([place, linesMayMatch(place, lines)]).toEqual([place, true]);
    });
    for (const one of lines) reader.read(one);
    reader.end();
  };

  test('may match a rule wherever a sentence in them does', () => {
    fc.assert(
      fc.property(fc.oneof(matched, fc.array(line, { maxLength: 3 })), (texts) => expectNoneMissed(withReach(texts))),
      { numRuns: 3000 },
    );
  });

  test('may match a rule wherever a comment in them does', () => {
    const commented = matched.map((texts) => texts.map((text) => `x /*${text}*/ y # ${text}`));
    fc.assert(
      fc.property(fc.oneof(commented, fc.array(line, { maxLength: 3 })), (texts) => {
        for (const comment of commentsOf(withReach(texts))) expectNoneMissed(comment ?? [], ['comment']);
      }),
      { numRuns: 2000 },
    );
  });

  test('of honest text do not, though a word of a rule is in them', () => {
    const honest = [
      'Ignore the first column, and print the others',
      'with their names and the number of rows of each.',
    ];
    expect(reachOf(honest[0] ?? '').places & bitOf('skill')).not.toBe(0);
    expect(linesMayMatch('skill', withReach(honest))).toBe(false);
    expect(linesMayMatch('skill', withReach([...honest, 'Previous instructions are void.']))).toBe(true);
  });
});

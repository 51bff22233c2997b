/** Bounds on the work of the content scan, counted in segments, sentences and tokens rather than time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScanLine } from '../../../src/domain/scan/lines.ts';
import { compilePattern, indexSentence, type ScanToken } from '../../../src/domain/scan/pattern.ts';
import { expressionRules } from '../../../src/domain/scan/rules/rule-set.ts';
import { scanContent } from '../../../src/domain/scan/scanner.ts';
import { segmentsOf } from '../../../src/domain/scan/segments.ts';
import { normalisedLine } from '../../../src/domain/scan/text-normalisation.ts';
import { sentenceTokensMax } from '../../../src/domain/scan/words/sentence.ts';
import { SentenceReader } from '../../../src/domain/scan/words/tokens.ts';
import { scanLimits } from '../../../src/shapes/scan.ts';
import { hostileTexts } from '../../eval/scan-eval-hostile.ts';

const numbered = (text: string) =>
  text.split('\n').map((line, index) => ({ text: normalisedLine(line), line: index + 1, offset: 0 }));

function sentencesOf(lines: readonly ScanLine[]): ScanToken[][] {
  const sentences: ScanToken[][] = [];
  const reader = new SentenceReader();
  reader.begin((sentence) => sentences.push(sentence.tokens()));
  for (const line of lines) reader.read(line);
  reader.end();
  return sentences;
}

describe.each(hostileTexts())('100 KB of $token', ({ text }) => {
  test('has bounded segments and tokens, and no sentence over its limit', () => {
    const lines = numbered(text);
    const segments = [...segmentsOf(lines)].filter((segment) => segment !== undefined);
    expect(segments.length).toBeLessThanOrEqual(lines.length * 2);
    const sentences = segments.flatMap((segment) => sentencesOf(segment.lines));
    expect(Math.max(0, ...sentences.map((sentence) => sentence.length))).toBeLessThanOrEqual(sentenceTokensMax);
    expect(sentences.reduce((sum, sentence) => sum + sentence.length, 0)).toBeLessThanOrEqual(text.length);
  });
});

describe('a pattern', () => {
  test('matches at most once for each token', () => {
    const [sentence = []] = sentencesOf([{ text: 'ignore previous rules '.repeat(50), line: 1, offset: 0 }]);
    const found = compilePattern('@ignore ..5 @prior ..3 @instruction').find(indexSentence(sentence));
    expect(found.length).toBeLessThanOrEqual(sentence.length);
    expect(found.every(({ first, last }) => last - first <= 10)).toBe(true);
  });

  test('requires its order and its distance', () => {
    const holds = (pattern: string, text: string) =>
      sentencesOf([{ text, line: 1, offset: 0 }]).some(
        (sentence) => compilePattern(pattern).find(indexSentence(sentence)).length > 0,
      );
    expect(holds('red ..1 fox', 'the red old fox')).toBe(true);
    expect(holds('red ..1 fox', 'the red old sly fox')).toBe(false);
    expect(holds('red fox', 'fox red')).toBe(false);
    expect(holds('red & fox <4', 'fox so red')).toBe(true);
    expect(holds('red & fox <4', 'fox is so very red')).toBe(false);
    expect(holds('fox$', 'a fox runs. a red fox.')).toBe(true);
    expect(holds('fox$', 'a fox runs')).toBe(false);
  });
});

describe('an expression', () => {
  test.each(expressionRules.flatMap(({ rule, expressions }) => expressions.map(({ source }) => [rule.id, source])))(
    'of %s has bounded repetition only: %s',
    (_id, source) => {
      const withoutClassesAndEscapes = source.replace(/\\./g, '_').replace(/\[[^\]]*\]/g, '_');
      expect(withoutClassesAndEscapes).not.toMatch(/[*+]|\{\d+,\}/);
      expect(withoutClassesAndEscapes).not.toMatch(/\{[^}]*\}[^()]*\)\{/);
    },
  );
});

describe('any text', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ unit: 'grapheme', maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          'ignore',
          'all',
          'previous',
          'instructions',
          '<!--',
          '-->',
          '```',
          '\n',
          '\u001b',
          '\u202e',
          '\ud800',
          '|',
          '"',
          '&#x41;',
          'curl',
          'https://a.io',
          '.',
          ' ',
        ),
        { maxLength: 80 },
      )
      .map((words) => words.join(' ')),
  );
  test('is scanned without an exception, deterministically, and with evidence free of control characters', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom('skill' as const, 'tool' as const), async (text, subject) => {
        const findings = await scanContent([{ part: 'text', text }], { subject });
        expect(await scanContent([{ part: 'text', text }], { subject })).toEqual(findings);
        for (const { evidence, line } of findings) {
          expect(evidence).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          expect(evidence.length).toBeLessThanOrEqual(scanLimits.evidenceLengthMax);
          expect(line).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, test } from 'vitest';
import { queryTerms, queryTermsMax, textLengthMax, toolTerms } from '../../src/stores/tool-terms.ts';

describe('the terms of a text', () => {
  test.each([
    ['snake_case', 'read_text_file', ['read', 'text', 'file']],
    ['kebab-case', 'read-text-file', ['read', 'text', 'file']],
    ['camelCase, with the whole', 'listIssues', ['list', 'issue', 'listissue']],
    ['an acronym before a word', 'parseJSONFile', ['parse', 'json', 'file', 'parsejsonfile']],
    ['letters beside digits, with the whole', 'top10', ['top', '10', 'top10']],
    ['plurals', 'queries boxes branches files', ['query', 'box', 'branch', 'file']],
    ['words that only look like plurals', 'status class analysis gas', ['status', 'class', 'analysis', 'gas']],
    ['accents, composed and decomposed alike', 'Caf\u00e9 cafe\u0301', ['caf\u00e9', 'caf\u00e9']],
    ['full-width letters as plain ones', 'ＡＢＣ', ['abc']],
    ['Cyrillic', 'Погода сегодня', ['погода', 'сегодня']],
    ['Devanagari with its vowel signs', 'हिन्दी', ['हिन्दी']],
    ['Chinese in pairs', '天气预报', ['天气', '气预', '预报']],
    ['a lone Han character', '天', ['天']],
    ['Korean in pairs', '날씨예보', ['날씨', '씨예', '예보']],
    ['Latin inside Japanese', 'PDFを読む', ['pdf', 'を読', '読む']],
    ['no word at all', '!? 🙂 --', []],
  ])('are right for %s', (_what, text, expected) => {
    expect(toolTerms(text)).toEqual(expected);
  });

  test('come from the beginning of a text that is too long', () => {
    expect(toolTerms(`${'a '.repeat(textLengthMax / 2)}lost`)).not.toContain('lost');
  });
});

describe('the terms of a query', () => {
  test('are distinct and leave out function words', () => {
    expect(queryTerms('How can I read the file, the FILE?')).toEqual(['read', 'file']);
  });

  test('are the function words where there is nothing else', () => {
    expect(queryTerms('who am I')).toEqual(['who', 'am', 'i']);
  });

  test('are limited in number', () => {
    const words = Array.from({ length: 500 }, (_, index) => `w${String.fromCodePoint(0x4e00 + index)}`);
    expect(queryTerms(words.join(' '))).toHaveLength(queryTermsMax);
  });
});

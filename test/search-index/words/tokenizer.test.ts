import { describe, expect, test } from 'vitest';
import {
  isFunctionWord,
  queryWords,
  queryWordsMax,
  stemOf,
  textLengthMax,
  textWords,
} from '../../../src/search-index/words/tokenizer.ts';

const forms = (text: string) => textWords(text).words.map(({ form }) => form);
const wholes = (text: string) => textWords(text).wholes.map(({ form }) => form);
const asked = (query: string) => queryWords(query).words.map(({ form }) => form);

describe('the words of a text', () => {
  test.each([
    ['snake_case', 'read_text_file', ['read', 'text', 'file']],
    ['kebab-case', 'read-text-file', ['read', 'text', 'file']],
    ['camelCase', 'listIssues', ['list', 'issues']],
    ['an acronym before a word', 'parseJSONFile', ['parse', 'json', 'file']],
    ['the plural of an acronym', 'METARs and APIs', ['metars', 'and', 'apis']],
    ['letters beside digits', 'top10', ['top', '10']],
    ['possessives', "Father's Day and dogs’ food", ['father', 'day', 'and', 'dogs', 'food']],
    ['accents, composed and decomposed alike', 'Caf\u00e9 cafe\u0301', ['caf\u00e9', 'caf\u00e9']],
    ['full-width letters as plain ones', 'ＡＢＣ', ['abc']],
    ['Cyrillic', 'Погода сегодня', ['погода', 'сегодня']],
    ['Devanagari with its vowel signs', 'हिन्दी', ['हिन्दी']],
    ['Chinese in pairs', '天气预报', ['天气', '气预', '预报']],
    ['a lone Han character', '天', ['天']],
    ['Korean in pairs', '날씨예보', ['날씨', '씨예', '예보']],
    ['Latin inside Japanese', 'PDFを読む', ['pdf', 'を読', '読む']],
    ['no word at all', '!? 🙂 --', []],
  ])('are correct for %s', (_what, text, expected) => {
    expect(forms(text)).toEqual(expected);
  });

  test('include compounds written as one word besides their parts', () => {
    expect(wholes('GitHub issues, top10 of read_file')).toEqual(['github', 'top10']);
  });

  test('are those of the beginning of a text that is too long', () => {
    expect(forms(`${'a '.repeat(textLengthMax / 2)}lost`)).not.toContain('lost');
  });
});

describe('a stem', () => {
  test.each([
    ['queries', 'query'],
    ['translating', 'translation'],
    ['boxes', 'box'],
    ['listed', 'lists'],
  ])('is the same for %s and %s', (one, other) => {
    expect(stemOf(one)).toBe(stemOf(other));
  });

  test.each(['天气', 'погода', 'café', 'v2'])('of %s, which is not an English word, is the word itself', (word) => {
    expect(stemOf(word)).toBe(word);
  });
});

describe('the words of a query', () => {
  test('do not include function words', () => {
    expect(asked('Hello, can you please help me read the file, the FILE?')).toEqual(['read', 'file', 'file']);
    expect([isFunctionWord('please'), isFunctionWord('file')]).toEqual([true, false]);
  });

  test('are the function words if there are no others', () => {
    expect(asked('who am I')).toEqual(['who', 'am', 'i']);
  });

  test('have a lower weight if they are common in all kinds of queries', () => {
    const [best, recipe] = queryWords('the best recipe').words;
    expect(best?.weight).toBeLessThan(1);
    expect(recipe?.weight).toBe(1);
  });

  test('are limited in number', () => {
    const many = Array.from({ length: 500 }, (_, index) => `w${String.fromCodePoint(0x4e00 + index)}`);
    expect(queryWords(many.join(' ')).words).toHaveLength(queryWordsMax);
  });
});

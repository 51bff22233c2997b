/** Patterns in the schemas of upstream tools, checked in linear time. */
import { describe, expect, test } from 'vitest';
import { createSchemaCheck } from '../../../src/domain/call/schema.ts';

const check = createSchemaCheck();
const withPattern = (pattern: string) => ({ type: 'object', properties: { text: { type: 'string', pattern } } });

describe('a pattern of an upstream schema', () => {
  test.each([
    ['^[a-z]+$', 'abc', true],
    ['^[a-z]+$', 'aBc', false],
    ['b', 'abc', true],
    ['^\\p{Lu}\\w*$', 'Äöl', false],
    ['^\\p{Lu}\\p{L}*$', 'Ärger', true],
    ['^\\d{4}-\\d{2}$', '2026-11', true],
    ['^$', 'x', false],
  ])('%s matches %s: %s', (pattern, text, fits) => {
    expect('fits' in check(withPattern(pattern), { text }) && check(withPattern(pattern), { text })).toMatchObject({
      fits,
    });
  });

  test('with exponential backtracking takes time of the order of a simple one', () => {
    const hostile = 'a'.repeat(50_000);
    const timeOf = (pattern: string) => {
      const schema = withPattern(pattern);
      check(schema, { text: 'a' });
      const startedAt = performance.now();
      expect(check(schema, { text: `${hostile}!` })).toMatchObject({ fits: false });
      return performance.now() - startedAt;
    };
    // A backtracking engine takes exponential time and would not finish.
    expect(timeOf('^(a+)+$')).toBeLessThan(Math.max(1000, 100 * timeOf('^a+$')));
  });

  test('with a lookaround is not checked, since it cannot be in linear time, but left to the upstream', () => {
    expect(check(withPattern('^(?=.*\\d)x$'), { text: 'anything' })).toEqual({ fits: true });
  });

  test('that is invalid makes the schema broken', () => {
    expect(check(withPattern('('), { text: 'x' })).toEqual({ broken: true });
  });
});

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
  ])('%s takes %s: %s', (pattern, text, fits) => {
    expect('fits' in check(withPattern(pattern), { text }) && check(withPattern(pattern), { text })).toMatchObject({
      fits,
    });
  });

  test('that takes the JavaScript engine forever is decided in the time of one that does not', () => {
    const hostile = 'a'.repeat(50_000);
    const timeOf = (pattern: string) => {
      const schema = withPattern(pattern);
      check(schema, { text: 'a' });
      const startedAt = performance.now();
      expect(check(schema, { text: `${hostile}!` })).toMatchObject({ fits: false });
      return performance.now() - startedAt;
    };
    // Exponential on a backtracking engine: it would not end.
    expect(timeOf('^(a+)+$')).toBeLessThan(Math.max(1000, 100 * timeOf('^a+$')));
  });

  test('that looks around cannot be decided in linear time, and is left to the upstream', () => {
    expect(check(withPattern('^(?=.*\\d)x$'), { text: 'anything' })).toEqual({ fits: true });
  });

  test('that is none makes the schema broken', () => {
    expect(check(withPattern('('), { text: 'x' })).toEqual({ broken: true });
  });
});

import { describe, expect, test } from 'vitest';
import { hybridScores } from '../../src/search-index/hybrid-score.ts';

const scores = (lexical: Record<string, number>, dense: Record<string, number>) =>
  Object.fromEntries(
    hybridScores({ lexical: new Map(Object.entries(lexical)), dense: new Map(Object.entries(dense)) }),
  );
const order = (found: Record<string, number>) =>
  Object.keys(found).toSorted((one, other) => (found[other] ?? 0) - (found[one] ?? 0));

describe('hybrid scores', () => {
  test('rank first what is second both by words and by meaning', () => {
    expect(order(scores({ a: 1, b: 0.9 }, { c: 0.8, b: 0.79, d: 0.2 }))).toEqual(['b', 'c', 'a']);
  });

  test('are 1 for the best and greater than 0 for all others', () => {
    const found = scores({ a: 1, b: 0.2 }, { a: 0.7, b: 0.1, c: 0.1 });
    expect(found.a).toBe(1);
    expect(Object.keys(found)).toEqual(['a', 'b']);
    expect(Object.values(found).every((score) => score > 0 && score <= 1)).toBe(true);
  });

  test('are those of the words if nothing is near', () => {
    expect(scores({ a: 1, b: 0.5 }, {})).toEqual({ a: 1, b: 0.5 });
    expect(scores({ a: 1, b: 0.5 }, { a: 0, b: -0.2 })).toEqual({ a: 1, b: 0.5 });
    expect(scores({}, {})).toEqual({});
  });

  test('do not amplify a small difference of cosines', () => {
    const { a = 0, b = 0 } = scores({ a: 1 }, { a: 0.41, b: 0.42 });
    expect(a).toBe(1);
    expect(b).toBeGreaterThan(0.6);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSimilarTerms, isWithin } from '../../../src/search-index/words/similar-terms.ts';

const term = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', 'ß', '天', '😀'), minLength: 1, maxLength: 9 });
const editsMax = fc.integer({ min: 0, max: 3 });

/** The edit distance, computed in full. */
function distance(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_, at) => [at]);
  for (let to = 1; to <= other.length; to += 1) rows[0]?.push(to);
  for (let from = 1; from <= one.length; from += 1) {
    for (let to = 1; to <= other.length; to += 1) {
      const at = (row: number, column: number) => rows[row]?.[column] ?? Number.NaN;
      const replaced = at(from - 1, to - 1) + (one[from - 1] === other[to - 1] ? 0 : 1);
      rows[from]?.push(Math.min(replaced, at(from - 1, to) + 1, at(from, to - 1) + 1));
    }
  }
  return rows[one.length]?.[other.length] ?? Number.NaN;
}

describe('similar terms', () => {
  test('are within an edit distance exactly if the full computation says so', () => {
    fc.assert(
      fc.property(term, term, editsMax, (one, other, max) => {
        expect(isWithin(one, other, max)).toBe(distance(one, other) <= max);
      }),
      { numRuns: 1_000 },
    );
  });

  test('are all terms within the distance that were added and not removed', () => {
    fc.assert(
      fc.property(fc.uniqueArray(term, { maxLength: 30 }), fc.nat(), term, editsMax, (added, seed, wanted, max) => {
        const terms = createSimilarTerms();
        for (const each of added) terms.add(each);
        const removed = added.filter((_, at) => (seed >> (at % 30)) % 2 === 1);
        for (const each of removed) terms.remove(each);
        const left = added.filter((each) => !removed.includes(each));
        const expected = left.filter((each) => distance(wanted, each) <= max);
        expect(terms.near(wanted, max).sort()).toEqual(expected.sort());
      }),
    );
  });
});

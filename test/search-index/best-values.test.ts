import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestIndexes } from '../../src/search-index/best-values.ts';

// Few distinct numbers, so that many are equal.
const values = fc.array(fc.integer({ min: -2, max: 6 }), { maxLength: 120 });
const countMax = fc.integer({ min: 1, max: 20 });
const divisor = fc.integer({ min: 1, max: 30 });

describe('the best indexes', () => {
  test('have all of the largest wanted numbers, and no unwanted or small ones', () => {
    fc.assert(
      fc.property(values, countMax, divisor, (numbers, count, every) => {
        const isWanted = (index: number) => index % every === 0;
        const best = bestIndexes(new Float64Array(numbers), { countMax: count, above: 0, isWanted });
        const numberAt = (index: number) => numbers[index] ?? 0;
        const wanted = [...numbers.keys()].filter((index) => isWanted(index) && numberAt(index) > 0);
        const descending = wanted.map(numberAt).sort((one, other) => other - one);
        expect(best.every((index) => wanted.includes(index))).toBe(true);
        expect(best).toEqual(best.toSorted((one, other) => one - other));
        const least = descending[count - 1] ?? Number.NEGATIVE_INFINITY;
        expect(wanted.filter((index) => numberAt(index) >= least && !best.includes(index))).toEqual([]);
      }),
    );
  });

  test('are found with few calls of the filter where most numbers pass it', () => {
    let calls = 0;
    const numbers = Float64Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007);
    const isWanted = () => {
      calls += 1;
      return true;
    };
    expect(bestIndexes(numbers, { countMax: 100, above: 0, isWanted })).toHaveLength(100);
    expect(calls).toBe(100);
  });
});

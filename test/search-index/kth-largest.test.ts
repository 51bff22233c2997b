import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kthLargest } from '../../src/search-index/kth-largest.ts';

test('the k-th largest is the k-th of the sorted numbers, even with many equal ones', () => {
  const numbers = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.double({ noNaN: true }).map((value) => value + 0),
  );
  const lists = fc.array(numbers, { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(lists, fc.nat(), (list, seed) => {
      const k = (seed % list.length) + 1;
      const sorted = list.toSorted((one, other) => other - one);
      expect(kthLargest(new Float64Array(list), k)).toBe(new Float64Array(sorted)[k - 1]);
    }),
  );
});

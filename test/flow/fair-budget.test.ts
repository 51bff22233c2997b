import { describe, expect, test } from 'vitest';
import { createFairBudget, type FairBudget } from '../../src/flow/fair-budget.ts';

/** Takes places one by one until they are refused, and returns how many it got. */
function takeAll(budget: FairBudget, key: string, isPrivileged = false): number {
  let count = 0;
  while (budget.take(key, 1, { isPrivileged }) === undefined) count += 1;
  return count;
}

describe('a budget of 100 places', () => {
  test('gives one key half, later keys their shares of the rest, and a privileged key all that is left', () => {
    const budget = createFairBudget(100);
    const counts = ['one', 'two', 'three'].map((key) => takeAll(budget, key));
    expect(counts).toEqual([50, 25, 13]);
    expect(budget.take('one', 1)).toBe('share');
    expect(takeAll(budget, 'operator', true)).toBe(12);
    expect(budget.take('four', 1)).toBe('total');
  });

  test('is the same after everything was given back', () => {
    const budget = createFairBudget(100);
    takeAll(budget, 'one');
    budget.give('one', budget.takenBy('one'));
    expect([budget.takenBy('one'), takeAll(budget, 'two')]).toEqual([0, 50]);
  });

  test('gives a key without anything one amount of any size that is left', () => {
    const budget = createFairBudget(100);
    expect([budget.take('one', 90), budget.take('two', 20), budget.take('two', 10)]).toEqual([
      undefined,
      'total',
      undefined,
    ]);
    expect(budget.take('one', 1)).toBe('total');
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTimeSlices, nextSlice } from '../../src/flow/time-slices.ts';

describe('several long works', () => {
  test('are resumed one a turn of the event loop, in order', async () => {
    const resumed: string[] = [];
    for (const name of ['first', 'second', 'third']) void nextSlice().then(() => resumed.push(name));
    await nextTurn();
    expect(resumed).toEqual(['first']);
    await nextTurn();
    expect(resumed).toEqual(['first', 'second']);
    await nextTurn();
    expect(resumed).toEqual(['first', 'second', 'third']);
  });
});

describe('a long work', () => {
  test('yields to the event loop once its slice is used up, not before', async () => {
    const slice = createTimeSlices();
    let hasYielded = false;
    setImmediate(() => {
      hasYielded = true;
    });
    await slice();
    expect(hasYielded).toBe(false);
    const startedAt = performance.now();
    while (!hasYielded && performance.now() - startedAt < 5_000) await slice();
    expect(hasYielded).toBe(true);
  });
});

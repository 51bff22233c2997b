import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTimeSlices, nextSlice } from '../../src/flow/time-slices.ts';

describe('several long works', () => {
  test('go on one a turn of the event loop, in their order', async () => {
    const resumed: string[] = [];
    for (const name of ['first', 'second', 'third']) void nextSlice().then(() => resumed.push(name));
    await nextTurn();
    expect(resumed).toEqual(['first']);
    await nextTurn();
    expect(resumed).toEqual(['first', 'second']);
    await nextTurn();
    expect(resumed).toEqual(['first', 'second', 'third']);
  });

  test('let others have their turn once a slice is used up, and not before', async () => {
    const slice = createTimeSlices();
    let isTurned = false;
    setImmediate(() => {
      isTurned = true;
    });
    await slice();
    expect(isTurned).toBe(false);
    const startedAt = performance.now();
    while (!isTurned && performance.now() - startedAt < 5_000) await slice();
    expect(isTurned).toBe(true);
  });
});

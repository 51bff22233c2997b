import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createFairPace } from '../../src/flow/fair-pace.ts';

/** Makes the pace slow: two keys are active while the event loop is busy. Returns once a further request has to wait. */
async function untilPaced(pace: ReturnType<typeof createFairPace>, key: string): Promise<Promise<void>> {
  while (true) {
    for (const active of [key, 'other']) {
      pace.enter(active)?.catch(() => undefined);
      pace.leave(active);
    }
    pace.enter(key);
    const turn = pace.enter(key);
    if (turn !== undefined) return turn;
    pace.leave(key);
    pace.leave(key);
    await delay(5);
  }
}

describe('a key with several requests at a time, while the event loop is busy and another key is active', () => {
  test('has all but the first wait for their turn, and a key with one at a time never waits', async () => {
    const pace = createFairPace({ utilization: () => 1 });
    const turn = await untilPaced(pace, 'flooder');
    expect(pace.enter('other')).toBeUndefined();
    pace.leave('other');
    expect(pace.enter('third')).toBeUndefined();
    await turn;
    const turns = [pace.enter('flooder'), pace.enter('flooder')];
    expect(turns).toEqual([expect.any(Promise), expect.any(Promise)]);
    await Promise.all(turns);
  });
});

describe('keys with waiting requests', () => {
  test('have their turns by what their requests cost, so that one with costly requests gets fewer', async () => {
    const pace = createFairPace({ utilization: () => 1 });
    await untilPaced(pace, 'costly');
    pace.enter('cheap');
    const order: string[] = [];
    const turns = ['costly', 'cheap'].flatMap((key) =>
      Array.from({ length: 5 }, () => pace.enter(key, key === 'costly' ? 10 : 1)?.then(() => order.push(key))),
    );
    await Promise.all(turns);
    expect(order.slice(0, 6).filter((key) => key === 'cheap')).toHaveLength(5);
  });

  test('are released as fast where the ticks of the pace are late', async () => {
    let delayMs = 0;
    const pace = createFairPace({ utilization: () => 1, now: () => performance.now() + delayMs });
    await untilPaced(pace, 'one');
    let released = 0;
    const turns = Array.from({ length: 8 }, () => pace.enter('one')?.then(() => (released += 1)));
    // Half a second at the slowest pace, in one tick.
    delayMs = 500;
    await Promise.race(turns);
    await new Promise(setImmediate);
    expect(released).toBe(8);
  });
});

describe('a key with several requests at a time', () => {
  test('does not wait while the event loop has time', async () => {
    const pace = createFairPace({ utilization: () => 0.1 });
    for (let round = 0; round < 10; round += 1) {
      for (const key of ['one', 'two']) expect([pace.enter(key), pace.enter(key)]).toEqual([undefined, undefined]);
      await delay(20);
    }
  });

  test('does not wait while no other key is active', async () => {
    const pace = createFairPace({ utilization: () => 1 });
    for (let round = 0; round < 10; round += 1) {
      expect([pace.enter('one'), pace.enter('one')]).toEqual([undefined, undefined]);
      await delay(20);
    }
  });
});

/** The pace of work in the background: full speed while no requests arrive, a tenth of the time while they do. */
import { describe, expect, test } from 'vitest';
import { createBackgroundPace } from '../../src/flow/background-pace.ts';

function pacedAt(): { pace: ReturnType<typeof createBackgroundPace>; pass: (ms: number) => void; waits: number[] } {
  let now = 10_000;
  const waits: number[] = [];
  const pace = createBackgroundPace(
    () => now,
    async (ms) => {
      waits.push(ms);
      now += ms;
    },
  );
  const pass = (ms: number) => {
    now += ms;
  };
  return { pace, pass, waits };
}

describe('the pace of background work', () => {
  test('has no pauses while no requests arrive', async () => {
    const { pace, pass, waits } = pacedAt();
    const pause = pace.start();
    pass(60);
    await pause();
    pace.requestArrived();
    pass(1500);
    await pause();
    expect(waits).toEqual([]);
  });

  test('has pauses of nine times each step while requests arrive, up to a limit', async () => {
    const { pace, pass, waits } = pacedAt();
    const pause = pace.start();
    for (const ms of [30, 25, 100, 900]) {
      pass(ms);
      pace.requestArrived();
      await pause();
    }
    // The first two steps are shorter than work that has a pause, and have one together.
    expect(waits).toEqual([495, 900, 2000]);
  });
});

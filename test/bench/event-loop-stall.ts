/** Measures how long work blocks the event loop of this process. */

/** Runs `work` and returns the longest time between two turns of the event loop meanwhile, in milliseconds. */
export async function longestStallMs(work: () => Promise<void>): Promise<number> {
  let longestMs = 0;
  let turnedAt = performance.now();
  let isOver = false;
  const turn = () => {
    longestMs = Math.max(longestMs, performance.now() - turnedAt);
    turnedAt = performance.now();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return Math.max(longestMs, performance.now() - turnedAt);
}

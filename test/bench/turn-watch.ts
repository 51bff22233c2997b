/** How long the event loop of this process was held at the longest while something ran. */

/** Runs `work`; answers the longest time between two turns meanwhile, in milliseconds. */
export async function longestTurnMs(work: () => Promise<void>): Promise<number> {
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

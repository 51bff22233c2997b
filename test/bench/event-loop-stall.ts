/**
 * Measures how long work blocks the event loop of this process.
 * The time between two turns includes waiting for a processor that other threads and processes use. The processor time of the
 * thread in one turn does not.
 */

/** The longest stalls: by the clock, and by the processor time of this thread. In milliseconds. */
export interface Stalls {
  longestMs: number;
  longestCpuMs: number;
}

/** Runs `work` and returns the longest time between two turns of the event loop meanwhile. */
export async function longestStalls(work: () => Promise<void>): Promise<Stalls> {
  const stalls: Stalls = { longestMs: 0, longestCpuMs: 0 };
  let turnedAt = performance.now();
  let cpuAt = threadCpuMs();
  let isOver = false;
  const observe = () => {
    const [now, cpuMs] = [performance.now(), threadCpuMs()];
    stalls.longestMs = Math.max(stalls.longestMs, now - turnedAt);
    stalls.longestCpuMs = Math.max(stalls.longestCpuMs, cpuMs - cpuAt);
    turnedAt = now;
    cpuAt = cpuMs;
  };
  const turn = () => {
    observe();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  observe();
  return stalls;
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

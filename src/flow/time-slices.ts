/** Long work in slices, between which the event loop serves others. All such work shares each turn of the loop. */

/** The longest that such work holds the event loop, in milliseconds, but for its smallest step. */
const sliceMs = 4;

const waiting: (() => void)[] = [];

/** Resolves in a later turn of the event loop, that no other long work is resumed in. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(resumeOne);
  });
}

function resumeOne(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(resumeOne);
}

/** Makes what long work awaits after each of its steps: it waits for its next slice once one is used up. */
export function createTimeSlices(): () => Promise<void> {
  let endsAt = performance.now() + sliceMs;
  return async () => {
    if (performance.now() < endsAt) return;
    await nextSlice();
    endsAt = performance.now() + sliceMs;
  };
}

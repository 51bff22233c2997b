/** Time slices: long synchronous work that yields to the event loop, one slice in each turn. */

/** The longest that such work holds the event loop, in milliseconds, unless a single step takes longer. */
const sliceMs = 4;

const waiting: (() => void)[] = [];

/** Resolves in a later turn of the event loop, in which no other long work is resumed. */
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

/** Creates what long work awaits after each of its steps. It resolves at once until the slice is used up, then in the next slice. */
export function createTimeSlices(): () => Promise<void> {
  let endsAt = performance.now() + sliceMs;
  return async () => {
    if (performance.now() < endsAt) return;
    await nextSlice();
    endsAt = performance.now() + sliceMs;
  };
}

/** Runs a generator that yields after each step, in time slices. Resolves to its result, or rejects with its error. */
export async function inTimeSlices<Result>(steps: Iterator<void, Result>): Promise<Result> {
  let endsAt = performance.now() + sliceMs;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (performance.now() < endsAt) continue;
    await nextSlice();
    endsAt = performance.now() + sliceMs;
  }
}

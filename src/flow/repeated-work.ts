/** Work that repeats in the background: each run starts an interval after the last one has finished. */

/** The repetition. Disposal starts no further run; it does not wait for the current one. */
export interface RepeatedWork extends Disposable {
  /** Starts a run now instead of when it was due. Does nothing during a run. */
  runNow(): void;
  /** Starts the next run after `ms` milliseconds instead of when it was due. Does nothing during a run. */
  runIn(ms: number): void;
}

/** Dependencies of the repetition. */
export interface RepeatedWorkDeps {
  /** One run. Must not throw or reject. */
  run: () => Promise<void> | void;
  /** Milliseconds between the end of a run and the start of the next one; read after each run. */
  intervalMs: () => number;
}

/** Creates the repetition; the first run is started with `runNow` or `runIn`. Its timers do not keep the process alive. */
export function createRepeatedWork({ run, intervalMs }: RepeatedWorkDeps): RepeatedWork {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isDisposed = false;

  function runIn(ms: number): void {
    clearTimeout(timer);
    if (!isDisposed && !isRunning) timer = setTimeout(runNow, ms).unref();
  }

  async function runOnce(): Promise<void> {
    isRunning = true;
    await run();
    isRunning = false;
    runIn(intervalMs());
  }

  function runNow(): void {
    clearTimeout(timer);
    if (!isDisposed && !isRunning) void runOnce();
  }

  return {
    runNow,
    runIn,
    [Symbol.dispose]: () => {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

/** Work done step by step behind everybody's back, and tried again until it is done. Knows nothing of what it does. */

import { settledWithin } from './time-limit.ts';

/** The work. Dispose it to let a step that is under way end, and begin none after it. */
export interface BackgroundRetry extends AsyncDisposable {
  /** Begins after a while in which more may gather. */
  soon(): void;
  /** Begins at once, also where it waits to try again. */
  now(): void;
  /** Resolves when nothing is needed. */
  settled(): Promise<void>;
}

/** What the work is. */
export interface BackgroundRetryDeps {
  isNeeded: () => boolean;
  /** Whether it makes sense to begin; where it does not, {@link BackgroundRetry.now} says when it does. */
  isReady: () => boolean;
  step: () => Promise<void>;
  /** Hears once of a streak of failures, at the second: the first is often told elsewhere already. */
  onFailing: (error: unknown) => void;
  /** Hears once of the end of such a streak, with what failed last. */
  onRecovered: (error: unknown) => void;
}

/** Time in which changes gather into one batch. */
const gatherMs = 50;
const retryDelayMs = 500;
const retryDelayMsMax = 30_000;
/** The longest that an end waits for a step; past it the step is let go. */
const endMsMax = 500;

/** Makes the work; it begins when it is told to. */
export function createBackgroundRetry(deps: BackgroundRetryDeps): BackgroundRetry {
  const idle: (() => void)[] = [];
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const streak = createStreak(deps);
  let ended = false;

  function schedule(ms: number): void {
    if (!ended && running === undefined) timer ??= setTimeout(begin, ms).unref();
  }

  function begin(): void {
    timer = undefined;
    if (deps.isReady()) running = steps(deps, () => ended).then(succeeded, failed);
  }

  function succeeded(): void {
    running = undefined;
    streak.succeeded();
    // What was asked for as the last step ended.
    if (deps.isNeeded()) schedule(gatherMs);
    for (const resolve of idle.splice(0)) resolve();
  }

  function failed(error: unknown): void {
    running = undefined;
    schedule(Math.min(retryDelayMs * 2 ** streak.failed(error), retryDelayMsMax));
  }

  return {
    soon: () => schedule(gatherMs),
    now() {
      clearTimeout(timer);
      timer = undefined;
      schedule(0);
    },
    settled: async () => {
      while (!ended && (deps.isNeeded() || running !== undefined)) {
        await new Promise<void>((resolve) => idle.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      ended = true;
      clearTimeout(timer);
      if (running !== undefined) await settledWithin(endMsMax, running);
    },
  };
}

async function steps({ isNeeded, step }: BackgroundRetryDeps, isEnded: () => boolean): Promise<void> {
  while (isNeeded() && !isEnded()) await step();
}

/** Failures in a row, told at the second and at the end. */
function createStreak({ onFailing, onRecovered }: BackgroundRetryDeps) {
  let failures = 0;
  let last: unknown;
  return {
    succeeded(): void {
      if (failures >= 2) onRecovered(last);
      failures = 0;
    },
    /** Answers how many there were before. */
    failed(error: unknown): number {
      failures += 1;
      last = error;
      if (failures === 2) onFailing(error);
      return failures - 1;
    },
  };
}

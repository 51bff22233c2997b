/** Background work in steps, retried with exponential backoff until nothing is left to do. */
import { exponentialBackoff } from './backoff.ts';
import { settledWithin } from './time-limit.ts';

/** The work. Disposal starts no further step, and waits for the current one for a limited time. */
export interface BackgroundRetry extends AsyncDisposable {
  /** Starts after a short delay, in which more work may gather. */
  soon(): void;
  /** Starts immediately, also during a backoff. */
  now(): void;
  /** Resolves when nothing is left to do, or after disposal. */
  settled(): Promise<void>;
}

/** Dependencies of the work. */
export interface BackgroundRetryDeps {
  /** Whether anything is left to do. */
  isNeeded: () => boolean;
  /** Whether the work can start. While it cannot, nothing runs until {@link BackgroundRetry.now} or `soon` is called. */
  isReady: () => boolean;
  /** Does a part of the work. */
  step: () => Promise<void>;
  /** Called once in a row of failures, at the second, since the first is often reported elsewhere. */
  onFailing: (error: unknown) => void;
  /** Called at the first success after such a row, with its last error. */
  onRecovered: (error: unknown) => void;
}

/** The delay in which changes gather into one batch, in milliseconds. */
const gatherMs = 50;
const retryBounds = { delayMs: 500, delayMsMax: 30_000 };
/** The longest that disposal waits for the current step, in milliseconds. */
const disposalMsMax = 500;

/** Creates the work, which is idle until it is started. */
export function createBackgroundRetry(deps: BackgroundRetryDeps): BackgroundRetry {
  const idleListeners: (() => void)[] = [];
  const failures = createFailureCount(deps);
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  function schedule(ms: number): void {
    if (!isDisposed && running === undefined) timer ??= setTimeout(start, ms).unref();
  }

  function start(): void {
    timer = undefined;
    if (deps.isReady()) running = runSteps(deps, () => isDisposed).then(onSuccess, onFailure);
  }

  function onSuccess(): void {
    running = undefined;
    failures.reset();
    // Something may have been requested as the last step finished.
    if (deps.isNeeded()) schedule(gatherMs);
    for (const resolve of idleListeners.splice(0)) resolve();
  }

  function onFailure(error: unknown): void {
    running = undefined;
    schedule(exponentialBackoff(retryBounds, failures.add(error)));
  }

  return {
    soon: () => schedule(gatherMs),
    now() {
      clearTimeout(timer);
      timer = undefined;
      schedule(0);
    },
    settled: async () => {
      while (!isDisposed && (deps.isNeeded() || running !== undefined)) {
        await new Promise<void>((resolve) => idleListeners.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      clearTimeout(timer);
      if (running !== undefined) await settledWithin(disposalMsMax, running);
    },
  };
}

async function runSteps({ isNeeded, step }: BackgroundRetryDeps, isDisposed: () => boolean): Promise<void> {
  while (isNeeded() && !isDisposed()) await step();
}

/** Counts failures in a row, and reports the second one and the recovery. */
function createFailureCount({ onFailing, onRecovered }: BackgroundRetryDeps) {
  let count = 0;
  let last: unknown;
  return {
    reset(): void {
      if (count >= 2) onRecovered(last);
      count = 0;
    },
    /** Returns the number of failures in a row. */
    add(error: unknown): number {
      count += 1;
      last = error;
      if (count === 2) onFailing(error);
      return count;
    },
  };
}

/** The pace of long work in the background, which leaves most of the event loop to requests. */
import { setTimeout as delay } from 'node:timers/promises';

/** The pace of all background work of one process. */
export interface BackgroundPace {
  /** Called for each request. */
  requestArrived(): void;
  /**
   * Starts a piece of work. What it returns is awaited between steps: it resolves at once while no requests arrive, and
   * otherwise, once steps have taken long enough, after a pause of nine times their duration.
   */
  start(): () => Promise<void>;
}

/** Requests count as arriving for this long after the last one. */
const requestsLastMs = 1000;
/** Pauses take this many times as long as the steps, so that work uses a tenth of the time. */
const pauseFactor = 9;
const pauseMsMax = 2000;
/** Shorter work has no pause, so that a single change is not delayed. */
const workMsMin = 50;

/** Creates the pace. `nowMs` and `wait` are replaced in tests. */
export function createBackgroundPace(
  nowMs: () => number = () => performance.now(),
  wait: (ms: number) => Promise<unknown> = (ms) => delay(ms, undefined, { ref: false }),
): BackgroundPace {
  let requestAt = Number.NEGATIVE_INFINITY;
  return {
    requestArrived: () => {
      requestAt = nowMs();
    },
    start: () => {
      let startedAt = nowMs();
      return async () => {
        const now = nowMs();
        if (now - startedAt < workMsMin) return;
        if (now - requestAt < requestsLastMs) await wait(Math.min((now - startedAt) * pauseFactor, pauseMsMax));
        startedAt = nowMs();
      };
    },
  };
}

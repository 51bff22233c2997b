/** A debounced queue: bursts of requests for a key become one run, and runs for one key never overlap. */

/** The queue. A run for a key covers every request for it that was made before the run started. */
export interface DebouncedQueue extends AsyncDisposable {
  /** Schedules a run for the key once requests for it have paused. */
  request(key: string): void;
  /** Runs for the key now, or after its current run. Resolves when done. After disposal nothing is run. */
  run(key: string): Promise<void>;
}

/** A run starts `pauseMs` after the last request, and at most `postponedMsMax` after the first. `run` must not reject. */
export interface DebouncedQueueOptions {
  pauseMs: number;
  postponedMsMax: number;
  run(key: string): Promise<void>;
}

interface Entry {
  timer?: NodeJS.Timeout | undefined;
  /** When the first and the last request came that the timer is for, by a clock that is never set. */
  requestedAt: number;
  lastRequestedAt: number;
  /** The run that has not started yet. */
  waiting?: Promise<void> | undefined;
  /** Settles with the last run of the key. */
  last: Promise<void>;
}

/** Creates an empty queue. Disposal drops the scheduled runs and waits for those in progress. */
export function createDebouncedQueue(options: DebouncedQueueOptions): DebouncedQueue {
  const entries = new Map<string, Entry>();
  let closed = false;

  const entryOf = (key: string): Entry => {
    const entry = entries.get(key) ?? { requestedAt: 0, lastRequestedAt: 0, last: Promise.resolve() };
    entries.set(key, entry);
    return entry;
  };

  const run = (key: string): Promise<void> => {
    const entry = entryOf(key);
    if (entry.waiting !== undefined) return entry.waiting;
    const mine = entry.last.then(async () => {
      entry.waiting = undefined;
      if (!closed) await options.run(key);
      if (entry.last === mine && entry.timer === undefined) entries.delete(key);
    });
    entry.waiting = mine;
    entry.last = mine;
    return mine;
  };

  const request = (key: string): void => {
    if (closed) return;
    const entry = entryOf(key);
    entry.lastRequestedAt = performance.now();
    if (entry.timer !== undefined) return;
    entry.requestedAt = entry.lastRequestedAt;
    wait(entry, options, () => void run(key));
  };

  return {
    request,
    run,
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const entry of entries.values()) clearTimeout(entry.timer);
      await Promise.all([...entries.values()].map((entry) => entry.last));
    },
  };
}

/**
 * Sets the timer of an entry, and again where requests came meanwhile. These set no timer of their own, so that a flood of them
 * costs little.
 */
function wait(
  entry: Entry,
  options: Pick<DebouncedQueueOptions, 'pauseMs' | 'postponedMsMax'>,
  onDue: () => void,
): void {
  const { requestedAt, lastRequestedAt } = entry;
  const latestAt = requestedAt + options.postponedMsMax;
  const dueAt = Math.min(lastRequestedAt + options.pauseMs, latestAt);
  const onTime = () => {
    if (dueAt < latestAt && entry.lastRequestedAt > lastRequestedAt) return wait(entry, options, onDue);
    entry.timer = undefined;
    onDue();
  };
  entry.timer = setTimeout(onTime, Math.max(0, dueAt - performance.now())).unref();
}

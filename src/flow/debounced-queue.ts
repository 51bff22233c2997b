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
  requestedAt?: number | undefined;
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
    const entry = entries.get(key) ?? { last: Promise.resolve() };
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
    entry.requestedAt ??= Date.now();
    const postponableMs = Math.max(0, entry.requestedAt + options.postponedMsMax - Date.now());
    clearTimeout(entry.timer);
    entry.timer = setTimeout(
      () => {
        entry.timer = undefined;
        entry.requestedAt = undefined;
        void run(key);
      },
      Math.min(options.pauseMs, postponableMs),
    ).unref();
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

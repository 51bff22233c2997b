/**
 * A queue of folders to look at: bursts of requests become one run, and runs for one key never overlap.
 * Owns its timers. Knows nothing of what a run does.
 */

/** A key is a path; a run for it sees everything that was asked for before it began. */
export interface SkillWatchQueue extends AsyncDisposable {
  /** Runs for the key once requests for it have paused. */
  request(key: string): void;
  /** Runs for the key now, or behind the run under way; resolves when done. After disposal nothing is run. */
  run(key: string): Promise<void>;
}

/** `pauseMs` without a request starts a run; requests put it off by `postponedMsMax` at most. `run` must not reject. */
export interface SkillWatchQueueOptions {
  pauseMs: number;
  postponedMsMax: number;
  run(key: string): Promise<void>;
}

interface Entry {
  timer?: NodeJS.Timeout | undefined;
  requestedAt?: number | undefined;
  /** The run that has not begun yet. */
  waiting?: Promise<void> | undefined;
  /** Settles with the last run of all. */
  last: Promise<void>;
}

/** Makes an empty queue. Disposal drops what is requested, and waits for what runs. */
export function createSkillWatchQueue(options: SkillWatchQueueOptions): SkillWatchQueue {
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
    );
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

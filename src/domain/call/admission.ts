/** Admission of requests to upstream servers: limits those that run, and drains them at shutdown. */
import { settledWithin } from '../../flow/time-limit.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { type ConcurrencyLimits, createConcurrencyLimit } from './concurrency-limit.ts';

/** The shutdown of the hub: it begins when draining begins, and aborts `signal` when running calls must end. */
export interface Shutdown {
  signal: AbortSignal;
  hasBegun: () => boolean;
}

/** Admits work, and knows what is running. */
export interface Admission {
  /** Runs work of a caller for a server. @throws HestiaError SHUTTING_DOWN, OVERLOADED; and what `work` throws */
  run<T>(by: { serverId: string; caller: Caller }, work: (shutdown: Shutdown) => Promise<T>): Promise<T>;
  /** The number of running calls. */
  running(): number;
  /** Refuses new calls, waits for running ones at most `drainMs`, then cancels the rest and waits for their records. */
  drain(drainMs: number): Promise<void>;
}

/** Creates the admission; nothing is running. */
export function createAdmission(limits: ConcurrencyLimits): Admission {
  const concurrencyLimit = createConcurrencyLimit(limits);
  const running = new Set<Promise<unknown>>();
  const controller = new AbortController();
  let draining = false;
  const shutdown = { signal: controller.signal, hasBegun: () => draining };
  return {
    run: async ({ serverId, caller }, work) => {
      if (draining) throw new HestiaError('SHUTTING_DOWN', 'the hub is shutting down; no new calls are taken');
      using _place = concurrencyLimit.enter(serverId, caller);
      const call = work(shutdown);
      running.add(call);
      try {
        return await call;
      } finally {
        running.delete(call);
      }
    },
    running: () => running.size,
    drain: async (drainMs) => {
      draining = true;
      const settled = Promise.allSettled(running);
      if (!(await settledWithin(drainMs, settled))) controller.abort();
      await settled;
    },
  };
}

/** Waits for the views: each for a record, for a limited time. */
import type { HestiaError } from '../../shapes/error.ts';

/** The waits. */
export interface ProjectionWaits {
  /** Resolves once {@link ProjectionWaits.projected} is called with `seq` or more. @throws the error of `late` after `timeoutMs` */
  add(seq: number, timeoutMs: number): Promise<void>;
  projected(position: number): void;
  /** Rejects all waits. */
  fail(error: HestiaError): void;
}

interface Wait {
  seq: number;
  settle(error?: HestiaError): void;
}

/** Creates the waits. `late` creates the error of a wait whose time is up. */
export function createProjectionWaits(late: (seq: number) => HestiaError): ProjectionWaits {
  const waits = new Set<Wait>();
  const settle = (done: readonly Wait[], error?: HestiaError) => {
    for (const wait of done) {
      waits.delete(wait);
      wait.settle(error);
    }
  };
  return {
    add: (seq, timeoutMs) =>
      new Promise((resolve, reject) => {
        const isBounded = timeoutMs !== Number.POSITIVE_INFINITY;
        const timer = isBounded ? setTimeout(() => settle([wait], late(seq)), timeoutMs) : undefined;
        const wait: Wait = {
          seq,
          settle: (error) => {
            clearTimeout(timer);
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        waits.add(wait);
      }),
    projected: (position) => settle([...waits].filter(({ seq }) => seq <= position)),
    fail: (error) => settle([...waits], error),
  };
}

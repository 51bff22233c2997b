/** Logs why the views are built anew, and the progress where many records are missing in them. */
import type { Log } from '../../telemetry/log.ts';

/** Logs the progress of one projector. */
export interface RebuildLog {
  /** The thread has begun at `position` of `size` records; `emptied` is the reason for which the rows were deleted. */
  began(ends: { position: number; size: number; emptied: string | undefined }): void;
  projected(position: number): void;
}

/** Records that may be missing in the views without being mentioned: they are there in about a second. */
const unmentionedMax = 20_000;
/** The interval of progress lines, in milliseconds. */
const progressIntervalMs = 5000;

/** Creates the log of the progress. */
export function createRebuildLog(log: Pick<Log, 'info' | 'warn'>): RebuildLog {
  let work: { from: number; size: number; beganAt: number; loggedAt: number } | undefined;
  return {
    began: ({ position, size, emptied }) => {
      if (emptied !== undefined) log.warn('The views of the audit trail are built anew', { reason: emptied });
      work = undefined;
      if (size - position <= unmentionedMax) return;
      work = { from: position, size, beganAt: performance.now(), loggedAt: performance.now() };
      log.info('The views of the audit trail are being built', { position, records: size });
    },
    projected: (position) => {
      if (work === undefined) return;
      const now = performance.now();
      if (position >= work.size) {
        const seconds = Math.round((now - work.beganAt) / 1000);
        log.info('The views of the audit trail are complete', { records: position - work.from, seconds });
        work = undefined;
      } else if (now - work.loggedAt >= progressIntervalMs) {
        work.loggedAt = now;
        log.info('The views of the audit trail are being built', { position, records: work.size });
      }
    },
  };
}

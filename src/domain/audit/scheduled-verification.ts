/**
 * Continuous verification of the audit trail in the background, one bounded part a run. After the end of the trail it
 * starts over. A fault raises the alarm.
 */
import type { AuditVerdict } from '../../shapes/audit-log/verdict.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { AuditAlarm } from './alarm.ts';
import type { LogCheckpointer } from './log-checkpointer.ts';
import { checkStoredTrail, type StoredTrailCheck } from './verification/stored-trail.ts';
import type { TrailSources } from './verification/trail-lines.ts';

/** Verifies the trail part by part. */
export interface ScheduledVerification {
  /** Verifies the next part. Runs must not overlap. @throws HestiaError STORAGE_FAILED */
  run(): Promise<void>;
}

/** Dependencies of the scheduled verification. */
export interface ScheduledVerificationDeps {
  sources: TrailSources;
  checkpointer: Pick<LogCheckpointer, 'newest'>;
  alarm: AuditAlarm;
}

/** Lines verified in one run, with yields between pages. */
const linesMax = 5000;

/** Creates the scheduled verification. */
export function createScheduledVerification({
  sources,
  checkpointer,
  alarm,
}: ScheduledVerificationDeps): ScheduledVerification {
  let pass: StoredTrailCheck | undefined;
  return {
    run: async () => {
      const newest = checkpointer.newest();
      pass ??= checkStoredTrail(sources, { until: newest?.size ?? 0, note: newest?.note });
      const verdict = await nextVerdict(pass);
      if (verdict === undefined) return;
      pass = undefined;
      if (verdict !== 'deleted' && verdict.firstBad !== undefined) await alarm.raiseThrottled(verdict.firstBad);
    },
  };
}

/** The verdict when the pass is over; `deleted` where retention deleted records while they were read. */
async function nextVerdict(pass: StoredTrailCheck | undefined): Promise<AuditVerdict | 'deleted' | undefined> {
  try {
    return await pass?.next(linesMax);
  } catch (error) {
    // The next pass begins at the oldest record that is left.
    if (error instanceof HestiaError && error.code === 'CONFLICT') return 'deleted';
    throw error;
  }
}

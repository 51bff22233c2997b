/**
 * Continuous verification of the audit trail in the background, one bounded part a run. After the end of the trail it
 * starts over. A fault raises the alarm.
 */
import { HestiaError } from '../../shapes/error.ts';
import type { AuditAlarm } from './alarm.ts';
import type { LogCheckpointer } from './log-checkpointer.ts';
import { trustedKey } from './verification/key-ring.ts';
import { createTrailCheck, type TrailCheck } from './verification/trail-check.ts';
import { type TrailSources, trailLines } from './verification/trail-lines.ts';

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

/** One verification from the first to the last signed record, over several runs. */
interface VerificationPass {
  lines: AsyncIterator<readonly string[]>;
  check: TrailCheck;
}

/** Creates the scheduled verification. */
export function createScheduledVerification({
  sources,
  checkpointer,
  alarm,
}: ScheduledVerificationDeps): ScheduledVerification {
  let pass: VerificationPass | undefined;
  return {
    run: async () => {
      pass ??= {
        lines: trailLines(sources, checkpointer.newest()?.size ?? 0),
        check: createTrailCheck({ keys: sources.vkeys().map(trustedKey) }),
      };
      if (await verifyNextLines(alarm, pass)) pass = undefined;
    },
  };
}

/** Verifies lines up to the bound. Returns whether the pass is over. */
async function verifyNextLines(alarm: AuditAlarm, { lines, check }: VerificationPass): Promise<boolean> {
  try {
    for (let verified = 0; verified < linesMax; ) {
      const page = await lines.next();
      if (page.done !== true && page.value.every((line) => check.take(line))) {
        verified += page.value.length;
        continue;
      }
      const { firstBad } = check.end();
      if (firstBad !== undefined) await alarm.raiseThrottled(firstBad);
      return true;
    }
    return false;
  } catch (error) {
    // Retention deleted records while they were read. The next pass starts at the oldest that is left.
    if (error instanceof HestiaError && error.code === 'CONFLICT') return true;
    throw error;
  }
}

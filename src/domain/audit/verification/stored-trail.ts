/** Verification of the journal of a running hub, from its files, with the keys that sign it. */
import { JournalError } from '../../../journal/journal-error.ts';
import type { AuditVerdict } from '../../../shapes/audit-log/verdict.ts';
import { trustedKey } from './key-ring.ts';
import { createTrailCheck, type TrailCheck } from './trail-check.ts';
import { type TrailSources, trailLines } from './trail-lines.ts';

/** One verification. Lines that are missing in the journal are a fault, not an error. */
export interface StoredTrailCheck {
  /**
   * Verifies at least `linesMax` lines, or all that are left. Returns the verdict when it is over.
   * @throws HestiaError CONFLICT where records were deleted by retention while they were read; STORAGE_FAILED
   */
  next(linesMax: number): Promise<AuditVerdict | undefined>;
}

/**
 * Starts a verification of the stored records up to `until`, which `note` signs: the newest checkpoint, as this process signed
 * or read it. Returns undefined where no stored record is signed yet.
 */
export function checkStoredTrail(
  sources: TrailSources,
  { until, note }: { until: number; note: string | undefined },
): StoredTrailCheck | undefined {
  if (until < sources.journal.firstSeq()) return undefined;
  const lines = trailLines(sources, until);
  const kept = note === undefined ? [] : [note];
  const check = createTrailCheck({ keys: sources.vkeys().map(trustedKey), kept });
  return {
    next: async (linesMax) => {
      try {
        for (let verified = 0; verified < linesMax; ) {
          const page = await lines.next();
          if (page.done === true) return check.end();
          if (!page.value.every((line) => check.take(line))) {
            await lines.return(undefined);
            return check.end();
          }
          verified += page.value.length;
        }
        return undefined;
      } catch (error) {
        if (error instanceof JournalError && error.type === 'corrupt') return incompleteVerdict(check, error, sources);
        throw error;
      }
    },
  };
}

function incompleteVerdict(check: TrailCheck, { message }: JournalError, { journal }: TrailSources): AuditVerdict {
  const verdict = check.end();
  const seq = (verdict.lastSeq ?? journal.firstSeq() - 1) + 1;
  return { ...verdict, intact: false, firstBad: { seq, reason: message } };
}

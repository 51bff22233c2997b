/**
 * Continuous verification of the audit trail in the background, one bounded part a run. After the end of the trail it
 * starts over. A fault raises the alarm, and so does a missing or changed last checkpoint.
 */
import { HestiaError } from '../../shapes/error.ts';
import type { AuditAlarm } from './alarm.ts';
import { checkpointHead, parseCheckpoint, type VerifyingKey } from './checkpoint.ts';
import type { AuditCheckpointer } from './checkpointer.ts';
import { type TrailSources, trailLines } from './trail-lines.ts';
import { createTrailCheck, type TrailCheck } from './verification.ts';

/** Verifies the trail part by part. */
export interface ScheduledVerification {
  /** Verifies the next part. Runs must not overlap. @throws HestiaError STORAGE_FAILED */
  run(): Promise<void>;
}

/** Dependencies of the scheduled verification. */
export interface ScheduledVerificationDeps {
  sources: TrailSources;
  verifyWith: VerifyingKey;
  checkpointer: AuditCheckpointer;
  alarm: AuditAlarm;
}

/** Lines verified in one run: about 0.2 s of work, with yields between pages. */
const linesMax = 5000;

/** One verification from the first to the last line, over several runs. */
interface VerificationPass {
  lines: AsyncIterator<readonly string[]>;
  check: TrailCheck;
  anchorSeq: number;
}

/** Creates the scheduled verification. */
export function createScheduledVerification(deps: ScheduledVerificationDeps): ScheduledVerification {
  let pass: VerificationPass | undefined;
  return {
    run: async () => {
      await checkLastCheckpoint(deps);
      pass ??= await startPass(deps);
      const { isOver } = await verifyNextLines(deps, pass);
      if (isOver) pass = undefined;
    },
  };
}

async function startPass({ sources, verifyWith }: ScheduledVerificationDeps): Promise<VerificationPass> {
  return {
    lines: trailLines(sources),
    check: createTrailCheck({ publicKey: verifyWith }),
    anchorSeq: (await sources.auditStore.anchor()).seq,
  };
}

async function verifyNextLines(
  { sources, alarm }: ScheduledVerificationDeps,
  { lines, check, anchorSeq }: VerificationPass,
): Promise<{ isOver: boolean }> {
  try {
    let verified = 0;
    while (verified < linesMax) {
      const page = await lines.next();
      if (page.done !== true && page.value.every((line) => check.take(line))) {
        verified += page.value.length;
        continue;
      }
      const { firstBad } = check.end();
      // Pruning during a pass leaves a hole in the lines that were read: no fault. The next pass starts at the new anchor.
      const wasPruned = (await sources.auditStore.anchor()).seq !== anchorSeq;
      if (firstBad !== undefined && !wasPruned) await alarm.raiseThrottled(firstBad);
      return { isOver: true };
    }
    return { isOver: false };
  } catch (error) {
    if (error instanceof HestiaError && error.code === 'CONFLICT') return { isOver: true };
    throw error;
  }
}

/** Every run checks the end of the trail, so that removing its last records raises the alarm within one interval. */
async function checkLastCheckpoint({ sources, checkpointer, alarm }: ScheduledVerificationDeps): Promise<void> {
  const { number, lastSeq, hash } = checkpointer.lastCheckpoint() ?? { number: 0, lastSeq: 0, hash: '' };
  if (number === 0) return;
  const stored = await sources.checkpointStore.find(number);
  const checkpoint = stored && parseCheckpoint(stored.body);
  const isUnchanged =
    stored !== undefined &&
    checkpoint !== undefined &&
    !('reason' in checkpoint) &&
    checkpointHead({ checkpoint, body: stored.body }).hash === hash;
  if (!isUnchanged) {
    const reason = 'the checkpoint that this hub signed last was removed or changed';
    return alarm.raiseThrottled({ seq: lastSeq, checkpoint: number, reason });
  }
  const { seq } = await sources.auditStore.head();
  if (seq < lastSeq)
    await alarm.raiseThrottled({
      seq,
      reason: `the records end with ${seq}, but records up to ${lastSeq} were signed`,
    });
}

/**
 * Verification that nobody asked for: the whole trail is walked again and again, a bounded piece at each run, and a break
 * raises the alarm. So is a checkpoint of ours that is no longer the one we signed.
 */
import { HestiaError } from '../../shapes/error.ts';
import type { AuditAlarm } from './alarm.ts';
import { checkpointHead, parseCheckpoint, type VerifyingKey } from './checkpoint.ts';
import type { AuditCheckpointer } from './checkpointer.ts';
import { type TrailSources, trailLines } from './trail-lines.ts';
import { createTrailCheck, type TrailCheck } from './verification.ts';

/** The watch. */
export interface ScheduledVerification {
  /** Verifies the next piece. May be repeated; runs do not overlap. @throws HestiaError STORAGE_FAILED */
  run(): Promise<void>;
}

/** What the watch is made of. */
export interface ScheduledVerificationDeps {
  sources: TrailSources;
  verifyWith: VerifyingKey;
  checkpointer: AuditCheckpointer;
  alarm: AuditAlarm;
}

/** Lines verified in one run: some 0.2 s of work, in pieces. */
const linesMax = 5000;

/** One walk from the beginning to the end, over several runs. */
interface Lap {
  lines: AsyncIterator<readonly string[]>;
  check: TrailCheck;
  anchorSeq: number;
}

/** Makes the watch. */
export function createScheduledVerification(deps: ScheduledVerificationDeps): ScheduledVerification {
  let lap: Lap | undefined;
  return {
    run: async () => {
      await watchLast(deps);
      lap ??= await newLap(deps);
      const { isOver } = await walk(deps, lap);
      if (isOver) lap = undefined;
    },
  };
}

async function newLap({ sources, verifyWith }: ScheduledVerificationDeps): Promise<Lap> {
  return {
    lines: trailLines(sources),
    check: createTrailCheck({ publicKey: verifyWith }),
    anchorSeq: (await sources.auditStore.anchor()).seq,
  };
}

async function walk(
  { sources, alarm }: ScheduledVerificationDeps,
  { lines, check, anchorSeq }: Lap,
): Promise<{ isOver: boolean }> {
  try {
    let taken = 0;
    while (taken < linesMax) {
      const page = await lines.next();
      if (page.done !== true && page.value.every((line) => check.take(line))) {
        taken += page.value.length;
        continue;
      }
      const { firstBad } = check.end();
      // Where the trail was pruned meanwhile, what was read is no longer one piece; the next lap begins behind it.
      const hasMoved = (await sources.auditStore.anchor()).seq !== anchorSeq;
      if (firstBad !== undefined && !hasMoved) await alarm.raiseOwn(firstBad);
      return { isOver: true };
    }
    return { isOver: false };
  } catch (error) {
    if (error instanceof HestiaError && error.code === 'CONFLICT') return { isOver: true };
    throw error;
  }
}

/** The end is looked at each time: a trail that was cut off is told of at once. */
async function watchLast({ sources, checkpointer, alarm }: ScheduledVerificationDeps): Promise<void> {
  const { number, lastSeq, hash } = checkpointer.standing() ?? { number: 0, lastSeq: 0, hash: '' };
  if (number === 0) return;
  const stored = await sources.checkpointStore.find(number);
  const checkpoint = stored && parseCheckpoint(stored.body);
  const isOurs =
    stored !== undefined &&
    checkpoint !== undefined &&
    !('reason' in checkpoint) &&
    checkpointHead({ checkpoint, body: stored.body }).hash === hash;
  if (!isOurs) {
    const reason = 'the checkpoint that this hub signed last is gone or changed';
    return alarm.raiseOwn({ seq: lastSeq, checkpoint: number, reason });
  }
  const { seq } = await sources.auditStore.head();
  if (seq < lastSeq) await alarm.raiseOwn({ seq, reason: `the records end with ${seq}, and ${lastSeq} were signed` });
}

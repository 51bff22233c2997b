/**
 * Retention of the audit trail: deletes the oldest segments of the journal.
 * The checkpoints of deleted records and their rows in views follow.
 * A checkpoint covers what is deleted, and the deletion is recorded first. After an implausible jump of the clock nothing is
 * deleted.
 */
import type { Span } from '@opentelemetry/api';
import type { Journal } from '../../journal/journal.ts';
import type { Caller } from '../../shapes/access.ts';
import { isoTime } from '../../shapes/time.ts';
import type { Database } from '../../stores/database.ts';
import type { RetentionClockStore } from '../../stores/retention-clock-store.ts';
import type { AuditViews } from '../../stores/views/audit-views.ts';
import { confirmationMs, observeClock } from './clock-check.ts';
import type { AuditTrail } from './trail.ts';

/** Deletes old records. */
export interface AuditRetention {
  /** Reads the clock, for the comparison with later times. Called at start. @throws HestiaError STORAGE_FAILED */
  observe(): Promise<void>;
  /**
   * Deletes records past their retention, and returns how many.
   * @throws ClockJumpError where the clock jumped; HestiaError STORAGE_FAILED
   */
  run(requested: { by: Caller; span: Span }): Promise<number>;
}

/** Nothing was deleted, since the clock differs from what the hub knows of it. */
export class ClockJumpError extends Error {
  override readonly name = 'ClockJumpError';
}

/** Dependencies of the retention. */
export interface AuditRetentionDeps {
  journal: Pick<Journal, 'retire' | 'firstSeq'>;
  views: Pick<AuditViews, 'prune'>;
  database: Database;
  retentionClockStore: RetentionClockStore;
  trail: AuditTrail;
  /** The number of records that a signed checkpoint covers. */
  coveredSize: () => number;
  /** Signs all records, so that the record of a deletion is signed before anything is deleted. */
  sign: () => Promise<void>;
  /** Deletes stored checkpoints over fewer records than this. */
  pruneCheckpoints: (size: number) => Promise<void>;
  auditDays: number;
  /** The clock, in Unix milliseconds. */
  now: () => number;
  /** A monotonic clock, in milliseconds. */
  monotonicNow: () => number;
}

const dayMs = 86_400_000;

/** Creates the retention. */
export function createAuditRetention(deps: AuditRetentionDeps): AuditRetention {
  const { journal, views, trail, coveredSize, sign, pruneCheckpoints, auditDays } = deps;
  const observe = createClockObservation(deps);
  return {
    observe: async () => void (await observe()),
    run: async ({ by, span }) => {
      const { now, confirmedMs } = await observe();
      if (confirmedMs !== undefined) {
        const hours = Math.ceil((confirmationMs - confirmedMs) / 3_600_000);
        const message = `the clock jumped to ${isoTime(now)}: no audit record is deleted until the hub has run for another ${hours} h`;
        throw new ClockJumpError(message);
      }
      const announce = async ({ firstSeq, records }: { firstSeq: number; records: number }): Promise<void> => {
        const fields = { agent_id: by.agentId, records, first_seq: firstSeq };
        const isRecorded = await trail.record({ event: { kind: 'change', name: 'AUDIT_PRUNED', fields }, by, span });
        if (!isRecorded) throw new Error('the deletion could not be recorded, so nothing was deleted');
        await sign();
      };
      const { records } = await journal.retire({
        before: now - auditDays * dayMs,
        coveredSize: coveredSize(),
        announce,
      });
      // The rows follow in the background; a worker that stops continues when it runs again.
      if (records > 0) void views.prune(journal.firstSeq()).catch(() => undefined);
      // Also without records: an earlier run may have failed here. The checkpoint over all deleted records, if any, stays.
      await pruneCheckpoints(journal.firstSeq() - 1);
      return records;
    },
  };
}

function createClockObservation({ database, retentionClockStore, now, monotonicNow }: AuditRetentionDeps) {
  let lastReadAt: number | undefined;
  return async (): Promise<{ now: number; confirmedMs: number | undefined }> => {
    const readAt = monotonicNow();
    const time = now();
    const elapsedMs = lastReadAt === undefined ? 0 : Math.round(readAt - lastReadAt);
    lastReadAt = readAt;
    const known = observeClock(await retentionClockStore.read(), { now: time, elapsedMs });
    await database.transaction((tx) => retentionClockStore.save(tx, known));
    return { now: time, confirmedMs: known.confirmedMs };
  };
}

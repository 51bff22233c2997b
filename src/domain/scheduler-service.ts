/** The state of the scheduler: its events, its status, and totals that survive a restart. */
import { ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../shapes/access.ts';
import type { EventFields } from '../shapes/event.ts';
import type { CleanupTotals, JobName, SchedulerStatus } from '../shapes/scheduler.ts';
import { isoTime } from '../shapes/time.ts';
import type { Database } from '../stores/database.ts';
import type { SchedulerStore } from '../stores/scheduler-store.ts';
import { spanNames } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AuditTrail } from './audit/trail.ts';

/** The result of a cleanup run. */
export interface FinishedRun {
  deletedCount: number;
  durationMs: number;
  failedParts: readonly string[];
  by: Caller;
  span: Span;
}

/** Records what the scheduler does, and reports its status. */
export interface SchedulerService {
  /** Records that the scheduler started. `nextRunTime` returns the time of the next cleanup. */
  started(nextRunTime: () => number | undefined): Promise<void>;
  /** Records that the scheduler stopped. */
  stopped(): Promise<void>;
  /** Adds a run to the totals and records it. Returns false if it could not be recorded. */
  finished(run: FinishedRun): Promise<boolean>;
  /** Remembers when a job succeeded, for the gauge of last successes. */
  succeeded(job: JobName): void;
  lastSuccess(): { job: JobName; time: number }[];
  status(): SchedulerStatus;
}

/** Dependencies of the service. */
export interface SchedulerServiceDeps {
  database: Database;
  schedulerStore: SchedulerStore;
  trail: AuditTrail;
  intervalHours: number;
  now: () => number;
}

/** Creates the service with the stored totals. @throws HestiaError STORAGE_FAILED */
export async function createSchedulerService(deps: SchedulerServiceDeps): Promise<SchedulerService> {
  const { schedulerStore, trail, intervalHours, now } = deps;
  let totals = await schedulerStore.totals();
  let isRunning = false;
  let nextRun: () => number | undefined = () => undefined;
  const successes = new Map<JobName, number>();
  if (totals.lastSuccessTime !== undefined) successes.set('cleanup', totals.lastSuccessTime);

  const record = (spanName: string, name: 'SCHEDULER_START' | 'SCHEDULER_STOP', fields: EventFields) =>
    inSpan(spanName, { parent: ROOT_CONTEXT }, (span) =>
      trail.record({ event: { kind: 'monitoring', name, failed: false, fields }, by: hubCaller, span }),
    );

  return {
    started: async (nextRunTime) => {
      isRunning = true;
      nextRun = nextRunTime;
      const fields = { interval_hours: intervalHours, next_run_time: isoTime(nextRunTime()) };
      await record(spanNames.schedulerStart, 'SCHEDULER_START', fields);
    },
    stopped: async () => {
      isRunning = false;
      nextRun = () => undefined;
      await record(spanNames.schedulerStop, 'SCHEDULER_STOP', totalFields(totals));
    },
    finished: async (run) => {
      const succeeded = run.failedParts.length === 0;
      totals = {
        totalCleanups: totals.totalCleanups + 1,
        totalDeleted: totals.totalDeleted + run.deletedCount,
        lastRunTime: now(),
        lastSuccessTime: succeeded ? now() : totals.lastSuccessTime,
      };
      if (succeeded) successes.set('cleanup', now());
      return recordRun(deps, run, totals);
    },
    succeeded: (job) => successes.set(job, now()),
    lastSuccess: () => [...successes].map(([job, time]) => ({ job, time })),
    status: () => ({ isRunning, intervalHours, nextRunTime: nextRun(), ...totals }),
  };
}

async function recordRun(
  { schedulerStore, trail }: SchedulerServiceDeps,
  run: FinishedRun,
  totals: CleanupTotals,
): Promise<boolean> {
  const { by, span } = run;
  const event =
    run.failedParts.length === 0
      ? ({
          kind: 'monitoring',
          name: 'SCHEDULER_CLEANUP_SUCCESS',
          failed: false,
          fields: { deleted_count: run.deletedCount, run_ms: run.durationMs, ...totalFields(totals) },
        } as const)
      : ({
          kind: 'monitoring',
          name: 'SCHEDULER_CLEANUP_FAILED',
          failed: true,
          fields: {
            error_type: 'cleanup_part_failed',
            failed_parts: run.failedParts.join(' '),
            deleted_count: run.deletedCount,
            run_ms: run.durationMs,
            total_cleanups_attempted: totals.totalCleanups,
          },
        } as const);
  try {
    await trail.commit({ event, by, span }, (tx) => schedulerStore.saveTotals(tx, totals));
    return true;
  } catch {
    // The run happened all the same, so it is recorded even if its totals cannot be stored.
    await trail.record({ event, by, span });
    return false;
  }
}

function totalFields(totals: CleanupTotals) {
  return {
    total_cleanups: totals.totalCleanups,
    total_deleted: totals.totalDeleted,
    last_run_time: isoTime(totals.lastRunTime),
  };
}

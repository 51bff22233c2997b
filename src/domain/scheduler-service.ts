/** What the scheduler did and does: its four events, and the totals that survive a restart. */
import { ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../shapes/access.ts';
import type { CleanupTotals, JobName, SchedulerStatus } from '../shapes/scheduler.ts';
import { isoTime } from '../shapes/time.ts';
import type { Database } from '../stores/database.ts';
import type { SchedulerStore } from '../stores/scheduler-store.ts';
import { spanNames } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AuditTrail } from './audit/trail.ts';

/** How a run ended. */
export interface FinishedRun {
  deletedCount: number;
  failedParts: readonly string[];
  by: Caller;
  span: Span;
}

/** The record. */
export interface SchedulerService {
  started(nextRunTime: () => number | undefined): Promise<void>;
  stopped(): Promise<void>;
  /** Adds a run to the totals and tells of it; false where that could not be written. */
  finished(run: FinishedRun): Promise<boolean>;
  /** Notes that a job succeeded, for the gauge of last successes. */
  succeeded(job: JobName): void;
  lastSuccess(): { job: JobName; time: number }[];
  status(): SchedulerStatus;
}

/** What the record is made of. */
export interface SchedulerServiceDeps {
  database: Database;
  schedulerStore: SchedulerStore;
  trail: AuditTrail;
  intervalHours: number;
  now: () => number;
}

/** Makes the record from the stored totals. */
export async function createSchedulerService(deps: SchedulerServiceDeps): Promise<SchedulerService> {
  const { schedulerStore, trail, intervalHours, now } = deps;
  let totals = await schedulerStore.totals();
  let isRunning = false;
  let nextRun: () => number | undefined = () => undefined;
  const successes = new Map<JobName, number>();
  if (totals.lastSuccessTime !== undefined) successes.set('cleanup', totals.lastSuccessTime);

  const tell = (
    span: Span,
    by: Caller,
    name: 'SCHEDULER_START' | 'SCHEDULER_STOP',
    fields: Record<string, string | number | undefined>,
  ) => trail.record({ event: { kind: 'monitoring', name, failed: false, fields }, by, span });

  return {
    started: async (nextRunTime) => {
      isRunning = true;
      nextRun = nextRunTime;
      const fields = { interval_hours: intervalHours, next_run_time: isoTime(nextRunTime()) };
      await inSpan(spanNames.schedulerStart, { parent: ROOT_CONTEXT }, (span) =>
        tell(span, hubCaller, 'SCHEDULER_START', fields),
      );
    },
    stopped: async () => {
      isRunning = false;
      nextRun = () => undefined;
      await inSpan(spanNames.schedulerStop, { parent: ROOT_CONTEXT }, (span) =>
        tell(span, hubCaller, 'SCHEDULER_STOP', totalFields(totals)),
      );
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
      return writeRun(deps, run, totals);
    },
    succeeded: (job) => successes.set(job, now()),
    lastSuccess: () => [...successes].map(([job, time]) => ({ job, time })),
    status: () => ({ isRunning, intervalHours, nextRunTime: nextRun(), ...totals }),
  };
}

async function writeRun(
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
          fields: { deleted_count: run.deletedCount, ...totalFields(totals) },
        } as const)
      : ({
          kind: 'monitoring',
          name: 'SCHEDULER_CLEANUP_FAILED',
          failed: true,
          fields: {
            error_type: 'cleanup_part_failed',
            failed_parts: run.failedParts.join(' '),
            total_cleanups_attempted: totals.totalCleanups,
          },
        } as const);
  return trail.record({ event, by, span }, (tx) => schedulerStore.saveTotals(tx, totals));
}

function totalFields(totals: CleanupTotals) {
  return {
    total_cleanups: totals.totalCleanups,
    total_deleted: totals.totalDeleted,
    last_run_time: isoTime(totals.lastRunTime),
  };
}

/** The store of the scheduler's totals, which survive a restart. */
import { type CleanupTotals, cleanupTotalsSchema } from '../shapes/scheduler.ts';
import type { Database, Transaction } from './database.ts';

/** Reads and writes the totals. Both methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SchedulerStore {
  /** Zeros before the first {@link SchedulerStore.saveTotals}. */
  totals(): Promise<CleanupTotals>;
  saveTotals(tx: Transaction, totals: CleanupTotals): Promise<void>;
}

/** Creates the store of scheduler totals in `database`. */
export function createSchedulerStore(database: Database): SchedulerStore {
  const read = database.query(
    `SELECT total_cleanups AS totalCleanups, total_deleted AS totalDeleted, last_run_time AS lastRunTime,
       last_success_time AS lastSuccessTime
     FROM scheduler_totals`,
    cleanupTotalsSchema,
  );
  const save = database.command(
    `UPDATE scheduler_totals
     SET total_cleanups = :totalCleanups, total_deleted = :totalDeleted, last_run_time = :lastRunTime,
       last_success_time = :lastSuccessTime`,
  );
  return {
    totals: async () => read.first() ?? noTotals,
    async saveTotals(tx, totals) {
      save.run(tx, { ...totals });
    },
  };
}

const noTotals: CleanupTotals = { totalCleanups: 0, totalDeleted: 0 };

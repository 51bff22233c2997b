/** Totals of the scheduler, kept over a restart. */
import { z } from 'zod';
import type { CleanupTotals } from '../shapes/scheduler.ts';
import type { Database, Transaction } from './database.ts';
import { optionalColumn } from './statement.ts';

/** Reads and writes the totals. Both methods throw HestiaError STORAGE_FAILED where the database fails. */
export interface SchedulerStore {
  /** Zeros before the first {@link SchedulerStore.saveTotals}. */
  totals(): Promise<CleanupTotals>;
  saveTotals(tx: Transaction, totals: CleanupTotals): Promise<void>;
}

/** Makes the store of scheduler totals in `database`. */
export function createSchedulerStore(database: Database): SchedulerStore {
  const read = database.query(
    `SELECT total_cleanups AS totalCleanups, total_deleted AS totalDeleted, last_run_time AS lastRunTime
     FROM scheduler_totals`,
    totalsSchema,
  );
  const save = database.command(
    `UPDATE scheduler_totals
     SET total_cleanups = :totalCleanups, total_deleted = :totalDeleted, last_run_time = :lastRunTime`,
  );
  return {
    totals: async () => read.first() ?? { totalCleanups: 0, totalDeleted: 0, lastRunTime: undefined },
    async saveTotals(tx, { totalCleanups, totalDeleted, lastRunTime }) {
      save.run(tx, { totalCleanups, totalDeleted, lastRunTime });
    },
  };
}

const totalsSchema = z.object({
  totalCleanups: z.int(),
  totalDeleted: z.int(),
  lastRunTime: optionalColumn(z.number()),
});

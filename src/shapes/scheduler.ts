/** The scheduler's status and what one cleanup run did. Times are Unix milliseconds. */
import { z } from 'zod';

/** What a cleanup deletes, by kind: rows of outcomes, searches and audit records past retention, activations past their time. */
export const cleanupKindSchema = z.enum(['outcomes', 'audit_records', 'activations', 'searches']);
export type CleanupKind = z.infer<typeof cleanupKindSchema>;

/** Jobs of the schedule table. */
export const jobNameSchema = z.enum(['cleanup', 'expiration', 'skill_sync', 'key_use', 'audit_verify']);
export type JobName = z.infer<typeof jobNameSchema>;

/** Totals that survive a restart. */
export interface CleanupTotals {
  totalCleanups: number;
  totalDeleted: number;
  lastRunTime: number | undefined;
  /** Of a run none of whose parts failed. */
  lastSuccessTime: number | undefined;
}

/** What `get_scheduler_status` answers. */
export interface SchedulerStatus extends CleanupTotals {
  isRunning: boolean;
  intervalHours: number;
  nextRunTime: number | undefined;
}

/** What one run deleted; `failedParts` names the parts that failed while the others went on. */
export interface CleanupReport {
  deleted: Record<CleanupKind, number>;
  deletedCount: number;
  failedParts: string[];
  durationMs: number;
}

/** The status of the cleanup scheduler, and the report of one cleanup. */
import { z } from 'zod';
import { isoTime, isoTimeSchema } from './time.ts';

/** What a cleanup deletes: searches and audit records past their retention, and expired activations. */
export const cleanupKindSchema = z.enum(['audit_records', 'activations', 'searches', 'skill_versions']);
export type CleanupKind = z.infer<typeof cleanupKindSchema>;

/** Jobs of the schedule table. */
export const jobNameSchema = z.enum(['cleanup', 'expiration', 'skill_sync', 'key_use', 'audit_verify']);
export type JobName = z.infer<typeof jobNameSchema>;

/** The status of the scheduler. Times are Unix milliseconds; `lastSuccessTime` is of the last run without a failed part. */
export const schedulerStatusSchema = z.object({
  isRunning: z.boolean(),
  intervalHours: z.number(),
  lastRunTime: z.number().optional(),
  lastSuccessTime: z.number().optional(),
  nextRunTime: z.number().optional(),
  totalCleanups: z.int(),
  totalDeleted: z.int(),
});
export type SchedulerStatus = z.infer<typeof schedulerStatusSchema>;

/** The totals of the status, which survive a restart. */
export const cleanupTotalsSchema = schedulerStatusSchema.pick({
  totalCleanups: true,
  totalDeleted: true,
  lastRunTime: true,
  lastSuccessTime: true,
});
export type CleanupTotals = z.infer<typeof cleanupTotalsSchema>;

/** The report of one cleanup. `failedParts` names the parts that failed; the other parts ran. */
export const cleanupReportSchema = z
  .object({
    deletedCount: z.int(),
    deleted: z.record(cleanupKindSchema, z.int()),
    failedParts: z.array(z.string()),
    durationMs: z.number(),
  })
  .meta({ id: 'CleanupReport' });
export type CleanupReport = z.infer<typeof cleanupReportSchema>;

/** The status in an answer. */
export const schedulerViewSchema = schedulerStatusSchema
  .extend({
    lastRunTime: isoTimeSchema.optional(),
    lastSuccessTime: isoTimeSchema.optional(),
    nextRunTime: isoTimeSchema.optional(),
  })
  .meta({ id: 'SchedulerStatus' });

/** The view of the status. */
export function schedulerView(status: SchedulerStatus): z.infer<typeof schedulerViewSchema> {
  return schedulerViewSchema.parse({
    ...status,
    lastRunTime: isoTime(status.lastRunTime),
    lastSuccessTime: isoTime(status.lastSuccessTime),
    nextRunTime: isoTime(status.nextRunTime),
  });
}

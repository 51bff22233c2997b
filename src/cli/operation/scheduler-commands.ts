/** `hestia scheduler`: its status, past cleanups, and a cleanup now. */
import type { Command } from 'commander';
import { type AuditRecord, auditRecordSchema } from '../../shapes/audit.ts';
import { pageSchema } from '../../shapes/page.ts';
import { cleanupReportSchema, schedulerViewSchema } from '../../shapes/scheduler.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { wholeNumber } from '../command-options.ts';
import { relativeTime } from '../terminal/relative-time.ts';

const runsMax = 200;

/** Adds the commands below `scheduler`. */
export function addSchedulerCommands(program: Command, context: CommandContext): void {
  const scheduler = program.command('scheduler').description('read the scheduler, and run a cleanup');
  addStatus(scheduler, context);
  addRuns(scheduler, context);
  withHubOptions(scheduler.command('run'), context)
    .description('run a cleanup now; fails if a part of it failed')
    .action(async (options: HubOptions) => {
      const request = { method: 'POST', signal: context.signal } as const;
      const report = await hubOf(options).request('/v1/scheduler/run', cleanupReportSchema, request);
      const { deletedCount, deleted, failedParts, durationMs } = report;
      const kinds = Object.entries(deleted).map(([kind, count]) => `  ${count} ${kind.replaceAll('_', ' ')}`);
      context.output.record(report, [`deleted ${deletedCount} in ${durationMs.toFixed(0)} ms`, ...kinds]);
      if (failedParts.length > 0) throw new CommandError(exitCodes.failed, `failed: ${failedParts.join(', ')}`);
    });
}

function addStatus(scheduler: Command, context: CommandContext): void {
  withHubOptions(scheduler.command('status'), context)
    .description('show whether the scheduler runs, and its last and next cleanup')
    .action(async (options: HubOptions) => {
      const status = await hubOf(options).request('/v1/scheduler', schedulerViewSchema, { signal: context.signal });
      const { isRunning, intervalHours, lastRunTime, nextRunTime, totalCleanups, totalDeleted } = status;
      context.output.record(status, [
        isRunning ? `runs every ${intervalHours} h` : 'does not run: scheduler.enabled is false',
        `last cleanup ${relativeTime(lastRunTime) ?? 'none yet'}, next ${relativeTime(nextRunTime) ?? 'not planned'}`,
        `${totalCleanups} cleanups deleted ${totalDeleted}`,
      ]);
    });
}

function addRuns(scheduler: Command, context: CommandContext): void {
  withHubOptions(scheduler.command('runs'), context)
    .description('list past cleanups, newest first, from the audit trail')
    .option('--limit <count>', 'how many at most', wholeNumber(1, runsMax), 20)
    .action(async ({ limit, ...options }: HubOptions & { limit: number }) => {
      const hub = hubOf(options);
      const read = async (event: string) => {
        const query = new URLSearchParams({ event, order: 'newest', limit: String(limit) });
        const page = pageSchema(auditRecordSchema.loose());
        return (await hub.request(`/v1/audit/events?${query}`, page, { signal: context.signal })).items;
      };
      const found = (await Promise.all(['SCHEDULER_CLEANUP_SUCCESS', 'SCHEDULER_CLEANUP_FAILED'].map(read))).flat();
      const newest = found.toSorted((left, right) => right.seq - left.seq).slice(0, limit);
      context.output.table(newest, columns, 'no cleanup has run yet');
    });
}

const columns = [
  { title: 'TIME', cell: ({ time }: AuditRecord) => time.replace('T', ' ').replace(/\.\d+Z$/, 'Z') },
  { title: 'AGO', cell: ({ time }: AuditRecord) => relativeTime(time) },
  { title: 'RESULT', cell: ({ outcome }: AuditRecord) => outcome },
  { title: 'DELETED', cell: ({ fields }: AuditRecord) => Number(fields.deleted_count ?? 0) },
  { title: 'TOOK', cell: ({ fields }: AuditRecord) => tookText(fields.run_ms) },
  { title: 'BY', cell: ({ agent_id: agentId }: AuditRecord) => agentId },
  { title: 'FAILURE', cell: ({ fields }: AuditRecord) => fields.error_type?.toString(), isText: true },
];

/** How long a cleanup took; nothing for one that was recorded before the hub recorded that. */
function tookText(runMs: unknown): string {
  return typeof runMs === 'number' ? `${runMs.toFixed(0)} ms` : '';
}

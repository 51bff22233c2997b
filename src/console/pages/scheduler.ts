/** The page of the scheduler: its state, a cleanup now, and past cleanups. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { AuditService } from '../../domain/audit-service.ts';
import type { Cleanup } from '../../domain/cleanup.ts';
import { hubCaller } from '../../shapes/access.ts';
import type { AuditRecord } from '../../shapes/audit.ts';
import type { MonitoringEvent } from '../../shapes/event.ts';
import { decodeNumberCursor } from '../../shapes/page.ts';
import type { SchedulerStatus } from '../../shapes/scheduler.ts';
import type { PageContext } from '../layout.ts';
import {
  choicesOf,
  cursorOf,
  type Filter,
  filterForm,
  givenChoice,
  givenPeriod,
  listTable,
  periodFilters,
} from '../list.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, duration, facts, outcomeBadge, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** Dependencies of the page. */
export interface SchedulerPagesDeps {
  cleanup: Cleanup;
  audit: AuditService;
}

const pageSize = 25;

/** The routes below `/console/scheduler`. */
export function schedulerPages({ cleanup, audit }: SchedulerPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/scheduler', async (c) => {
    const context = c.var.page;
    const { caller } = context;
    const status = await cleanup.status(caller);
    const runs = caller.role === 'agent' ? undefined : await pastRuns(audit, context);
    const content = html`${state(status, context)}
      ${caller.role === 'operator' && actionForm(context, { action: '/console/scheduler/run', button: 'Clean up now' })}
      <h2>Past runs</h2>
      ${runs === undefined ? html`<p class="hint">Auditors and operators see them here.</p>` : runsPart(runs, status, context)}`;
    return show(c, {
      title: 'Scheduler',
      about: 'What the hub deletes by itself, and when: data past its retention, and activations past their end.',
      content,
    });
  });
  router.post('/console/scheduler/run', async (c) => {
    await cleanup.runNow(c.var.page.caller);
    return c.redirect('/console/scheduler', 303);
  });
  return router;
}

function state(status: SchedulerStatus, { now }: PageContext): Markup {
  return facts([
    ['State', status.isRunning ? badge('running', 'good') : badge('stopped', 'bad')],
    ['Interval', `${status.intervalHours} h`],
    ['Next run', time(status.nextRunTime, now)],
    ['Last run', time(status.lastRunTime, now) ?? 'none yet'],
    ['Last success', time(status.lastSuccessTime, now) ?? 'none yet'],
    ['Cleanups', status.totalCleanups],
    ['Deleted', status.totalDeleted],
  ]);
}

/** The events of runs, by their result. */
const events = { success: 'SCHEDULER_CLEANUP_SUCCESS', failed: 'SCHEDULER_CLEANUP_FAILED' } as const satisfies Record<
  string,
  MonitoringEvent
>;
const resultSchema = z.enum(['success', 'failed']);
const filters: readonly Filter[] = [
  { name: 'result', label: 'Result', choices: choicesOf(resultSchema.options) },
  ...periodFilters,
];

/** The newest runs of a page. Each result is read by its own index. */
async function pastRuns(audit: AuditService, context: PageContext): Promise<AuditRecord[]> {
  const result = givenChoice(context, 'result', resultSchema);
  const page = { ...givenPeriod(context), after: decodeNumberCursor(cursorOf(context)), limit: pageSize };
  const results = result === undefined ? resultSchema.options : [result];
  const lists = await Promise.all(
    results.map((each) => audit.list(context.caller, { ...page, order: 'newest', event: events[each] })),
  );
  return lists
    .flat()
    .toSorted((a, b) => b.seq - a.seq)
    .slice(0, pageSize);
}

function runsPart(rows: readonly AuditRecord[], { nextRunTime }: SchedulerStatus, context: PageContext): Markup {
  const empty = html`No cleanup has run yet. ${
    nextRunTime === undefined
      ? html`The scheduler is off (<code>scheduler.enabled</code>); an operator can clean up now.`
      : html`The next one is ${time(nextRunTime, context.now)}, and will be listed here.`
  }`;
  return html`${filterForm(context, filters)}${listTable(context, {
    rows,
    pageSize,
    position: ({ seq }) => seq,
    columns: columns(context),
    empty,
    noun: 'run',
    filters,
    more: 'Older',
  })}`;
}

function columns({ now }: PageContext) {
  return [
    {
      title: 'Time',
      cell: (run: AuditRecord) => html`<a href="/console/activity/${run.seq}">${time(Date.parse(run.time), now)}</a>`,
    },
    { title: 'Result', cell: ({ outcome }: AuditRecord) => outcomeBadge(outcome) },
    { title: 'Deleted', cell: ({ fields }: AuditRecord) => numberOf(fields.deleted_count), isNumber: true },
    { title: 'Took', cell: ({ fields }: AuditRecord) => duration(numberOf(fields.run_ms)), isNumber: true },
    {
      title: 'By',
      cell: ({ agent_id: agentId }: AuditRecord) => (agentId === hubCaller.agentId ? 'schedule' : agentId),
    },
    { title: 'Failed parts', cell: ({ fields }: AuditRecord) => failedParts(fields.failed_parts), isText: true },
  ];
}

/** A figure of a record; undefined for a record of an earlier version that lacks it. */
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function failedParts(parts: unknown): Shown {
  return (
    typeof parts === 'string' &&
    html`${parts}. <span class="hint">The log has the cause; the next run tries again.</span>`
  );
}

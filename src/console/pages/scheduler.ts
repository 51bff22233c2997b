/** The page of the scheduler: what it did, when it runs next, and a cleanup now. */
import { Hono } from 'hono';
import type { Cleanup } from '../../domain/cleanup.ts';
import { html } from '../markup.ts';
import { actionForm, badge, facts, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** Dependencies of the page. */
export interface SchedulerPagesDeps {
  cleanup: Cleanup;
}

/** The routes below `/console/scheduler`. */
export function schedulerPages({ cleanup }: SchedulerPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/scheduler', async (c) => {
    const context = c.var.page;
    const { now, caller } = context;
    const status = await cleanup.status(caller);
    const content = html`${facts([
      ['State', status.isRunning ? badge('running', 'good') : badge('stopped', 'bad')],
      ['Interval', `${status.intervalHours} h`],
      ['Next run', time(status.nextRunTime, now)],
      ['Last run', time(status.lastRunTime, now) ?? 'none yet'],
      ['Last success', time(status.lastSuccessTime, now) ?? 'none yet'],
      ['Cleanups', status.totalCleanups],
      ['Deleted', status.totalDeleted],
    ])}
      ${caller.role !== 'agent' && html`<p><a href="/console/activity?event=SCHEDULER_CLEANUP_SUCCESS&amp;order=newest">Past runs</a></p>`}
      ${caller.role === 'operator' && actionForm(context, { action: '/console/scheduler/run', button: 'Clean up now' })}`;
    return show(c, { title: 'Scheduler', about: 'What the hub deletes by itself, and when.', content });
  });
  router.post('/console/scheduler/run', async (c) => {
    await cleanup.runNow(c.var.page.caller);
    return c.redirect('/console/scheduler', 303);
  });
  return router;
}

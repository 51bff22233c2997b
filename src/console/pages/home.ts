/** The home page: whether the hub is well, what happened in the last hour, and the first steps. It updates itself. */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { HubStatus, HubStatusReport, LastHour } from '../../domain/hub-status.ts';
import type { ServerService } from '../../domain/server-service.ts';
import type { Caller } from '../../shapes/access.ts';
import type { ServerStatus } from '../../shapes/server.ts';
import type { PageContext } from '../layout.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import { badge, duration, emptyState, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { clientSetup } from './client-setup.ts';
import { createSharedReads } from './shared-reads.ts';

/** Dependencies of the page. */
export interface HomePagesDeps {
  hubStatus: HubStatus;
  servers: ServerService;
}

/** How often an open page is updated, in milliseconds. */
const liveMs = 2000;

/** The routes `/` and `/console/live`. */
export function homePages({ hubStatus, servers }: HomePagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  // Readers who see the same share one reading, so that ten open pages cost as much as one.
  const read = createSharedReads<Home>(liveMs / 2, async (caller) => {
    const [status, lastHour, list] = await Promise.all([
      hubStatus.read(caller),
      hubStatus.lastHour(caller),
      servers.list(caller),
    ]);
    return { status, lastHour, servers: list };
  });
  router.get('/', async (c) => {
    const context = c.var.page;
    const home = await read(context.caller);
    const content = html`<div id="live" hx-sse:connect="/console/live" hx-swap="innerHTML">${overview(home, context)}</div>
      ${firstSteps(home, context)}`;
    return show(c, {
      title: 'Home',
      about: 'Is the hub well, and what did agents do in the last hour?',
      content,
      scripts: ['uplot.js', 'chart.js'],
    });
  });
  router.get('/console/live', (c) => {
    const { caller } = c.var.page;
    return streamSSE(c, async (stream) => {
      let shown = '';
      while (!stream.aborted && caller.ended?.aborted !== true) {
        await stream.sleep(liveMs);
        const next = String(await overview(await read(caller), { ...c.var.page, now: Date.now() }));
        if (next !== shown) await stream.writeSSE({ data: next });
        shown = next;
      }
    });
  });
  return router;
}

interface Home {
  status: HubStatusReport;
  lastHour: LastHour;
  servers: readonly ServerStatus[];
}

function overview({ status, lastHour, servers }: Home, { caller, now }: Pick<PageContext, 'caller' | 'now'>): Markup {
  const { outcomes, latencyMsP50, latencyMsP95, minutes } = lastHour.calls;
  const failed = outcomes.error + outcomes.timeout + outcomes.abandoned;
  const { scheduler } = status;
  const disconnected = servers.filter(({ state }) => state !== 'connected');
  return html`<section class="tiles" aria-label="State">
      ${tile('Servers', `${status.serversConnected} of ${status.serversTotal}`, disconnected.length === 0 ? 'all connected' : html`${disconnected.map(({ serverId, state }) => html`<span class="line">${serverId} ${badge(state, 'warning')}</span>`)}`, disconnected.length === 0 ? 'good' : 'warning')}
      ${tile('Calls, last hour', outcomes.success + failed, `${outcomes.success} succeeded, ${outcomes.error} failed, ${outcomes.timeout} timed out, ${outcomes.abandoned} abandoned`, failed === 0 ? 'good' : 'warning')}
      ${tile('Latency, last hour', duration(latencyMsP50) ?? 'no calls', latencyMsP95 !== undefined && `median; 95 % within ${duration(latencyMsP95) ?? ''}`)}
      ${tile('Missing records', status.auditGap, status.auditGap === 0 ? 'every event is on record since the start' : 'events without an audit record since the start', status.auditGap === 0 ? 'good' : 'bad')}
      ${tile('Scheduler', scheduler.isRunning ? 'running' : 'stopped', html`${scheduler.totalCleanups} cleanups${scheduler.nextRunTime !== undefined && html`; next ${time(scheduler.nextRunTime, now)}`}`, scheduler.isRunning ? 'good' : 'bad')}
      ${tile('Tools', status.toolsCount, `${status.skillsActive} of them active skills`)}
    </section>
    <section class="split">
      <figure class="chart" data-chart="calls" data-minutes="${JSON.stringify(chartSeries(minutes))}">
        <figcaption>Calls by minute, and their latency in milliseconds (95th percentile)</figcaption>
      </figure>
      <div>
        <h2>Events, last hour</h2>
        ${events(lastHour, caller)}
      </div>
    </section>`;
}

function events({ events: counts }: LastHour, { role }: Caller): Markup {
  if (counts.length === 0) return emptyState('No skill was activated, no request refused and nothing changed.');
  const name = (event: string) =>
    role === 'agent' ? event : html`<a href="/console/activity?event=${event}&amp;since=1h">${event}</a>`;
  return html`<ul class="counts">${counts.map(({ event, count }) => html`<li><span>${name(event)}</span> <strong>${count}</strong></li>`)}</ul>`;
}

function tile(name: string, value: Shown, more: Shown, tone = 'neutral'): Markup {
  return html`<article class="tile ${tone}"><h2>${name}</h2><p class="value">${value}</p><p class="more">${more}</p></article>`;
}

/** Columns for the chart: Unix seconds, then a list for each series. */
function chartSeries(minutes: LastHour['calls']['minutes']) {
  const failed = ({ outcomes }: (typeof minutes)[number]) => outcomes.error + outcomes.timeout + outcomes.abandoned;
  return {
    time: minutes.map(({ time: start }) => start / 1000),
    success: minutes.map(({ outcomes }) => outcomes.success),
    failed: minutes.map(failed),
    latency: minutes.map(({ latencyMsP95 }) => (latencyMsP95 === undefined ? null : Number(latencyMsP95.toFixed(1)))),
  };
}

/** The first steps of a new hub; nothing once all are done. */
function firstSteps({ status, lastHour }: Home, { caller, url }: PageContext): Shown {
  const { outcomes } = lastHour.calls;
  const called = outcomes.success + outcomes.error + outcomes.timeout + outcomes.abandoned > 0;
  const steps = [
    {
      done: status.serversTotal > 0,
      title: 'Add a server',
      text: html`Paste the configuration of any MCP client on <a href="/console/servers">Servers</a>.`,
    },
    {
      done: status.skillsActive > 0,
      title: 'Activate a skill',
      text: html`Publish one with <code>hestia skills publish</code>, and activate it on <a href="/console/skills">Skills</a>.`,
    },
    { done: called, title: 'Connect a client', text: clientSetup(url, caller) },
  ];
  if (steps.every(({ done }) => done)) return undefined;
  return html`<section><h2>First steps</h2><ol class="steps">
    ${steps.map(({ done, title, text }) => html`<li class="${done ? 'done' : 'open'}"><h3>${title}${done && html` ${badge('done', 'good')}`}</h3>${!done && html`<div>${text}</div>`}</li>`)}
  </ol></section>`;
}

/** The home page: whether the hub is well, what happened in the last hour, and the first steps. It updates itself. */
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { AccessService } from '../../domain/access-service.ts';
import type { HubStatus, HubStatusReport, LastHour } from '../../domain/hub-status.ts';
import type { ServerService } from '../../domain/server-service.ts';
import type { Caller } from '../../shapes/access.ts';
import type { ServerStatus } from '../../shapes/server.ts';
import type { PageContext } from '../layout.ts';
import type { ConsoleLinks } from '../links.ts';
import { html, type Markup } from '../markup.ts';
import { badge, duration, emptyState, firstOf, tile, time } from '../parts.ts';
import { type ConsoleEnv, reportSignedOut, sessionToken, show } from '../session.ts';
import { createSharedReads } from './shared-reads.ts';

/** Dependencies of the page. */
export interface HomePagesDeps {
  hubStatus: HubStatus;
  servers: ServerService;
  access: Pick<AccessService, 'signIn'>;
  links: ConsoleLinks;
}

/** How often an open page is updated, in milliseconds. */
const liveMs = 1000;

/** The most servers that are named as not connected. */
const disconnectedMax = 5;

/** The routes `/` and `/console/live`. */
export function homePages({ hubStatus, servers, access, links }: HomePagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  const read = async (caller: Caller): Promise<Home> => {
    const [status, lastHour, list] = await Promise.all([
      hubStatus.read(caller),
      hubStatus.lastHour(caller),
      servers.list(caller),
    ]);
    return { status, lastHour, servers: list };
  };
  // Readers who see the same share one update, so that ten open pages cost as much as one.
  const draw = async (caller: Caller, withSteps: boolean) => {
    const home = await read(caller);
    const context = { caller, now: Date.now() };
    return String(await html`${overview(home, context)}${withSteps && firstSteps(home, caller)}`);
  };
  const drawn = createSharedReads(liveMs, (caller) => draw(caller, false));
  const drawnWithSteps = createSharedReads(liveMs, (caller) => draw(caller, true));
  router.get('/', async (c) => {
    const context = c.var.page;
    const home = await read(context.caller);
    // Steps that were open stay on the page when they are done, so that the reader sees that they are.
    const withSteps = !stepsOf(home, context.caller).every(({ done }) => done);
    const content = html`<div id="live" hx-sse:connect="/console/live${withSteps && '?steps=true'}" hx-sse:close="signed-out" hx-swap="innerHTML">${overview(home, context)}${withSteps && firstSteps(home, context.caller)}</div>
      ${links.board !== undefined && html`<p><a class="button quiet" href="${links.board}" rel="noopener">Boards in Grafana</a></p>`}`;
    return show(c, {
      title: 'Home',
      about: 'Is the hub well, and what did agents do in the last hour?',
      content,
      scripts: ['htmx.js', 'uplot.js', 'chart.js'],
    });
  });
  router.get('/console/live', (c) => {
    const next = c.req.query('steps') === 'true' ? drawnWithSteps : drawn;
    return follow(c, () => next(c.var.page.caller), access.signIn);
  });
  return router;
}

/** Sends what a page shows to it, each time that it has changed, until the session of its reader ends. */
function follow(c: Context<ConsoleEnv>, next: () => Promise<string>, signIn: AccessService['signIn']): Response {
  const token = sessionToken(c) ?? '';
  return streamSSE(c, async (stream) => {
    let shown = '';
    while (!stream.aborted && (await signIn.isOpen(token))) {
      await stream.sleep(liveMs);
      const data = await next();
      if (data !== shown) await stream.writeSSE({ data });
      shown = data;
    }
    if (!stream.aborted) await reportSignedOut(stream);
  });
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
      ${tile('Servers', `${status.serversConnected} of ${status.serversTotal}`, disconnected.length === 0 ? 'all connected' : firstOf(disconnected, disconnectedMax, ({ serverId, state }) => html`<span class="line"><a href="/console/servers/${encodeURIComponent(serverId)}">${serverId}</a> ${badge(state, 'warning')}</span>`), disconnected.length === 0 ? 'good' : 'warning')}
      ${tile('Calls, last hour', outcomes.success + failed, `${outcomes.success} succeeded, ${outcomes.error} failed, ${outcomes.timeout} timed out, ${outcomes.abandoned} abandoned`, failed === 0 ? 'good' : 'warning')}
      ${tile('Latency, last hour', duration(latencyMsP50) ?? 'no calls', latencyMsP95 !== undefined && `median; 95 % within ${duration(latencyMsP95) ?? ''}`)}
      ${tile('Missing records', status.auditGap, status.auditGap === 0 ? 'every event is on record since the start' : 'events without an audit record since the start', status.auditGap === 0 ? 'good' : 'bad')}
      ${tile('Scheduler', scheduler.isRunning ? 'running' : 'stopped', html`${scheduler.totalCleanups} ${scheduler.totalCleanups === 1 ? 'cleanup' : 'cleanups'}${scheduler.nextRunTime !== undefined && html`; next ${time(scheduler.nextRunTime, now)}`}`, scheduler.isRunning ? 'good' : 'bad')}
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

interface Step {
  done: boolean;
  title: string;
  text: Markup;
}

/** The first steps of a new hub. */
function stepsOf({ status, lastHour }: Home, { role }: Caller): Step[] {
  const operator = (text: Markup) => (role === 'operator' ? text : html`An operator does this.`);
  return [
    {
      done: status.serversTotal > 0,
      title: 'Add a server',
      text: operator(html`Paste the configuration of any MCP client on <a href="/console/servers">Servers</a>.`),
    },
    {
      done: status.skillsActive > 0,
      title: 'Activate a skill',
      text: html`Publish one on <a href="/console/skills">Skills</a>, and activate it there.`,
    },
    {
      done: lastHour.hasCalls,
      title: 'Connect a client',
      text: html`<a href="/console/connect">Connect</a> has the configurations of Claude Code, VS Code and others. This step is done with the first call.`,
    },
  ];
}

function firstSteps(home: Home, caller: Caller): Markup {
  const mark = (done: boolean) => (done ? badge('done', 'good') : badge('open', 'neutral'));
  return html`<section aria-label="First steps"><h2>First steps</h2><ol class="first-steps">
    ${stepsOf(home, caller).map(({ done, title, text }) => html`<li class="card ${done ? 'done' : 'open'}"><h3>${title} ${mark(done)}</h3><p>${text}</p></li>`)}
  </ol></section>`;
}

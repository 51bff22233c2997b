/** The page of the quarantine: what the content scan stopped, the passages, and the decision. */
import { Hono } from 'hono';
import type { QuarantineService } from '../../domain/quarantine-service.ts';
import { decodeNumberCursor, encodeCursor } from '../../shapes/page.ts';
import {
  type FieldChange,
  type QuarantineEntry,
  quarantineOrigin,
  quarantineStateSchema,
} from '../../shapes/quarantine.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import type { PageContext } from '../layout.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, choice, emptyState, facts, nextPage, type Tone, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** Dependencies of the page. */
export interface QuarantinePagesDeps {
  quarantine: QuarantineService;
}

const pageSize = 20;

/** The routes below `/console/quarantine`. */
export function quarantinePages({ quarantine }: QuarantinePagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/quarantine', async (c) => {
    const context = c.var.page;
    const state = quarantineStateSchema.safeParse(c.req.query('state')).data;
    const before = decodeNumberCursor(c.req.query('cursor'));
    const found = await quarantine.list(context.caller, { limit: pageSize, state, before });
    const filter = html`<form method="get" class="filters"><label for="state">State</label>
      ${choice('state', quarantineStateSchema.options, { none: 'all', selected: state })}<button class="quiet">Show</button></form>`;
    const last = found.at(-1);
    const content = html`${filter}
      ${found.length === 0 ? emptyState('Nothing is in quarantine. What the content scan finds in skills and tool definitions would be here.') : found.map((entry) => entryPart(entry, context))}
      ${nextPage(context, found.length === pageSize && last !== undefined ? encodeCursor(last.seq) : undefined)}`;
    const about =
      'Skills and tools whose texts read like an attack, or whose definitions changed. An approval is for one content only.';
    return show(c, { title: 'Quarantine', about, content });
  });
  router.post('/console/quarantine/:id/approve', async (c) => {
    await quarantine.approve(c.var.page.caller, c.req.param('id'));
    return c.redirect('/console/quarantine', 303);
  });
  return router;
}

const tones: Record<QuarantineEntry['state'], Tone> = {
  blocked: 'bad',
  held: 'warning',
  noted: 'neutral',
  approved: 'good',
};

function entryPart(entry: QuarantineEntry, context: PageContext): Markup {
  const { quarantineId, kind, name, state, findings, changes, digest } = entry;
  const origin = quarantineOrigin(entry);
  const isOpen = state === 'blocked' || state === 'held';
  return html`<article class="card" id="${quarantineId}">
    <h2>${kind} ${name} ${badge(state, tones[state])}</h2>
    ${facts([
      ['serverId' in origin ? 'Server' : 'Namespace', 'serverId' in origin ? origin.serverId : origin.namespace],
      ['Found', time(entry.createdAt, context.now)],
      ['Decided', entry.decidedAt !== undefined && html`${time(entry.decidedAt, context.now)} by ${entry.decidedBy}`],
      ['Content', html`<code title="SHA-256 of the content">${digest.slice(0, 16)}…</code>`],
    ])}
    ${findings.map(findingPart)} ${changesPart(changes)}
    ${isOpen && context.caller.role === 'operator' && actionForm(context, { action: `/console/quarantine/${quarantineId}/approve`, button: 'Approve this content' })}
  </article>`;
}

function findingPart({ ruleId, severity, part, line, why, evidence }: ScanFinding): Markup {
  return html`<div class="finding"><p>${badge(severity, severity === 'low' ? 'neutral' : severity === 'medium' ? 'warning' : 'bad')} ${why} <span class="hint">${part}, line ${line}, rule ${ruleId}</span></p><pre>${evidence}</pre></div>`;
}

function changesPart(changes: readonly FieldChange[]): Shown {
  return changes.map(
    ({ field, before, after }) => html`<div class="difference"><p>${field}</p>
      <pre class="before">${before ?? '(absent)'}</pre><pre class="after">${after ?? '(absent)'}</pre></div>`,
  );
}

/** The page of the quarantine: what the content scan stopped, the passages, and the decision. */
import { diffWordsWithSpace } from 'diff';
import { Hono } from 'hono';
import type { QuarantineService } from '../../domain/quarantine-service.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeNumberCursor } from '../../shapes/page.ts';
import {
  type FieldChange,
  type QuarantineEntry,
  quarantineKindSchema,
  quarantineOrigin,
  quarantineStateSchema,
  refusalRequestSchema,
} from '../../shapes/quarantine.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import type { PageContext } from '../layout.ts';
import { choicesOf, cursorOf, type Filter, filterForm, given, givenChoice, listOf } from '../list.ts';
import { html, lines, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, facts, field, firstOf, type Tone, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** Dependencies of the page. */
export interface QuarantinePagesDeps {
  quarantine: QuarantineService;
}

const pageSize = 10;
/** The most findings, and changed fields, that are shown of an entry: a page is at most 150 kB. */
const partsMax = 5;

const filters: readonly Filter[] = [
  { name: 'query', label: 'Name or origin', placeholder: 'send_message' },
  { name: 'kind', label: 'Kind', choices: choicesOf(quarantineKindSchema.options) },
  { name: 'state', label: 'State', choices: choicesOf(quarantineStateSchema.options) },
];

/** The routes below `/console/quarantine`. */
export function quarantinePages({ quarantine }: QuarantinePagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/quarantine', async (c) => {
    const context = c.var.page;
    const found = await quarantine.list(context.caller, {
      query: given(context, 'query'),
      kind: givenChoice(context, 'kind', quarantineKindSchema),
      state: givenChoice(context, 'state', quarantineStateSchema),
      before: decodeNumberCursor(cursorOf(context)),
      limit: pageSize,
    });
    const content = html`${filterForm(context, filters)}${listOf(context, {
      rows: found,
      pageSize,
      position: ({ seq }) => seq,
      draw: (entry) => entryPart(entry, context),
      frame: (entries) => html`${entries}`,
      empty:
        'Nothing is in quarantine. What the content scan finds in skills and tool definitions would be here, and definitions that changed.',
      noun: 'entry',
      filters,
      more: 'Older',
    })}`;
    const about =
      'Skills and tools whose texts read like an attack, or whose definitions changed. An approval is for one content only.';
    return show(c, { title: 'Quarantine', about, content });
  });
  router.post('/console/quarantine/:id/approve', async (c) => {
    await quarantine.approve(c.var.page.caller, c.req.param('id'));
    return c.redirect('/console/quarantine', 303);
  });
  router.post('/console/quarantine/:id/refuse', async (c) => {
    const { reason } = await c.req.parseBody();
    const parsed = refusalRequestSchema.safeParse({ reason });
    if (!parsed.success) throw new HestiaError('INVALID_REQUEST', 'reason: must be 1 to 500 characters');
    await quarantine.refuse(c.var.page.caller, c.req.param('id'), parsed.data.reason);
    return c.redirect('/console/quarantine', 303);
  });
  return router;
}

const tones: Record<QuarantineEntry['state'], Tone> = {
  blocked: 'bad',
  held: 'warning',
  noted: 'neutral',
  approved: 'good',
  refused: 'bad',
};

function entryPart(entry: QuarantineEntry, context: PageContext): Markup {
  const { quarantineId, kind, name, state, findings, changes, digest, reason } = entry;
  const origin = quarantineOrigin(entry);
  return html`<article class="card" id="${quarantineId}">
    <h2>${kind} ${name} ${badge(state, tones[state])}</h2>
    ${facts([
      ['serverId' in origin ? 'Server' : 'Namespace', 'serverId' in origin ? origin.serverId : origin.namespace],
      ['Found', time(entry.createdAt, context.now)],
      ['Decided', entry.decidedAt !== undefined && html`${time(entry.decidedAt, context.now)} by ${entry.decidedBy}`],
      ['Reason', reason],
      ['Content', html`<code title="SHA-256 of the content">${digest.slice(0, 16)}…</code>`],
    ])}
    ${firstOf(findings, partsMax, findingPart)} ${firstOf(changes, partsMax, changePart)}
    ${context.caller.role === 'operator' && decisionForms(entry, context)}
  </article>`;
}

/** What an operator may decide now: a decision may be changed. */
function decisionForms({ quarantineId, state }: QuarantineEntry, context: PageContext): Markup {
  const path = `/console/quarantine/${quarantineId}`;
  const id = `reason-${quarantineId}`;
  const input = html`<input id="${id}" name="reason" required maxlength="500" placeholder="what is wrong with it">`;
  const content = field(id, 'Reason, for the record', input);
  return html`<div class="decision">
    ${state !== 'approved' && actionForm(context, { action: `${path}/approve`, button: 'Approve this content' })}
    ${state !== 'refused' && actionForm(context, { action: `${path}/refuse`, button: 'Refuse', content, tone: 'danger' })}
  </div>`;
}

function findingPart({ ruleId, severity, part, line, why, evidence }: ScanFinding): Markup {
  return html`<div class="finding"><p>${badge(severity, severity === 'low' ? 'neutral' : severity === 'medium' ? 'warning' : 'bad')} ${why} <span class="hint">${part}, line ${line}, rule ${ruleId}</span></p><pre>${evidence}</pre></div>`;
}

/** The difference of a field of a definition: both texts, with what is only in one of them marked. */
function changePart({ field: name, before, after }: FieldChange): Markup {
  const parts = before === undefined || after === undefined ? [] : (diffWordsWithSpace(before, after, bounds) ?? []);
  const side = (text: string | undefined, leftOut: 'added' | 'removed') =>
    parts.length === 0 ? withBreaks(text ?? '(absent)') : parts.filter((part) => !part[leftOut]).map(marked);
  return html`<div class="difference"><p><strong>${name}</strong> changed</p>
    <div><p class="hint">Before</p><pre class="before">${side(before, 'added')}</pre></div>
    <div><p class="hint">After</p><pre class="after">${side(after, 'removed')}</pre></div></div>`;
}

/** Texts that differ more are shown without marks. */
const bounds = { timeout: 20 };

function marked({ value, added, removed }: ReturnType<typeof diffWordsWithSpace>[number]): Shown {
  const text = withBreaks(value);
  if (added) return html`<ins>${text}</ins>`;
  return removed ? html`<del>${text}</del>` : text;
}

/** A text with its line feeds, which are stored as escapes. */
function withBreaks(text: string): Markup {
  return lines(text.replaceAll('\\u000a', '\n'));
}

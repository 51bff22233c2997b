/** The pages of the audit trail: records by agent, target, outcome and time, one record, and its proof. */
import { Hono } from 'hono';
import type { AuditService } from '../../domain/audit-service.ts';
import type { HubStatus } from '../../domain/hub-status.ts';
import type { Caller } from '../../shapes/access.ts';
import { type AuditQuery, type AuditRecord, auditOrderSchema, targetOfTool } from '../../shapes/audit.ts';
import type { AuditInclusionProof, AuditKey } from '../../shapes/audit-log/proof.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { eventNameSchema, outcomeSchema } from '../../shapes/event.ts';
import { decodeNumberCursor } from '../../shapes/page.ts';
import type { RecentSpan } from '../../telemetry/recent-spans.ts';
import type { PageContext } from '../layout.ts';
import type { ConsoleLinks } from '../links.ts';
import {
  choicesOf,
  cursorOf,
  type Filter,
  filterForm,
  given,
  givenChoice,
  givenPeriod,
  listTable,
  periodFilters,
} from '../list.ts';
import { html, lines, type Markup, type Shown } from '../markup.ts';
import { facts, longText, outcomeBadge, time, toolPath } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { waterfall } from '../trace.ts';

/** Dependencies of the pages. */
export interface ActivityPagesDeps {
  audit: AuditService;
  hubStatus: HubStatus;
  links: ConsoleLinks;
}

const pageSize = 50;

/** The routes below `/console/activity`. */
export function activityPages({ audit, hubStatus, links }: ActivityPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/activity', async (c) => {
    const context = c.var.page;
    const found = await audit.list(context.caller, queryOf(context));
    const content = html`${filterForm(context, filters)}
      ${listTable(context, {
        rows: found,
        pageSize,
        position: ({ seq }) => seq,
        columns: columns(context),
        empty: 'No record yet. What agents and people do would be here.',
        noun: 'record',
        filters: [...filters, { name: 'target', label: 'Target' }],
        more: given(context, 'order') === 'oldest' ? 'Newer' : 'Older',
      })}`;
    return show(c, {
      title: 'Activity',
      about: 'Who did what, with which result: the audit trail.',
      content,
    });
  });
  router.get('/console/activity/:seq{[0-9]+}', async (c) => {
    const context = c.var.page;
    const record = await recordOf(audit, context, Number(c.req.param('seq')));
    const spans = await hubStatus.spansOf(context.caller, record.trace_id);
    return show(c, recordPage(record, { spans, grafana: links.trace(record.trace_id) }, context));
  });
  router.get('/console/activity/:seq{[0-9]+}/proof', async (c) => {
    const { caller } = c.var.page;
    const seq = Number(c.req.param('seq'));
    const proof = await proofOf(audit, caller, seq);
    const about = 'Checked here, by your browser: that the record is in the log, and that the log was signed.';
    return show(c, { title: `Proof of record ${seq}`, about, content: proofPart(seq, proof), scripts: ['proof.js'] });
  });
  router.get('/console/activity/:seq{[0-9]+}/proof/:file', async (c) => {
    const seq = Number(c.req.param('seq'));
    const { line, proof } = await audit.inclusion(c.var.page.caller, { seq });
    const files = new Map([
      [`record-${seq}.json`, line],
      [`record-${seq}.tlog-proof`, proof],
    ]);
    const text = files.get(c.req.param('file'));
    if (text === undefined) throw notFound('page');
    return c.body(text, 200, { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': 'attachment' });
  });
  return router;
}

const filters: readonly Filter[] = [
  { name: 'agent', label: 'Agent', placeholder: 'billing-bot' },
  { name: 'tool', label: 'Tool', placeholder: 'github/get_issue' },
  { name: 'server', label: 'Server', placeholder: 'github' },
  { name: 'skill', label: 'Skill', placeholder: 'invoices' },
  { name: 'event', label: 'Event', choices: choicesOf(eventNameSchema.options) },
  { name: 'outcome', label: 'Outcome', choices: choicesOf(outcomeSchema.options) },
  ...periodFilters,
  { name: 'trace', label: 'Trace', placeholder: '32 hex digits' },
  { name: 'order', label: 'Order', choices: { oldest: 'oldest first' }, none: 'newest first' },
];

/** The query of a page's address. @throws HestiaError INVALID_REQUEST for a filter that is not valid */
function queryOf(context: PageContext): AuditQuery {
  const tool = given(context, 'tool');
  const skill = given(context, 'skill');
  const ofTool = tool === undefined ? undefined : targetOfTool(tool);
  if (tool !== undefined && ofTool === undefined)
    throw new HestiaError('INVALID_REQUEST', 'tool: must be a server and a tool, such as "github/get_issue"');
  return {
    order: givenChoice(context, 'order', auditOrderSchema) ?? 'newest',
    limit: pageSize,
    after: decodeNumberCursor(cursorOf(context)),
    agentId: given(context, 'agent'),
    traceId: given(context, 'trace'),
    serverId: given(context, 'server'),
    target: ofTool ?? (skill === undefined ? given(context, 'target') : `skill:${skill}`),
    event: givenChoice(context, 'event', eventNameSchema),
    outcome: givenChoice(context, 'outcome', outcomeSchema),
    ...givenPeriod(context),
  };
}

function columns({ now }: PageContext) {
  return [
    {
      title: 'Time',
      cell: (record: AuditRecord) =>
        html`<a href="/console/activity/${record.seq}">${time(Date.parse(record.time), now)}</a>`,
    },
    { title: 'Agent', cell: ({ agent_id: agentId }: AuditRecord) => agentId },
    { title: 'Event', cell: ({ event }: AuditRecord) => event, isText: true },
    { title: 'Target', cell: ({ target }: AuditRecord) => target, isText: true },
    {
      title: 'Outcome',
      cell: ({ outcome, fields }: AuditRecord) =>
        html`${outcomeBadge(outcome)} ${fields.error_type !== undefined && String(fields.error_type)}`,
    },
    { title: 'Latency', cell: ({ fields }: AuditRecord) => latencyOf(fields), isNumber: true },
  ];
}

function latencyOf({ latency_ms: latencyMs }: AuditRecord['fields']): string | undefined {
  return typeof latencyMs === 'number' ? `${latencyMs.toFixed(1)} ms` : undefined;
}

async function recordOf(audit: AuditService, { caller }: PageContext, seq: number): Promise<AuditRecord> {
  const [record] = await audit.list(caller, { after: seq - 1, limit: 1 });
  if (record?.seq !== seq) throw notFound('record');
  return record;
}

function recordPage(
  record: AuditRecord,
  { spans, grafana }: { spans: readonly RecentSpan[] | undefined; grafana: string | undefined },
  context: PageContext,
) {
  const { seq, trace_id: traceId, span_id: spanId, agent_id: agentId } = record;
  const content = html`${facts([
    ['Time', html`${record.time} (${time(Date.parse(record.time), context.now)})`],
    ['Event', html`<a href="/console/activity?event=${record.event}">${record.event}</a>`],
    ['Outcome', outcomeBadge(record.outcome)],
    [
      'Agent',
      html`<a href="/console/activity?agent=${agentId}">${agentId}</a>, namespace ${record.namespace}, key ${record.key_id}`,
    ],
    ['Target', targetLink(record)],
    [
      'Trace',
      html`<a href="/console/activity?trace=${traceId}&amp;order=oldest"><code>${traceId}</code></a>, span <code>${spanId}</code>`,
    ],
    ...Object.entries(record.fields).map(([name, value]) => [name, String(value)] as const),
    ['Digest of the arguments', record.arguments_digest],
    ['Digest of the result', record.result_digest],
  ])}
    <p><a class="button" href="/console/activity/${seq}/proof">Prove this record</a></p>
    <h2>Trace</h2>${waterfall(spans)}
    ${grafana !== undefined && html`<p><a href="${grafana}" rel="noopener">This trace in Grafana</a></p>`}
    <details><summary>As JSON</summary><pre><code>${longText(JSON.stringify(record, undefined, 2))}</code></pre></details>`;
  return { title: `Record ${seq}`, about: 'One entry of the audit trail, as it is stored.', content };
}

function targetLink({ target, fields }: AuditRecord): Shown {
  const { server_id: serverId, tool_name: toolName } = fields;
  if (target.startsWith('tool:') && typeof serverId === 'string' && typeof toolName === 'string')
    return html`<a href="${toolPath(serverId, toolName)}">${target}</a>`;
  return target;
}

interface RecordProof {
  inclusion: AuditInclusionProof;
  key: AuditKey;
}

/** The proof of a record; undefined if no checkpoint covers it yet. */
async function proofOf(audit: AuditService, caller: Caller, seq: number): Promise<RecordProof | undefined> {
  try {
    const [inclusion, key] = await Promise.all([audit.inclusion(caller, { seq }), audit.key(caller)]);
    return { inclusion, key };
  } catch (error) {
    if (error instanceof HestiaError && error.code === 'CONFLICT') return undefined;
    throw error;
  }
}

/** The proof with the steps that the browser checks. Without scripts, the page says how to check it otherwise. */
function proofPart(seq: number, found: RecordProof | undefined): Markup {
  if (found === undefined)
    return html`<p class="notice warning">No checkpoint covers this record yet. The next one does; load the page again in a moment.</p>`;
  const { line, proof } = found.inclusion;
  const { vkeys, origin } = found.key;
  const data = JSON.stringify({ line, proof, vkeys, origin });
  const files = `/console/activity/${seq}/proof/record-${seq}`;
  return html`<ol class="steps" id="proof" data-proof="${data}" aria-live="polite">
      <li data-step="leaf"><h3>The record is hashed</h3><p>SHA-256 over a zero byte and the line of the record (RFC 6962).</p></li>
      <li data-step="root"><h3>The path leads to the root</h3><p>Each hash of the path is joined with the one before, up to the root of the tree.</p></li>
      <li data-step="checkpoint"><h3>The checkpoint has this root</h3><p>The signed checkpoint names the log, its size and the root.</p></li>
      <li data-step="signature"><h3>The checkpoint is signed</h3><p>Ed25519, by the key of the log. Compare the key with one that you have from elsewhere.</p></li>
    </ol>
    <noscript><p class="notice warning">Scripts are off. Download both files and run <code>hestia audit verify-proof</code>.</p></noscript>
    <p class="actions"><a class="button" href="${files}.json">The record</a> <a class="button" href="${files}.tlog-proof">The proof (C2SP tlog-proof)</a></p>
    <h2>Keys of the log</h2><pre>${lines(vkeys.join('\n'))}</pre>
    <details><summary>The record, as it was hashed</summary><pre class="wrap"><code>${longText(line)}</code></pre></details>
    <details><summary>The proof</summary><pre><code>${lines(proof)}</code></pre></details>`;
}

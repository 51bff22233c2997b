/** The pages of tools: all of them, and one with its calls and failures, and a form to try it. */
import { Hono } from 'hono';
import type { ServerService } from '../../domain/server-service.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import type { ToolSearch } from '../../domain/tool-search.ts';
import type { NewestCalls, ToolStatisticsService } from '../../domain/tool-statistics-service.ts';
import type { AuditRecord } from '../../shapes/audit.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { IndexedTool, ToolCallAnswer, ToolResult } from '../../shapes/tool.ts';
import type { PageContext } from '../layout.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import {
  actionForm,
  badge,
  duration,
  emptyState,
  facts,
  firstOf,
  longText,
  outcomeBadge,
  table,
  time,
  toolPath,
} from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { argumentFields, argumentsOfForm, textsOfForm } from './argument-form.ts';
import { toolList } from './tool-list.ts';

/** Dependencies of the pages. */
export interface ToolPagesDeps {
  toolSearch: ToolSearch;
  toolCall: ToolCall;
  toolStatistics: ToolStatisticsService;
  servers: ServerService;
}

/** The routes below `/console/tools`. */
export function toolPages({ toolSearch, toolCall, toolStatistics, servers }: ToolPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/tools', async (c) => show(c, await toolList(toolSearch, c.var.page)));
  router.get('/console/tools/:server/:tool', async (c) => {
    const context = c.var.page;
    const address = { serverId: c.req.param('server'), toolName: c.req.param('tool') };
    const tool = await toolSearch.inspect(context.caller, address);
    const calls = await callsOf(toolStatistics, context, address);
    return show(c, toolPage({ tool, calls, context, searchId: c.req.query('searchId') }));
  });
  router.post('/console/tools/:server/:tool/:switch{switch-on|switch-off}', async (c) => {
    const address = { serverId: c.req.param('server'), toolName: c.req.param('tool') };
    await servers.setTool(c.var.page.caller, { ...address, enabled: c.req.param('switch') === 'switch-on' });
    return c.redirect(`/console/tools?server=${encodeURIComponent(address.serverId)}`, 303);
  });
  router.post('/console/tools/:server/:tool/call', async (c) => {
    const context = c.var.page;
    const address = { serverId: c.req.param('server'), toolName: c.req.param('tool') };
    const tool = await toolSearch.inspect(context.caller, address);
    const form = await c.req.parseBody();
    const searchId = typeof form.searchId === 'string' && form.searchId !== '' ? form.searchId : undefined;
    const ending = await tried(() => {
      const args = argumentsOfForm(tool.definition.inputSchema, form);
      const request = { ...address, arguments: args, timeoutMs: undefined, searchId };
      return toolCall.call(context.caller, request, { signal: c.req.raw.signal });
    });
    const calls = await callsOf(toolStatistics, context, address);
    return show(c, toolPage({ tool, calls, context, searchId, tried: { texts: textsOfForm(form), ending } }));
  });
  return router;
}

/** What a page shows of the calls of a tool. */
interface Calls {
  /** Undefined if there are no calls. */
  statistics: NewestCalls | undefined;
  /** Empty for agents, who do not see the calls of others. */
  failures: readonly AuditRecord[];
}

async function callsOf(
  toolStatistics: ToolStatisticsService,
  { caller }: PageContext,
  address: { serverId: string; toolName: string },
): Promise<Calls> {
  const [statistics, failures] = await Promise.all([
    toolStatistics.ofTool(caller, address),
    caller.role === 'agent' ? [] : toolStatistics.failuresOf(caller, address),
  ]);
  return { statistics, failures };
}

/** How a tried call ended. */
type Ending = { answer: ToolCallAnswer } | { refusal: HestiaError };

async function tried(call: () => Promise<ToolCallAnswer>): Promise<Ending> {
  try {
    return { answer: await call() };
  } catch (error) {
    if (error instanceof HestiaError) return { refusal: error };
    throw error;
  }
}

interface ToolPageParts {
  tool: IndexedTool;
  calls: Calls;
  context: PageContext;
  searchId: string | undefined;
  tried?: { texts: JsonObject; ending: Ending };
}

function toolPage({ tool, calls, context, searchId, tried: trial }: ToolPageParts) {
  const { serverId, toolName, title, description, inputSchema, outputSchema } = tool.definition;
  const path = toolPath(serverId, toolName);
  const fields = html`<input type="hidden" name="searchId" value="${searchId}">${argumentFields(inputSchema, trial?.texts ?? {})}`;
  const canCall = context.caller.role !== 'auditor';
  const canSwitch = context.caller.role === 'operator' && tool.source === 'upstream';
  const content = html`<p class="pre-line">${longText(description)}</p>
    ${callsPart(calls, context)}
    ${canCall && html`<section><h2>Try it</h2><p class="hint">A call here is yours, and is recorded as an agent's is.</p>${actionForm(context, { action: `${path}/call`, button: 'Call', content: fields })}</section>`}
    ${trial !== undefined && endingPart(trial.ending)}
    <details><summary>Input schema</summary><pre><code>${longText(JSON.stringify(inputSchema, undefined, 2))}</code></pre></details>
    ${outputSchema !== undefined && html`<details><summary>Output schema</summary><pre><code>${longText(JSON.stringify(outputSchema, undefined, 2))}</code></pre></details>`}
    ${canSwitch && actionForm(context, { action: `${path}/switch-off`, button: 'Switch this tool off', tone: 'quiet' })}`;
  return { title: title ?? toolName, about: html`${toolName} of ${serverId}`, content };
}

/** The most calls that statistics of one tool are computed from. */
const summedMax = 10_000;

function callsPart({ statistics, failures }: Calls, context: PageContext): Markup {
  if (statistics === undefined)
    return emptyState('Nobody has called this tool yet. Outcomes, latency and failures of its calls would be here.');
  const { calls, outcomes, latencyMsMean, latencyMsP95, lastCalledAt, serverId, toolName } = statistics;
  const records = `/console/activity?tool=${encodeURIComponent(`${serverId}/${toolName}`)}`;
  const failed = outcomes.error + outcomes.timeout + outcomes.abandoned;
  return html`${facts([
    ['Calls', calls >= summedMax ? html`the newest ${calls}` : calls],
    [
      'Outcomes',
      html`${outcomes.success} success, ${outcomes.error} error, ${outcomes.timeout} timeout, ${outcomes.abandoned} abandoned`,
    ],
    ['Latency', html`${duration(latencyMsMean)} on average, 95 % within ${duration(latencyMsP95)}`],
    ['Last called', time(lastCalledAt, context.now)],
    ['Records', context.caller.role !== 'agent' && html`<a href="${records}">all calls</a>`],
  ])}
  ${context.caller.role !== 'agent' && failed > 0 && html`<h2>Recent failures</h2>${table(failures, failureColumns(context), 'None.')}`}`;
}

function failureColumns({ now }: PageContext) {
  return [
    {
      title: 'Time',
      cell: ({ seq, time: at }: AuditRecord) =>
        html`<a href="/console/activity/${seq}">${time(Date.parse(at), now)}</a>`,
    },
    { title: 'Agent', cell: ({ agent_id: agentId }: AuditRecord) => agentId },
    {
      title: 'Outcome',
      cell: ({ outcome, fields }: AuditRecord) =>
        html`${outcomeBadge(outcome)} ${fields.error_type !== undefined && String(fields.error_type)}`,
    },
    {
      title: 'Latency',
      cell: ({ fields: { latency_ms: ms } }: AuditRecord) => (typeof ms === 'number' ? duration(ms) : undefined),
      isNumber: true,
    },
  ];
}

function endingPart(ending: Ending): Markup {
  if ('refusal' in ending) {
    const { code, message, content, violations } = ending.refusal;
    return html`<section id="result" aria-live="polite"><h2>Result ${badge(code, 'bad')}</h2><p>${message}</p><ul>${violations.map((each) => html`<li>${each.field}: ${each.message}</li>`)}</ul>${blocks(content)}</section>`;
  }
  const { outcome, latencyMs, callId, result } = ending.answer;
  return html`<section id="result" aria-live="polite"><h2>Result ${outcomeBadge(outcome)}</h2>
    <p class="hint">${duration(latencyMs)}, ${callId}</p>${blocks(result.content)}${structured(result)}</section>`;
}

/** The most blocks of a result that are shown. */
const blocksMax = 3;

function blocks(content: readonly JsonObject[]): Shown {
  return firstOf(
    content,
    blocksMax,
    (block) =>
      html`<pre>${longText(typeof block.text === 'string' ? block.text : JSON.stringify(block, undefined, 2))}</pre>`,
  );
}

function structured({ structuredContent }: ToolResult): Shown {
  if (!isJsonObject(structuredContent)) return undefined;
  return html`<details><summary>Structured content</summary><pre>${longText(JSON.stringify(structuredContent, undefined, 2))}</pre></details>`;
}

/** The pages of tools: search as an agent does, all tools, and one tool with a form to try it. */
import { Hono } from 'hono';
import type { ServerService } from '../../domain/server-service.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import type { ToolSearch } from '../../domain/tool-search.ts';
import type { NewestCalls, ToolStatisticsService } from '../../domain/tool-statistics-service.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { decodeCursor, encodeCursor } from '../../shapes/page.ts';
import { type SearchAnswer, searchRequestSchema, type ToolReference } from '../../shapes/search-answer.ts';
import { truncated } from '../../shapes/text.ts';
import {
  type IndexedTool,
  type ListedTool,
  listedToolPosition,
  searchSourceSchema,
  type ToolCallAnswer,
  type ToolResult,
} from '../../shapes/tool.ts';
import type { PageContext } from '../layout.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import {
  actionForm,
  badge,
  choice,
  duration,
  emptyState,
  facts,
  longText,
  nextPage,
  outcomeBadge,
  table,
  time,
  toolPath,
} from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { argumentFields, argumentsOfForm } from './argument-form.ts';

/** Dependencies of the pages. */
export interface ToolPagesDeps {
  toolSearch: ToolSearch;
  toolCall: ToolCall;
  toolStatistics: ToolStatisticsService;
  servers: ServerService;
}

const pageSize = 100;

/** The routes below `/console/tools`. */
export function toolPages({ toolSearch, toolCall, toolStatistics, servers }: ToolPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/tools', async (c) => {
    const context = c.var.page;
    const query = c.req.query('query') ?? '';
    const found = query === '' ? await listPart(toolSearch, context) : await searchPart(toolSearch, context, query);
    const form = html`<form method="get" action="/console/tools" class="search" role="search">
      <label for="query">What should the tool do?</label>
      <input id="query" name="query" type="search" value="${query}" placeholder="fix the typo in my letter">
      <label for="source">Among</label>
      ${choice('source', searchSourceSchema.options, { none: 'all', selected: c.req.query('source') })}<button>Search</button>
    </form>`;
    const about =
      'What agents can find, in the order in which they would find it. A search here is one of yours, and is recorded.';
    return show(c, { title: 'Tools', about, content: html`${form}${found}` });
  });
  router.get('/console/tools/:server/:tool', async (c) => {
    const context = c.var.page;
    const address = { serverId: c.req.param('server'), toolName: c.req.param('tool') };
    const tool = await toolSearch.inspect(context.caller, address);
    const statistics = await toolStatistics.ofTool(context.caller, address);
    return show(c, toolPage({ tool, statistics, context, searchId: c.req.query('searchId') }));
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
    const args = argumentsOfForm(tool.definition.inputSchema, form);
    const searchId = typeof form.searchId === 'string' && form.searchId !== '' ? form.searchId : undefined;
    const request = { ...address, arguments: args, timeoutMs: undefined, searchId };
    const ending = await tried(() => toolCall.call(context.caller, request, { signal: c.req.raw.signal }));
    const statistics = await toolStatistics.ofTool(context.caller, address);
    return show(c, toolPage({ tool, statistics, context, searchId, tried: { args, ending } }));
  });
  return router;
}

async function listPart(toolSearch: ToolSearch, context: PageContext): Promise<Markup> {
  const server = context.url.searchParams.get('server') ?? undefined;
  const after = decodeCursor(
    context.url.searchParams.get('cursor') ?? (server === undefined ? undefined : encodeCursor(`${server}\n`)),
  );
  const page = await toolSearch.list(context.caller, { after, limit: pageSize });
  const shown = server === undefined ? page : page.filter(({ serverId }) => serverId === server);
  const last = page.at(-1);
  const hasMore = page.length === pageSize && shown.length === page.length && last !== undefined;
  return html`${table(shown, listColumns(context), 'No tool yet. Add a server, or activate a skill.')}
    ${nextPage(context, hasMore ? encodeCursor(listedToolPosition(last)) : undefined)}`;
}

function toolLink({ serverId, toolName }: Pick<ListedTool, 'serverId' | 'toolName'>, query = ''): Markup {
  return html`<a href="${toolPath(serverId, toolName)}${query}">${toolName}</a>`;
}

/** A tool that is switched off: nobody finds it, so that it has no page. */
function switchedOff({ serverId, toolName }: ListedTool, context: PageContext): Markup {
  const action = `${toolPath(serverId, toolName)}/switch-on`;
  return html`${toolName} ${badge('switched off', 'neutral')} ${context.caller.role === 'operator' && actionForm(context, { action, button: 'Switch on', tone: 'quiet' })}`;
}

/** The longest description in a list, in characters. */
const descriptionMax = 300;

const listColumns = (context: PageContext) => [
  {
    title: 'Tool',
    cell: (tool: ListedTool) => (tool.enabled ? toolLink(tool) : switchedOff(tool, context)),
  },
  { title: 'Server', cell: ({ serverId }: ListedTool) => serverId },
  { title: 'From', cell: ({ source }: ListedTool) => source },
  { title: 'Description', cell: ({ description = '' }: ListedTool) => truncated(description, descriptionMax) },
];

async function searchPart(toolSearch: ToolSearch, { caller, url }: PageContext, query: string): Promise<Markup> {
  const source = url.searchParams.get('source') || undefined;
  const parsed = searchRequestSchema.safeParse({ query, source, limit: 20, explain: true });
  if (!parsed.success) {
    const sources = searchSourceSchema.options.join(', ');
    throw new HestiaError('INVALID_REQUEST', `query: must be 1 to 2000 characters; source: must be one of ${sources}`);
  }
  const answer = await toolSearch.search(caller, parsed.data);
  return html`${hints(answer)}${table(answer.results, searchColumns(answer.searchId), 'No tool fits.')}
    <p class="hint">Search ${answer.searchId}</p>`;
}

function hints({
  serversConnecting = [],
  serversUnavailable = [],
  reasons = [],
  filteredCount = 0,
}: SearchAnswer): Shown {
  const notes = [
    reasons.includes('weak_matches') && 'Nothing fits well.',
    filteredCount > 0 && `Left out, in other namespaces: ${filteredCount}.`,
    serversConnecting.length > 0 && `Still connecting: ${serversConnecting.join(', ')}.`,
    serversUnavailable.length > 0 && `Not connected: ${serversUnavailable.join(', ')}.`,
  ].filter((note) => note !== false);
  return notes.length > 0 && html`<p class="notice warning" role="status">${notes.join(' ')}</p>`;
}

function searchColumns(searchId: string) {
  return [
    {
      title: 'Tool',
      cell: (found: ToolReference) =>
        html`${isOffer(found) ? found.toolName : toolLink(found, `?searchId=${searchId}`)} ${isOffer(found) && badge(found.source, 'neutral')} ${found.weakMatch && badge('weak match', 'warning')} ${found.active === false && badge('not active', 'neutral')}`,
    },
    { title: 'Server', cell: ({ serverId }: ToolReference) => serverId },
    { title: 'Score', cell: ({ score }: ToolReference) => score.toFixed(2), isNumber: true },
    {
      title: 'Description',
      cell: ({ description, usage = '', activation = '' }: ToolReference) =>
        html`${description}${usage !== '' && html`<p class="hint">${usage}</p>`}${activation !== '' && html`<p class="hint">${activation}</p>`}`,
    },
    {
      title: 'Why here',
      cell: ({ explanation }: ToolReference) =>
        html`<ul class="reasons">${(explanation?.words ?? []).map((words) => html`<li>${words}</li>`)}</ul>`,
    },
  ];
}

/** Whether a result is a prompt or resource, which has no page of its own. */
function isOffer({ source }: ToolReference): boolean {
  return source === 'prompt' || source === 'resource';
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
  statistics: NewestCalls | undefined;
  context: PageContext;
  searchId: string | undefined;
  tried?: { args: JsonObject; ending: Ending };
}

function toolPage({ tool, statistics, context, searchId, tried: trial }: ToolPageParts) {
  const { serverId, toolName, title, description, inputSchema, outputSchema } = tool.definition;
  const path = toolPath(serverId, toolName);
  const fields = html`<input type="hidden" name="searchId" value="${searchId}">${argumentFields(inputSchema, trial?.args ?? {})}`;
  const canCall = context.caller.role !== 'auditor';
  const canSwitch = context.caller.role === 'operator' && tool.source === 'upstream';
  const content = html`<p class="pre-line">${longText(description)}</p>
    ${statistics === undefined ? emptyState('This tool has not been called yet.') : statisticsPart(statistics, context)}
    ${canCall && html`<section><h2>Try it</h2><p class="hint">A call here is yours, and is recorded as an agent's is.</p>${actionForm(context, { action: `${path}/call`, button: 'Call', content: fields })}</section>`}
    ${trial !== undefined && endingPart(trial.ending)}
    <details><summary>Input schema</summary><pre><code>${longText(JSON.stringify(inputSchema, undefined, 2))}</code></pre></details>
    ${outputSchema !== undefined && html`<details><summary>Output schema</summary><pre><code>${longText(JSON.stringify(outputSchema, undefined, 2))}</code></pre></details>`}
    ${canSwitch && actionForm(context, { action: `${path}/switch-off`, button: 'Switch this tool off', tone: 'quiet' })}`;
  return { title: title ?? toolName, about: html`${toolName} of ${serverId}`, content };
}

/** The most calls that statistics of one tool are computed from. */
const summedMax = 10_000;

function statisticsPart(
  { calls, outcomes, latencyMsMean, latencyMsP95, lastCalledAt, serverId, toolName }: NewestCalls,
  { now, caller }: PageContext,
): Markup {
  const failures = `/console/activity?tool=${encodeURIComponent(`${serverId}/${toolName}`)}&amp;order=newest`;
  return facts([
    ['Calls', calls >= summedMax ? html`the newest ${calls}` : calls],
    [
      'Outcomes',
      html`${outcomes.success} success, ${outcomes.error} error, ${outcomes.timeout} timeout, ${outcomes.abandoned} abandoned`,
    ],
    ['Latency', html`${duration(latencyMsMean)} on average, 95 % within ${duration(latencyMsP95)}`],
    ['Last called', time(lastCalledAt, now)],
    [
      'Records',
      caller.role !== 'agent' &&
        html`<a href="${failures}">all calls</a>, <a href="${failures}&amp;outcome=error">errors</a>`,
    ],
  ]);
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

function blocks(content: readonly JsonObject[]): Markup[] {
  return content
    .slice(0, blocksMax)
    .map((block) =>
      typeof block.text === 'string'
        ? html`<pre>${longText(block.text)}</pre>`
        : html`<pre>${longText(JSON.stringify(block, undefined, 2))}</pre>`,
    );
}

function structured({ structuredContent }: ToolResult): Shown {
  if (!isJsonObject(structuredContent)) return undefined;
  return html`<details><summary>Structured content</summary><pre>${longText(JSON.stringify(structuredContent, undefined, 2))}</pre></details>`;
}

/** The page of all tools: found by a search, as an agent finds them, or listed by server and name. */
import type { ToolSearch } from '../../domain/tool-search.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeCursor } from '../../shapes/page.ts';
import { type SearchAnswer, searchRequestSchema, type ToolReference } from '../../shapes/search-answer.ts';
import { truncated } from '../../shapes/text.ts';
import {
  type ListedTool,
  listedToolPosition,
  searchSourceSchema,
  toolFilterSchema,
  toolSourceSchema,
} from '../../shapes/tool.ts';
import type { Page, PageContext } from '../layout.ts';
import { choicesOf, cursorOf, type Filter, filterForm, given, givenChoice, listTable } from '../list.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, emptyState, table, toolPath } from '../parts.ts';

const pageSize = 100;
/** The most results of a search. */
const resultsMax = 20;
/** The longest description in a list, in characters. */
const descriptionMax = 300;

const stateSchema = toolFilterSchema.shape.state.unwrap();
const searchFilters: readonly Filter[] = [
  { name: 'query', label: 'What should the tool do?', placeholder: 'fix the typo in my letter', isWide: true },
  { name: 'server', label: 'Server', placeholder: 'github' },
  { name: 'source', label: 'Among', choices: choicesOf(searchSourceSchema.options), none: 'all' },
];
const stateFilter: Filter = {
  name: 'state',
  label: 'Switched',
  choices: choicesOf(stateSchema.options),
  none: 'on or off',
};
const listFilters: readonly Filter[] = [...searchFilters, stateFilter];

/** The page: the results of the search in its address, or the list. */
export async function toolList(toolSearch: ToolSearch, context: PageContext): Promise<Page> {
  const query = context.url.searchParams.get('query')?.trim() ?? '';
  const found = query === '' ? await listPart(toolSearch, context) : await searchPart(toolSearch, context, query);
  const form = filterForm(context, query === '' ? listFilters : searchFilters, { button: 'Search' });
  const about =
    'What agents can find, in the order in which they would find it. A search here is one of yours, and is recorded.';
  return { title: 'Tools', about, content: html`${form}${found}` };
}

async function listPart(toolSearch: ToolSearch, context: PageContext): Promise<Markup> {
  const source = givenChoice(context, 'source', searchSourceSchema);
  const ofTools = toolSourceSchema.safeParse(source).data;
  if (source !== undefined && ofTools === undefined)
    return emptyState('Prompts and resources have no list. Describe what you need above, and search for them.');
  const rows = await toolSearch.list(context.caller, {
    serverId: given(context, 'server'),
    source: ofTools,
    state: givenChoice(context, 'state', stateSchema),
    after: decodeCursor(cursorOf(context)),
    limit: pageSize,
  });
  const empty = html`No tool yet. Add a server on <a href="/console/servers">Servers</a>, or activate a skill on <a href="/console/skills">Skills</a>.`;
  const page = { rows, pageSize, position: listedToolPosition, columns: listColumns(context), empty, noun: 'tool' };
  return listTable(context, { ...page, filters: listFilters });
}

function toolLink({ serverId, toolName }: Pick<ListedTool, 'serverId' | 'toolName'>, query = ''): Markup {
  return html`<a href="${toolPath(serverId, toolName)}${query}">${toolName}</a>`;
}

/** A tool that is switched off: nobody finds it, so that it has no page. */
function switchedOff({ serverId, toolName }: ListedTool, context: PageContext): Markup {
  const action = `${toolPath(serverId, toolName)}/switch-on`;
  return html`${toolName} ${badge('switched off', 'neutral')} ${context.caller.role === 'operator' && actionForm(context, { action, button: 'Switch on', tone: 'quiet' })}`;
}

function listColumns(context: PageContext) {
  return [
    {
      title: 'Tool',
      cell: (tool: ListedTool) => (tool.enabled ? toolLink(tool) : switchedOff(tool, context)),
    },
    { title: 'Server', cell: ({ serverId }: ListedTool) => serverId },
    { title: 'From', cell: ({ source }: ListedTool) => source },
    {
      title: 'Description',
      cell: ({ description = '' }: ListedTool) => truncated(description, descriptionMax),
      isText: true,
    },
  ];
}

async function searchPart(toolSearch: ToolSearch, context: PageContext, query: string): Promise<Markup> {
  const source = givenChoice(context, 'source', searchSourceSchema);
  const request = { query, source, serverId: given(context, 'server'), limit: resultsMax, explain: true };
  const parsed = searchRequestSchema.safeParse(request);
  if (!parsed.success)
    throw new HestiaError('INVALID_REQUEST', 'query: must be at most 2,000 characters; server: at most 64');
  const answer = await toolSearch.search(context.caller, parsed.data);
  const empty = 'No tool fits. Say it in other words, or add a server that has such a tool.';
  return html`${hints(answer)}${table(answer.results, searchColumns(answer.searchId), empty)}
    <p class="hint">Search ${answer.searchId}${answer.results.length === resultsMax && `, the best ${resultsMax} results`}</p>`;
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
      isText: true,
    },
    {
      title: 'Why here',
      cell: ({ explanation }: ToolReference) =>
        html`<ul class="reasons">${(explanation?.words ?? []).map((words) => html`<li>${words}</li>`)}</ul>`,
      isText: true,
    },
  ];
}

/** Whether a result is a prompt or resource, which has no page of its own. */
function isOffer({ source }: ToolReference): boolean {
  return source === 'prompt' || source === 'resource';
}

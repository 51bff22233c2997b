/** The page of the quality of search: what agents asked, what they were shown, and what they used. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ToolStatisticsService } from '../../domain/tool-statistics-service.ts';
import { decodeNumberCursor } from '../../shapes/page.ts';
import type { ListedSearch, PlacedUse, SearchFilter, SearchQuality } from '../../shapes/search.ts';
import { truncated } from '../../shapes/text.ts';
import type { PageContext } from '../layout.ts';
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
import { html, type Markup, type Shown } from '../markup.ts';
import { badge, firstOf, outcomeBadge, table, tile, time, toolPath } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** Dependencies of the page. */
export interface SearchQualityPagesDeps {
  toolStatistics: ToolStatisticsService;
  retention: { searchesDays: number };
}

const pageSize = 50;
/** The longest request, in characters, and the most results, that are shown of a search: a page is at most 150 kB. */
const queryMax = 300;
const resultsMax = 10;

/** The route `/console/search-quality`. */
export function searchQualityPages({ toolStatistics, retention }: SearchQualityPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/search-quality', async (c) => {
    const context = c.var.page;
    const filter = filterOf(context);
    const before = decodeNumberCursor(cursorOf(context));
    const [quality, found] = await Promise.all([
      toolStatistics.searchQuality(context.caller, filter),
      toolStatistics.searches(context.caller, { ...filter, before, limit: pageSize }),
    ]);
    const content = html`${filterForm(context, filters)}${summary(quality)}
      <h2>Searches</h2>
      ${listTable(context, {
        rows: found,
        pageSize,
        position: ({ position }) => position,
        columns: columns(context),
        empty:
          'No agent has searched yet. What agents ask for would be here, with what they were shown and what they used.',
        noun: 'search',
        filters,
        more: 'Older',
      })}
      <p class="hint">The hub keeps the text and the results of a search for ${retention.searchesDays} days (retention.searchesDays), and no arguments or results of calls. A search is used where a call of a tool that it showed followed: one that names the search, within a day, or one of the same key, within ten minutes.</p>`;
    return show(c, {
      title: 'Search quality',
      about: 'What agents asked for, what they were shown, and what they used.',
      content,
    });
  });
  return router;
}

const foundSchema = z.enum(['nothing']);
const filters: readonly Filter[] = [
  { name: 'agent', label: 'Agent', placeholder: 'billing-bot' },
  ...periodFilters,
  { name: 'found', label: 'Found', choices: choicesOf(foundSchema.options), none: 'anything' },
];

function filterOf(context: PageContext): SearchFilter {
  const foundNothing = givenChoice(context, 'found', foundSchema) === 'nothing';
  return { agentId: given(context, 'agent'), ...givenPeriod(context), foundNothing };
}

function summary(quality: SearchQuality): Markup {
  const { searches, isComplete, foundNothing, used, places, queriesWithoutResult, neverUsed } = quality;
  const calls = places.first + places.third + places.tenth + places.later;
  const share = (count: number, of: number) => (of === 0 ? undefined : `${Math.round((100 * count) / of)} %`);
  return html`<section class="tiles" aria-label="Summary">
      ${tile('Searches', searches, isComplete ? 'all that the filter admits' : 'the newest that the filter admits')}
      ${tile('Led to a call', used, share(used, searches) && `${share(used, searches) ?? ''} of the searches`)}
      ${tile('Used the first result', share(places.first, calls) ?? 'no calls', calls > 0 && `of ${calls} calls; ${places.third} at 2 or 3, ${places.tenth} at 4 to 10, ${places.later} later`)}
      ${tile('Found nothing', foundNothing, share(foundNothing, searches) && `${share(foundNothing, searches) ?? ''} of the searches`, foundNothing === 0 ? 'good' : 'warning')}
    </section>
    <section class="halves">
      <div><h2>Requests that found nothing</h2>
        ${table(
          queriesWithoutResult,
          [
            { title: 'Asked', cell: ({ query }) => truncated(query, queryMax) },
            { title: 'Times', cell: ({ count }) => count, isNumber: true },
          ],
          'Each search found something.',
        )}</div>
      <div><h2>Shown, but never used</h2>
        ${table(
          neverUsed,
          [
            {
              title: 'Tool',
              cell: ({ serverId, toolName }) =>
                html`<a href="${toolPath(serverId, toolName)}">${serverId}/${toolName}</a>`,
            },
            { title: 'Shown', cell: ({ shown }) => shown, isNumber: true },
          ],
          'Each tool that was shown was used.',
        )}</div>
    </section>`;
}

type Row = ListedSearch & { uses: PlacedUse[] };

function columns({ now }: PageContext) {
  return [
    { title: 'Time', cell: ({ searchedAt }: Row) => time(searchedAt, now) },
    {
      title: 'Agent',
      cell: ({ agentId }: Row) =>
        html`<a href="/console/search-quality?agent=${encodeURIComponent(agentId)}">${agentId}</a>`,
    },
    { title: 'Asked', cell: ({ query }: Row) => truncated(query, queryMax), isText: true },
    { title: 'Shown', cell: ({ shown }: Row) => shownPart(shown) },
    { title: 'Used', cell: ({ uses, shown }: Row) => usedPart(uses, shown.length) },
  ];
}

function shownPart(shown: Row['shown']): Shown {
  if (shown.length === 0) return badge('nothing', 'warning');
  const [first] = shown;
  const all = firstOf(shown, resultsMax, ([server, tool]) => html`<li>${server}/${tool}</li>`);
  return html`<details><summary>${shown.length}, first ${first?.[0]}/${first?.[1]}</summary><ol>${all}</ol></details>`;
}

function usedPart(uses: readonly PlacedUse[], shown: number): Shown {
  if (uses.length === 0) return shown > 0 && html`<span class="hint">no call followed</span>`;
  return uses.map(
    ({ seq, serverId, toolName, place, outcome }) =>
      html`<span class="line"><a href="/console/activity/${seq}">${serverId}/${toolName}</a>, place ${place} ${outcomeBadge(outcome)}</span>`,
  );
}

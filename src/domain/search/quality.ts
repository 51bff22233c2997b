/** The quality of searches: what was asked, shown and used, and what neither found nor led to anything. Pure. */
import type { ListedSearch, PlacedUse, SearchQuality, SearchUse } from '../../shapes/search.ts';

/** The most queries and tools that are named. */
const namedMax = 10;

/** The uses of each search, with the place of their tool among its results; those of a tool that it did not show are left out. */
export function placedUses(
  searches: readonly ListedSearch[],
  uses: readonly SearchUse[],
): ReadonlyMap<string, PlacedUse[]> {
  const bySearch = Map.groupBy(uses, ({ searchId }) => searchId);
  return new Map(
    searches.map(({ searchId, shown }) => {
      const placed = (bySearch.get(searchId) ?? []).map((use) => ({ ...use, place: placeOf(shown, use) }));
      return [searchId, placed.filter(({ place }) => place > 0)];
    }),
  );
}

function placeOf(shown: ListedSearch['shown'], { serverId, toolName }: SearchUse): number {
  return 1 + shown.findIndex(([server, tool]) => server === serverId && tool === toolName);
}

/** The quality of these searches. */
export function qualityOf(
  searches: readonly ListedSearch[],
  uses: ReadonlyMap<string, readonly PlacedUse[]>,
  isComplete: boolean,
): SearchQuality {
  const used = [...uses.values()].flat();
  const upTo = (least: number, most: number) => used.filter(({ place }) => place >= least && place <= most).length;
  const without = searches.filter(({ shown }) => shown.length === 0);
  return {
    searches: searches.length,
    isComplete,
    foundNothing: without.length,
    used: [...uses.values()].filter(({ length }) => length > 0).length,
    places: { first: upTo(1, 1), third: upTo(2, 3), tenth: upTo(4, 10), later: upTo(11, Number.POSITIVE_INFINITY) },
    queriesWithoutResult: mostFrequent(without.map(({ query }) => query)).map(([query, count]) => ({ query, count })),
    neverUsed: neverUsed(searches, used),
  };
}

function neverUsed(searches: readonly ListedSearch[], used: readonly PlacedUse[]): SearchQuality['neverUsed'] {
  const key = (serverId: string, toolName: string) => `${serverId}\n${toolName}`;
  const usedTools = new Set(used.map(({ serverId, toolName }) => key(serverId, toolName)));
  const shown = searches.flatMap((search) => search.shown.map(([serverId, toolName]) => key(serverId, toolName)));
  return mostFrequent(shown.filter((tool) => !usedTools.has(tool))).map(([tool, count]) => {
    const [serverId = '', toolName = ''] = tool.split('\n');
    return { serverId, toolName, shown: count };
  });
}

/** The texts that occur most often, with their counts. */
function mostFrequent(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, left], [, right]) => right - left).slice(0, namedMax);
}

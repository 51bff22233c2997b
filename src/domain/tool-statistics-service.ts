/** Statistics of tools and searches, limited to what the caller may see. */
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { type AuditRecord, toolTarget } from '../shapes/audit.ts';
import type { ListedSearch, PlacedUse, SearchFilter, SearchQuality } from '../shapes/search.ts';
import type { ToolStatistics } from '../shapes/tool.ts';
import type { SearchStore } from '../stores/search-store.ts';
import type { AuditViews } from '../stores/views/audit-views.ts';
import type { CallSummary } from '../stores/views/call-queries.ts';
import type { AccessGuard } from './access/guard.ts';
import { findInScope } from './access/scope.ts';
import { placedUses, qualityOf } from './search/quality.ts';

/** Reads call statistics. Errors: FORBIDDEN, VIEWS_UNAVAILABLE. */
export interface ToolStatisticsService {
  /**
   * Returns one entry for each tool that was called, from `since` until `until` if given (Unix milliseconds). An agent sees the calls of its own namespace only, and a limited key those
   * of tools that it can find now.
   */
  statistics(caller: Caller, period?: StatisticsPeriod): Promise<ToolStatistics[]>;
  /** The newest calls of one tool, at most 10,000; undefined if there are none. It is cheap also where there are millions. */
  ofTool(caller: Caller, tool: { serverId: string; toolName: string }): Promise<NewestCalls | undefined>;
  /** The newest failed calls of one tool, among its newest 10,000. For auditors and operators. */
  failuresOf(caller: Caller, tool: { serverId: string; toolName: string }): Promise<AuditRecord[]>;
  /** A page of searches with the calls that they led to, the newest first. For auditors and operators. */
  searches(
    caller: Caller,
    page: SearchFilter & { before: number | undefined; limit: number },
  ): Promise<(ListedSearch & { uses: PlacedUse[] })[]>;
  /** The quality of the newest searches, at most {@link qualitySearchesMax}. For auditors and operators. */
  searchQuality(caller: Caller, filter: SearchFilter): Promise<SearchQuality>;
}

/** A period; what is older than the retention does not count. */
export interface StatisticsPeriod {
  since?: number | undefined;
  until?: number | undefined;
}

/** The outcomes and the latency of the newest calls of a tool. */
export type NewestCalls = Omit<ToolStatistics, 'errorTypes' | 'latencyMsP50' | 'latencyMsP99'>;

/** The most searches that one quality is computed from. */
const qualitySearchesMax = 1000;

/** The most failed calls of a tool that are listed. */
const failuresMax = 5;

const dayMs = 86_400_000;

/** Dependencies of the service. */
export interface ToolStatisticsDeps {
  views: Pick<AuditViews, 'statistics' | 'callsOf' | 'failuresOf' | 'usesOf'>;
  searchStore: Pick<SearchStore, 'list'>;
  toolIndex: ToolIndex;
  guard: AccessGuard;
  /** How old an outcome may be to count. */
  outcomesDays: number;
  now: () => number;
}

/** Creates the service. */
export function createToolStatisticsService(deps: ToolStatisticsDeps): ToolStatisticsService {
  const { views, searchStore, toolIndex, guard, outcomesDays, now } = deps;
  const usesIn = (list: readonly ListedSearch[]) => usesOf(views, list);
  return {
    statistics: async (caller, { since: from, until } = {}) => {
      await guard.require(caller, 'statistics.read');
      const since = Math.max(now() - outcomesDays * dayMs, from ?? 0);
      const found = await views.statistics({
        since,
        until,
        ...(caller.role === 'agent' && { namespace: caller.namespace }),
      });
      if (caller.scope === undefined) return found;
      return found.filter((tool) => findInScope(toolIndex, caller, tool) !== undefined);
    },
    ofTool: async (caller, { serverId, toolName }) => {
      await guard.require(caller, 'statistics.read');
      if (caller.scope !== undefined && findInScope(toolIndex, caller, { serverId, toolName }) === undefined) return;
      const namespace = caller.role === 'agent' ? caller.namespace : undefined;
      const since = now() - outcomesDays * dayMs;
      const found = await views.callsOf({ target: toolTarget(serverId, toolName), since, namespace });
      return found && { serverId, toolName, ...withOutcomes(found) };
    },
    failuresOf: async (caller, { serverId, toolName }) => {
      await guard.require(caller, 'audit.read');
      return views.failuresOf({ target: toolTarget(serverId, toolName), limit: failuresMax });
    },
    searches: async (caller, page) => {
      await guard.require(caller, 'audit.read');
      const list = await searchStore.list(page);
      const uses = await usesIn(list);
      return list.map((search) => ({ ...search, uses: uses.get(search.searchId) ?? [] }));
    },
    searchQuality: async (caller, filter) => {
      await guard.require(caller, 'audit.read');
      const list = await searchStore.list({ ...filter, before: undefined, limit: qualitySearchesMax });
      return qualityOf(list, await usesIn(list), list.length < qualitySearchesMax);
    },
  };
}

function withOutcomes({ success, error, timeout, abandoned, ...rest }: CallSummary) {
  return { ...rest, outcomes: { success, error, timeout, abandoned } };
}

async function usesOf(views: Pick<AuditViews, 'usesOf'>, list: readonly ListedSearch[]) {
  return placedUses(list, await views.usesOf(list.map(({ searchId }) => searchId)));
}

/** Call statistics by tool, from the views of the audit trail, limited to what the caller may see. */
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import type { ToolStatistics } from '../shapes/tool.ts';
import type { AuditViews } from '../stores/views/audit-views.ts';
import type { AccessGuard } from './access/guard.ts';
import { findInScope } from './access/scope.ts';

/** Reads call statistics. Errors: FORBIDDEN, VIEWS_UNAVAILABLE. */
export interface ToolStatisticsService {
  /**
   * Returns one entry for each tool that was called, from `since` until `until` if given (Unix milliseconds). An agent sees the calls of its own namespace only, and a limited key those
   * of tools that it can find now.
   */
  statistics(caller: Caller, period?: StatisticsPeriod): Promise<ToolStatistics[]>;
}

/** A period; what is older than the retention does not count. */
export interface StatisticsPeriod {
  since?: number | undefined;
  until?: number | undefined;
}

const dayMs = 86_400_000;

/** Creates the service. */
export function createToolStatisticsService({
  views,
  toolIndex,
  guard,
  outcomesDays,
  now,
}: {
  views: Pick<AuditViews, 'statistics'>;
  toolIndex: ToolIndex;
  guard: AccessGuard;
  /** How old an outcome may be to count. */
  outcomesDays: number;
  now: () => number;
}): ToolStatisticsService {
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
  };
}

/** Outcomes and latency by tool, as callers may see them. */
import type { Caller } from '../shapes/access.ts';
import type { ToolStatistics } from '../shapes/tool.ts';
import type { OutcomeStore } from '../stores/outcome-store.ts';
import type { AccessGuard } from './access/guard.ts';

/** The report. */
export interface ToolStatisticsService {
  /** One entry for each tool that was called; an agent sees the calls of its own namespace. */
  statistics(caller: Caller): Promise<ToolStatistics[]>;
}

/** Makes the report. */
export function createToolStatisticsService({
  outcomeStore,
  guard,
}: {
  outcomeStore: OutcomeStore;
  guard: AccessGuard;
}): ToolStatisticsService {
  return {
    statistics: async (caller) => {
      await guard.require(caller, 'statistics.read');
      return outcomeStore.statistics(caller.role === 'agent' ? { namespace: caller.namespace } : {});
    },
  };
}

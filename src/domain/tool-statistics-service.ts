/** Call statistics by tool: outcomes and latency, limited to what the caller may see. */
import type { Caller } from '../shapes/access.ts';
import type { ToolStatistics } from '../shapes/tool.ts';
import type { OutcomeStore } from '../stores/outcome-store.ts';
import type { AccessGuard } from './access/guard.ts';

/** Reads call statistics. Errors: FORBIDDEN, STORAGE_FAILED. */
export interface ToolStatisticsService {
  /** Returns one entry for each tool that was called. An agent sees the calls of its own namespace only. */
  statistics(caller: Caller): Promise<ToolStatistics[]>;
}

/** Creates the service. */
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

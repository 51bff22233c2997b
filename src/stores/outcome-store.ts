/** The store of tool outcomes, and the statistics of each tool. */
import { type ToolOutcome, type ToolStatistics, toolOutcomeSchema, toolStatisticsSchema } from '../shapes/tool.ts';
import type { Database, Transaction } from './database.ts';

/** The most tools that {@link OutcomeStore.statistics} returns. */
export const statisticsToolsMax = 10_000;

/** Reads and writes outcomes. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface OutcomeStore {
  /** A second outcome of one call is refused as STORAGE_FAILED. */
  insert(tx: Transaction, outcome: ToolOutcome): Promise<void>;
  find(callId: string): Promise<ToolOutcome | undefined>;
  /**
   * Statistics of all stored outcomes, of one namespace or of all; ordered by server id and tool name, at most
   * {@link statisticsToolsMax}. Computed in SQL from one index. It blocks the event loop for about 0.2 s per million rows.
   */
  statistics(filter: { namespace?: string | undefined }): Promise<ToolStatistics[]>;
  /** Deletes the oldest outcomes recorded before `before` (Unix milliseconds), at most `limit`; returns how many. May be repeated. */
  prune(tx: Transaction, range: { before: number; limit: number }): Promise<number>;
}

/** Creates the store of outcomes in `database`. */
export function createOutcomeStore(database: Database): OutcomeStore {
  const insert = database.command(
    `INSERT INTO tool_outcomes (call_id, server_id, tool_name, agent_id, namespace, key_id, outcome, error_type,
       latency_ms, search_id, recorded_at)
     VALUES (:callId, :serverId, :toolName, :agentId, :namespace, :keyId, :outcome, :errorType,
       :latencyMs, :searchId, :recordedAt)`,
  );
  const find = database.query(
    `SELECT call_id AS callId, server_id AS serverId, tool_name AS toolName, agent_id AS agentId, namespace,
       key_id AS keyId, outcome, error_type AS errorType, latency_ms AS latencyMs, search_id AS searchId,
       recorded_at AS recordedAt
     FROM tool_outcomes WHERE call_id = :callId`,
    toolOutcomeSchema,
  );
  const prune = database.command(
    `DELETE FROM tool_outcomes WHERE rowid IN
       (SELECT rowid FROM tool_outcomes WHERE recorded_at < :before ORDER BY recorded_at LIMIT :limit)`,
  );
  const statistics = prepareStatistics(database);
  return {
    async insert(tx, outcome) {
      insert.run(tx, { ...outcome });
    },
    find: async (callId) => find.first({ callId }),
    statistics,
    prune: async (tx, { before, limit }) => prune.run(tx, { before, limit }),
  };
}

// The 95th percentile interpolates between the two nearest outcomes: percentile_cont of SQL:2003.
function prepareStatistics(database: Database): OutcomeStore['statistics'] {
  const query = database.query(
    `SELECT server_id AS serverId, tool_name AS toolName, count(*) AS calls,
       sum(outcome = 'success') AS success, sum(outcome = 'error') AS error,
       sum(outcome = 'timeout') AS timeout, sum(outcome = 'abandoned') AS abandoned,
       avg(latency_ms) AS latencyMsMean, percentile_cont(latency_ms, 0.95) AS latencyMsP95,
       max(recorded_at) AS lastCalledAt
     FROM tool_outcomes WHERE :namespace IS NULL OR namespace = :namespace
     GROUP BY server_id, tool_name ORDER BY server_id, tool_name LIMIT ${statisticsToolsMax}`,
    statisticsRowSchema,
  );
  return async ({ namespace }) => query.all({ namespace });
}

const statisticsRowSchema = toolStatisticsSchema
  .omit({ outcomes: true })
  .extend(toolStatisticsSchema.shape.outcomes.shape)
  .transform(({ success, error, timeout, abandoned, ...row }) => ({
    ...row,
    outcomes: { success, error, timeout, abandoned },
  }));

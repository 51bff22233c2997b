/**
 * The queries over the file of the views, on one read-only connection.
 * A row that does not parse was valid when it was written, so it means that the file is corrupt.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type AuditQuery, type AuditRecord, serverIdOfSegment } from '../../shapes/audit.ts';
import { type ToolStatistics, toolStatisticsSchema } from '../../shapes/tool.ts';
import { prepareQuery } from '../statement.ts';
import type { StorageFailure } from '../storage-error.ts';
import { nameParameter, type PrepareQuery, prepareRecordList, recordRowSchema } from './record-list.ts';
import { type RecordedOutcome, recordedOutcome } from './recorded-outcome.ts';
import { callKey } from './view-row.ts';

/** Outcomes that were credited to a search: see `AuditViews.outcomesWithSearch`. */
export interface OutcomePage {
  after: number | undefined;
  limit: number;
  newestMax: number;
}

/** The most tools that {@link ViewQueries.statistics} returns. */
export const statisticsToolsMax = 10_000;

/** The queries. All are synchronous, and throw the error that the failure conversion returns. */
export interface ViewQueries {
  list(query: AuditQuery): AuditRecord[];
  statistics(filter: { namespace?: string | undefined; since?: number | undefined }): ToolStatistics[];
  findOutcomeWithSearch(callId: string): RecordedOutcome | undefined;
  outcomesWithSearch(page: OutcomePage): RecordedOutcome[];
}

/** Prepares the queries. @throws what SQLite throws */
export function prepareViewQueries(connection: DatabaseSync, failure: StorageFailure): ViewQueries {
  const query: PrepareQuery = (sql, schema) => prepareQuery(connection, sql, schema, failure);
  const firstSince = prepareFirstSince(query);
  return {
    list: prepareRecordList(query, firstSince),
    statistics: prepareStatistics(query, firstSince),
    ...prepareOutcomes(query),
  };
}

function prepareOutcomes(query: PrepareQuery): Pick<ViewQueries, 'findOutcomeWithSearch' | 'outcomesWithSearch'> {
  const schema = recordRowSchema.transform(recordedOutcome);
  const byCall = query(
    `SELECT seq, body FROM records WHERE credited = :key AND json_extract(body, '$.fields.call_id') = :callId LIMIT 1`,
    schema,
  );
  const credited = query(
    `SELECT seq, body FROM records INDEXED BY records_credited WHERE credited IS NOT NULL AND seq > :after ORDER BY seq LIMIT :limit`,
    schema,
  );
  const before = query(
    'SELECT seq FROM records INDEXED BY records_credited WHERE credited IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET :newestMax',
    z.object({ seq: z.int() }),
  );
  return {
    findOutcomeWithSearch: (callId) => byCall.first({ key: callKey(callId), callId }),
    outcomesWithSearch: ({ after, limit, newestMax }) =>
      credited.all({ after: after ?? before.first({ newestMax })?.seq ?? 0, limit }),
  };
}

// The 95th percentile interpolates between the two nearest outcomes: percentile_cont of SQL:2003. Numbers of names: views.sql.
// The target of a tool outcome is `tool:`, the segment of its server, `/` and its name.
function prepareStatistics(query: PrepareQuery, firstSince: (time: number) => number): ViewQueries['statistics'] {
  const rows = query(
    `SELECT substr(name, 6, instr(name, '/') - 6) AS serverId, substr(name, instr(name, '/') + 1) AS toolName, calls,
       success, error, timeout, abandoned, latencyMsMean, latencyMsP95, last.time AS lastCalledAt
     FROM (
       SELECT target, count(*) AS calls, sum(outcome = 2) AS success, sum(outcome = 3) AS error,
         sum(outcome = 4) AS timeout, sum(outcome = 5) AS abandoned, avg(latency_ms) AS latencyMsMean,
         percentile_cont(latency_ms, 0.95) AS latencyMsP95, max(seq) AS lastSeq
       FROM records INDEXED BY records_by_target
       WHERE outcome IS NOT NULL AND seq >= :fromSeq
         AND (:namespace IS NULL OR namespace = ${nameParameter('namespace')})
       GROUP BY target
     ) AS tools JOIN names ON names.id = tools.target JOIN records AS last ON last.seq = lastSeq
     ORDER BY serverId, toolName LIMIT ${statisticsToolsMax}`,
    statisticsRowSchema,
  );
  return ({ namespace, since }) => rows.all({ namespace, fromSeq: since === undefined ? 0 : firstSince(since) });
}

const statisticsRowSchema = toolStatisticsSchema
  .omit({ outcomes: true })
  .extend(toolStatisticsSchema.shape.outcomes.shape)
  .transform(({ success, error, timeout, abandoned, ...row }) => ({
    ...row,
    serverId: serverIdOfSegment(row.serverId),
    outcomes: { success, error, timeout, abandoned },
  }));

/**
 * Returns the number of the first record at or after a time, by halving, since records are in the order of time. Where the
 * clock was set back, it is one of those around the time.
 */
function prepareFirstSince(query: PrepareQuery): (since: number) => number {
  const ends = query('SELECT min(seq) AS oldest, max(seq) AS newest FROM records', endsSchema);
  const timeAt = query(
    'SELECT seq, time FROM records WHERE seq >= :seq AND time IS NOT NULL ORDER BY seq LIMIT 1',
    z.object({ seq: z.int(), time: z.int() }),
  );
  return (since) => {
    const { oldest = 1, newest = 0 } = ends.first() ?? {};
    let low = oldest;
    let high = newest + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = timeAt.first({ seq: middle });
      if (found === undefined || found.time >= since) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

const endsSchema = z.object({ oldest: z.int().optional(), newest: z.int().optional() });

/**
 * The queries over the file of the views, on one read-only connection.
 * A row that does not parse was valid when it was written, so it means that the file is corrupt.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type AuditQuery, type AuditRecord, auditRecordSchema } from '../../shapes/audit.ts';
import { type ToolStatistics, toolStatisticsSchema } from '../../shapes/tool.ts';
import { jsonColumn, prepareQuery, type Query } from '../statement.ts';
import type { StorageFailure } from '../storage-error.ts';
import { type RecordedOutcome, recordedOutcome } from './recorded-outcome.ts';
import { callKey, traceKey } from './view-row.ts';

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
  const query = <Row>(sql: string, schema: z.ZodType<Row>) => prepareQuery(connection, sql, schema, failure);
  return {
    list: prepareList(query),
    statistics: prepareStatistics(query),
    ...prepareOutcomes(query),
  };
}

type Prepare = <Row>(sql: string, schema: z.ZodType<Row>) => Query<Row>;

/** A row whose record has the number of the row: the columns of another record would be wrong about it. */
const recordRowSchema = z
  .object({ seq: z.int(), body: jsonColumn(auditRecordSchema) })
  .refine(({ seq, body }) => body.seq === seq, 'the record has another number than its row')
  .transform(({ body }) => body);

/**
 * The condition of each filter, in the order in which one of them leads the search. The unary plus keeps SQLite from
 * using the index of another one.
 */
const filters = [
  ['traceId', 'trace', ':traceKey', `json_extract(body, '$.trace_id') = :traceId`],
  // The partial index of events leaves out TOOL_OUTCOME. SQLite uses it only if the statement excludes that event, too.
  ['event', 'event', nameParameter('event'), undefined],
  ['agentId', 'agent', nameParameter('agentId'), undefined],
] as const;

function nameParameter(name: string): string {
  return `(SELECT id FROM names WHERE name = :${name})`;
}

// One statement per set of filters, since SQLite uses an index only for a column that the statement names.
function prepareList(query: Prepare): ViewQueries['list'] {
  const prepared = new Map<string, Query<AuditRecord>>();
  return ({ after, limit, ...values }) => {
    const given = filters.filter(([name]) => values[name] !== undefined);
    const isOtherEvent = values.event !== undefined && values.event !== 'TOOL_OUTCOME';
    const key = `${given.map(([name]) => name)}${isOtherEvent}`;
    const statement = prepared.get(key) ?? query(listSql(given, isOtherEvent), recordRowSchema);
    prepared.set(key, statement);
    const parameters = Object.fromEntries(given.map(([name]) => [name, values[name]]));
    const traceParameter = values.traceId === undefined ? {} : { traceKey: traceKey(values.traceId) };
    return statement.all({ ...parameters, ...traceParameter, after, limit });
  };
}

function listSql(given: readonly (typeof filters)[number][], isOtherEvent: boolean): string {
  const leads = given.findIndex(([name]) => name !== 'event' || isOtherEvent);
  const conditions = given.flatMap(([, column, parameter, exact], index) => [
    `${index === leads ? '' : '+'}${column} = ${parameter}`,
    ...(exact === undefined ? [] : [exact]),
  ]);
  // Lines that are not valid records have no event.
  const first = isOtherEvent ? 'event <> 1' : 'event IS NOT NULL';
  const all = ['seq > :after', first, ...conditions].join(' AND ');
  return `SELECT seq, body FROM records WHERE ${all} ORDER BY seq LIMIT :limit`;
}

function prepareOutcomes(query: Prepare): Pick<ViewQueries, 'findOutcomeWithSearch' | 'outcomesWithSearch'> {
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
// The target of a tool outcome is `tool:`, its server, `/` and its name. A server id has no `/`.
function prepareStatistics(query: Prepare): ViewQueries['statistics'] {
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
  const firstSince = prepareFirstSince(query);
  return ({ namespace, since }) => rows.all({ namespace, fromSeq: since === undefined ? 0 : firstSince(since) });
}

const statisticsRowSchema = toolStatisticsSchema
  .omit({ outcomes: true })
  .extend(toolStatisticsSchema.shape.outcomes.shape)
  .transform(({ success, error, timeout, abandoned, ...row }) => ({
    ...row,
    outcomes: { success, error, timeout, abandoned },
  }));

/**
 * Returns the number of the first record at or after a time, by halving, since records are in the order of time. Where the
 * clock was set back, it is one of those around the time.
 */
function prepareFirstSince(query: Prepare): (since: number) => number {
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

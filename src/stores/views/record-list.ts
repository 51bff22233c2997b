/**
 * The list of audit records: its filters, and the index that each combination of filters is read by.
 * The first filter with an index leads the search, and the list ends as soon as its page is full.
 */
import { z } from 'zod';
import { type AuditQuery, type AuditRecord, auditRecordSchema, targetSegment } from '../../shapes/audit.ts';
import { jsonColumn, type Parameters, type Query } from '../statement.ts';
import { traceKey } from './view-row.ts';

/** Prepares a statement whose rows have this schema. */
export type PrepareQuery = <Row>(sql: string, schema: z.ZodType<Row>) => Query<Row>;

/** A row whose record has the number of the row: the columns of another record would be wrong about it. */
export const recordRowSchema = z
  .object({ seq: z.int(), body: jsonColumn(auditRecordSchema) })
  .refine(({ seq, body }) => body.seq === seq, 'the record has another number than its row')
  .transform(({ body }) => body);

/** The number of a name that is a parameter; NULL for a name that no record has. */
export function nameParameter(name: string): string {
  return `(SELECT id FROM names WHERE name = :${name})`;
}

/**
 * Prepares the list.
 * @param firstSince returns the number of the first record at or after a time
 */
export function prepareRecordList(
  query: PrepareQuery,
  firstSince: (time: number) => number,
): (query: AuditQuery) => AuditRecord[] {
  const matching = prepareMatching(query);
  const targetsOfServer = prepareTargetsOfServer(query);
  const bySeq = query('SELECT seq, body FROM records WHERE seq = :seq', recordRowSchema);
  return (request) => {
    const { limit, order = 'oldest', serverId } = request;
    const bounds = boundsOf(request, firstSince);
    const conditions = conditionsOf(request);
    const read = (list: readonly Condition[]) => matching(list, { ...bounds, limit, order });
    const seqs =
      serverId === undefined
        ? read(conditions)
        : targetsOfServer(serverId).flatMap((id) => read([targetCondition(id), ...conditions]));
    // The records of a server are the first of those of each of its targets, which are each in the order of the list.
    const sorted = seqs.sort((a, b) => (order === 'oldest' ? a - b : b - a)).slice(0, limit);
    return sorted.map((seq) => bySeq.first({ seq })).filter((record) => record !== undefined);
  };
}

/** A condition on a column. */
interface Condition {
  column: string;
  /** The comparison, without the column. */
  is: string;
  /** Whether the column has an index that the list can be read by. */
  leads: boolean;
  /** A further condition that belongs to it. */
  also?: string;
  parameters?: Parameters;
}

/** The numbers of outcomes in `names`: see views.sql. */
const outcomeIds = { success: 2, error: 3, timeout: 4, abandoned: 5 };

/** The conditions of the filters, those first that few records match. */
function conditionsOf({ traceId, target, event, outcome, agentId }: AuditQuery): Condition[] {
  const conditions: Condition[] = [];
  if (traceId !== undefined) {
    const also = `json_extract(body, '$.trace_id') = :traceId`;
    conditions.push({
      column: 'trace',
      is: '= :traceKey',
      leads: true,
      also,
      parameters: { traceKey: traceKey(traceId), traceId },
    });
  }
  if (target !== undefined)
    conditions.push({ column: 'target', is: `= ${nameParameter('target')}`, leads: true, parameters: { target } });
  // The indexes of events and outcomes leave out what most records are. SQLite uses them only if the statement does, too.
  if (event !== undefined && event !== 'TOOL_OUTCOME')
    conditions.push({
      column: 'event',
      is: `= ${nameParameter('event')}`,
      leads: true,
      also: 'event <> 1',
      parameters: { event },
    });
  if (outcome !== undefined && outcome !== 'success')
    conditions.push({ column: 'outcome', is: `= ${outcomeIds[outcome]}`, leads: true, also: 'outcome > 2' });
  if (agentId !== undefined)
    conditions.push({ column: 'agent', is: `= ${nameParameter('agentId')}`, leads: true, parameters: { agentId } });
  if (event === 'TOOL_OUTCOME') conditions.push({ column: 'event', is: '= 1', leads: false });
  if (outcome === 'success') conditions.push({ column: 'outcome', is: `= ${outcomeIds.success}`, leads: false });
  return conditions;
}

function targetCondition(targetId: number): Condition {
  return { column: 'target', is: '= :targetId', leads: true, parameters: { targetId } };
}

interface Page {
  first: number;
  last: number;
  limit: number;
  order: 'oldest' | 'newest';
}

/** The numbers of the first and of the last record that may be in the list. */
function boundsOf({ order, after, since, until }: AuditQuery, firstSince: (time: number) => number) {
  const first = order === 'newest' || after === undefined ? 1 : after + 1;
  const last = order === 'newest' && after !== undefined ? after - 1 : Number.MAX_SAFE_INTEGER;
  return {
    first: since === undefined ? first : Math.max(first, firstSince(since)),
    last: until === undefined ? last : Math.min(last, firstSince(until) - 1),
  };
}

/** Prepares the search for the numbers of matching records, with one statement per set of conditions. */
function prepareMatching(query: PrepareQuery): (conditions: readonly Condition[], page: Page) => number[] {
  const prepared = new Map<string, Query<number>>();
  return (conditions, { first, last, limit, order }) => {
    const sql = matchingSql(conditions, order);
    const statement = prepared.get(sql) ?? query(sql, seqSchema);
    prepared.set(sql, statement);
    const parameters: Parameters = { first, last, limit };
    return statement.all(Object.assign(parameters, ...conditions.map((condition) => condition.parameters ?? {})));
  };
}

const seqSchema = z.object({ seq: z.int() }).transform(({ seq }) => seq);

// The unary plus keeps SQLite from reading the list by the index of another column than the first.
function matchingSql(conditions: readonly Condition[], order: Page['order']): string {
  const leading = conditions.findIndex(({ leads }) => leads);
  const compared = conditions.flatMap(({ column, is, also }, index) => [
    `${index === leading ? '' : '+'}${column} ${is}`,
    ...(also === undefined ? [] : [also]),
  ]);
  // A line that is not a valid record has no columns, so that it matches no condition. Without that of the event, the failed
  // calls of a server are found in the index alone.
  const isRecord = conditions.length === 0 ? ['event IS NOT NULL'] : [];
  const all = ['seq BETWEEN :first AND :last', ...isRecord, ...compared].join(' AND ');
  return `SELECT seq FROM records WHERE ${all} ORDER BY seq ${order === 'oldest' ? 'ASC' : 'DESC'} LIMIT :limit`;
}

/**
 * Prepares the search for the targets of a server: itself, and its tools, which all begin with `tool:`, its id and `/`. The
 * character after `/` is `0`.
 */
function prepareTargetsOfServer(query: PrepareQuery): (serverId: string) => number[] {
  const targets = query(
    `SELECT id FROM names WHERE name = 'server:' || :serverId
     UNION ALL SELECT id FROM names WHERE name >= 'tool:' || :segment || '/' AND name < 'tool:' || :segment || '0'`,
    z.object({ id: z.int() }).transform(({ id }) => id),
  );
  return (serverId) => targets.all({ serverId, segment: targetSegment(serverId) });
}

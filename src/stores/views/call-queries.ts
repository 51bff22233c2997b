/** The queries of tool calls: whether there are any, those of a tool, those that searches led to. */
import { z } from 'zod';
import type { AuditRecord } from '../../shapes/audit.ts';
import { outcomeSchema } from '../../shapes/event.ts';
import { type SearchUse, searchUseSchema } from '../../shapes/search.ts';
import { nameParameter, type PrepareQuery, recordRowSchema } from './record-list.ts';
import { idKey } from './view-row.ts';

/** The queries. Each reads a bounded number of rows. */
export interface CallQueries {
  /** Whether a tool call is among the newest 10,000 records. */
  hasCalls(): boolean;
  /** The newest calls of a tool, by the target of its records; undefined if there are none. */
  callsOf(tool: { target: string; fromSeq: number; namespace: string | undefined }): CallSummary | undefined;
  /** The newest failed calls of a tool among its newest 10,000, the newest first. */
  failuresOf(tool: { target: string; limit: number }): AuditRecord[];
  /** The calls that were credited to these searches. */
  usesOf(searchIds: readonly string[]): SearchUse[];
}

/** Outcomes and latency of calls. Latencies and `lastCalledAt` are milliseconds. */
export type CallSummary = z.infer<typeof callSummarySchema>;

const callSummarySchema = z.object({
  calls: z.int().min(1),
  ...{ success: z.int(), error: z.int(), timeout: z.int(), abandoned: z.int() },
  ...{ latencyMsMean: z.number(), latencyMsP95: z.number(), lastCalledAt: z.number() },
});

/** The records that are looked at for a tool call, which in a hub that is used is among the newest. */
const recordsMax = 10_000;
/** The newest calls of a tool that are summed up. */
export const summedCallsMax = 10_000;

/** Prepares the queries. */
export function prepareCallQueries(query: PrepareQuery): CallQueries {
  const anyCall = query(
    `SELECT seq FROM (SELECT seq, outcome FROM records ORDER BY seq DESC LIMIT ${recordsMax})
     WHERE outcome IS NOT NULL LIMIT 1`,
    z.object({ seq: z.int() }),
  );
  // Numbers of outcomes: see views.sql. The 95th percentile is that of statistics-query.ts.
  const calls = query(
    `SELECT calls, success, error, timeout, abandoned, latencyMsMean, latencyMsP95, last.time AS lastCalledAt
     FROM (
       SELECT count(*) AS calls, sum(outcome = 2) AS success, sum(outcome = 3) AS error, sum(outcome = 4) AS timeout,
         sum(outcome = 5) AS abandoned, avg(latency_ms) AS latencyMsMean,
         percentile_cont(latency_ms, 0.95) AS latencyMsP95, max(seq) AS lastSeq
       FROM (
         SELECT seq, outcome, latency_ms FROM records INDEXED BY records_by_target
         WHERE target = ${nameParameter('target')} AND seq >= :fromSeq AND outcome IS NOT NULL
           AND (:namespace IS NULL OR namespace = ${nameParameter('namespace')})
         ORDER BY seq DESC LIMIT ${summedCallsMax}
       )
     ) JOIN records AS last ON last.seq = lastSeq`,
    callSummarySchema,
  );
  const failures = query(
    `SELECT seq, (SELECT body FROM records AS whole WHERE whole.seq = newest.seq) AS body FROM (
       SELECT seq, outcome FROM records INDEXED BY records_by_target
       WHERE target = ${nameParameter('target')} AND outcome IS NOT NULL ORDER BY seq DESC LIMIT ${summedCallsMax}
     ) AS newest WHERE outcome > 2 ORDER BY seq DESC LIMIT :limit`,
    recordRowSchema,
  );
  const uses = query(
    `SELECT records.seq AS seq, wanted.value ->> 'id' AS searchId, json_extract(body, '$.fields.server_id') AS serverId,
       json_extract(body, '$.fields.tool_name') AS toolName, names.name AS outcome
     FROM json_each(:searches) AS wanted
       JOIN records INDEXED BY records_by_search ON records.search = wanted.value ->> 'key' AND records.search IS NOT NULL
       JOIN names ON names.id = records.outcome
     WHERE json_extract(body, '$.fields.credited_search_id') = wanted.value ->> 'id'`,
    searchUseSchema.extend({ outcome: outcomeSchema }),
  );
  return {
    hasCalls: () => anyCall.first() !== undefined,
    callsOf: ({ target, fromSeq, namespace }) => calls.first({ target, fromSeq, namespace }),
    failuresOf: ({ target, limit }) => failures.all({ target, limit }),
    usesOf: (searchIds) => uses.all({ searches: JSON.stringify(searchIds.map((id) => ({ id, key: idKey(id) }))) }),
  };
}

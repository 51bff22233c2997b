/**
 * The queries over the file of the views, on one read-only connection.
 * A row that does not parse was valid when it was written, so it means that the file is corrupt.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { AuditQuery, AuditRecord } from '../../shapes/audit.ts';
import { type Outcome, outcomeSchema } from '../../shapes/event.ts';
import { prepareQuery } from '../statement.ts';
import type { StorageFailure } from '../storage-error.ts';
import { type CallQueries, prepareCallQueries } from './call-queries.ts';
import { nameParameter, type PrepareQuery, prepareRecordList, recordRowSchema } from './record-list.ts';
import { type RecordedOutcome, recordedOutcome } from './recorded-outcome.ts';
import { idKey } from './view-row.ts';

/** Outcomes that were credited to a search: see `AuditViews.outcomesWithSearch`. */
export interface OutcomePage {
  after: number | undefined;
  limit: number;
  newestMax: number;
}

/** The queries. All are synchronous, and throw the error that the failure conversion returns. */
export interface ViewQueries extends CallQueries {
  list(query: AuditQuery): AuditRecord[];
  /** The number of the first record at or after a time in Unix milliseconds. */
  firstSince(time: number): number;
  callMinutes(filter: { sinceMinute: number; namespace?: string | undefined }): CallMinute[];
  eventCounts(filter: { since: number; namespace?: string | undefined }): { event: string; count: number }[];
  findOutcomeWithSearch(callId: string): RecordedOutcome | undefined;
  outcomesWithSearch(page: OutcomePage): RecordedOutcome[];
}

/** Prepares the queries. @throws what SQLite throws */
export function prepareViewQueries(connection: DatabaseSync, failure: StorageFailure): ViewQueries {
  const query: PrepareQuery = (sql, schema) => prepareQuery(connection, sql, schema, failure);
  const firstSince = prepareFirstSince(query);
  return {
    list: prepareRecordList(query, firstSince),
    firstSince,
    callMinutes: prepareCallMinutes(query),
    eventCounts: prepareEventCounts(query, firstSince),
    ...prepareCallQueries(query),
    ...prepareOutcomes(query),
  };
}

/** The calls of a minute with the same outcome and latency bucket, in one namespace or in all. `minute` is in Unix minutes. */
export interface CallMinute {
  minute: number;
  outcome: Outcome;
  bucket: number;
  calls: number;
}

function prepareCallMinutes(query: PrepareQuery): ViewQueries['callMinutes'] {
  const minutes = query(
    `SELECT minute, name AS outcome, bucket, sum(calls) AS calls FROM call_minutes JOIN names ON names.id = outcome
     WHERE minute >= :sinceMinute AND (:namespace IS NULL OR namespace = ${nameParameter('namespace')})
     GROUP BY minute, outcome, bucket`,
    z.object({ minute: z.int(), outcome: outcomeSchema, bucket: z.int(), calls: z.int() }),
  );
  return ({ sinceMinute, namespace }) => minutes.all({ sinceMinute, namespace });
}

function prepareEventCounts(query: PrepareQuery, firstSince: (time: number) => number): ViewQueries['eventCounts'] {
  const counts = query(
    `SELECT name AS event, count(*) AS count FROM records INDEXED BY records_by_event JOIN names ON names.id = event
     WHERE event <> 1 AND seq >= :fromSeq AND (:namespace IS NULL OR namespace = ${nameParameter('namespace')})
     GROUP BY event ORDER BY name`,
    z.object({ event: z.string(), count: z.int() }),
  );
  return ({ since, namespace }) => counts.all({ fromSeq: firstSince(since), namespace });
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
    findOutcomeWithSearch: (callId) => byCall.first({ key: idKey(callId), callId }),
    outcomesWithSearch: ({ after, limit, newestMax }) =>
      credited.all({ after: after ?? before.first({ newestMax })?.seq ?? 0, limit }),
  };
}

/**
 * Returns the number of the first record at or after a time, by halving, since records are in the order of time. Where the
 * clock was set back, it is one of those around the time.
 */
function prepareFirstSince(query: PrepareQuery): (since: number) => number {
  const ends = query(
    'SELECT (SELECT min(seq) FROM records) AS oldest, (SELECT max(seq) FROM records) AS newest',
    endsSchema,
  );
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

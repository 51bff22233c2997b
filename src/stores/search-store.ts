/** Searches and lessons at rest: what was shown to whom and why, and what its outcomes taught. */
import { z } from 'zod';
import { type Lesson, lessonSchema, type SearchRecord, shownToolSchema } from '../shapes/search.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn, optionalColumn } from './statement.ts';

/** Reads and writes searches. All methods throw HestiaError STORAGE_FAILED where the database fails. */
export interface SearchStore {
  insert(tx: Transaction, record: SearchRecord): Promise<void>;
  find(searchId: string): Promise<SearchRecord | undefined>;
  /** Deletes the oldest searches made before `before` (Unix milliseconds), at most `limit`; answers how many. May be repeated. */
  prune(tx: Transaction, range: { before: number; limit: number }): Promise<number>;
  /**
   * Writes what an outcome taught; the outcome must be written first, and takes its lesson along when it is deleted.
   * Answers false where this search has taught about the tool already, whichever process it was.
   */
  insertLesson(tx: Transaction, lesson: Lesson): Promise<boolean>;
  /** Lessons in the order they were learned, after a position from the page before; the first page from `newestMax` back. */
  lessons(page: { after: number | undefined; limit: number; newestMax: number }): Promise<StoredLesson[]>;
}

/** A lesson and its position in the order of learning. */
export interface StoredLesson {
  position: number;
  lesson: Lesson;
}

/** Makes the store of searches in `database`. */
export function createSearchStore(database: Database): SearchStore {
  const insert = database.command(
    `INSERT INTO searches (search_id, key_id, agent_id, namespace, query, query_key, source, scoring, shown, searched_at)
     VALUES (:searchId, :keyId, :agentId, :namespace, :query, :queryKey, :source, :scoring, :shown, :searchedAt)`,
  );
  const find = database.query(
    `SELECT search_id AS searchId, key_id AS keyId, agent_id AS agentId, namespace, query, query_key AS queryKey,
       source, scoring, shown, searched_at AS searchedAt
     FROM searches WHERE search_id = :searchId`,
    searchRowSchema,
  );
  const prune = database.command(
    `DELETE FROM searches WHERE rowid IN
       (SELECT rowid FROM searches WHERE searched_at < :before ORDER BY searched_at LIMIT :limit)`,
  );
  const insertLesson = database.command(
    `INSERT INTO lessons (call_id, search_id, namespace, key_id, query_key, server_id, tool_name, tool_namespace,
       outcome, latency_ms, blame, recorded_at)
     VALUES (:callId, :searchId, :namespace, :keyId, :queryKey, :serverId, :toolName, :toolNamespace,
       :outcome, :latencyMs, :blame, :recordedAt)
     ON CONFLICT (search_id, server_id, tool_name) DO NOTHING`,
  );
  const lessons = prepareLessons(database);
  return {
    insert: async (tx, record) => {
      insert.run(tx, { ...record, shown: JSON.stringify(record.shown) });
    },
    find: async (searchId) => find.first({ searchId }),
    prune: async (tx, { before, limit }) => prune.run(tx, { before, limit }),
    insertLesson: async (tx, { queryKey, toolNamespace, ...lesson }) =>
      insertLesson.run(tx, { ...lesson, queryKey, toolNamespace }) === 1,
    lessons,
  };
}

function prepareLessons(database: Database): SearchStore['lessons'] {
  const query = database.query(
    `SELECT position, call_id AS callId, search_id AS searchId, namespace, key_id AS keyId, query_key AS queryKey,
       server_id AS serverId, tool_name AS toolName, tool_namespace AS toolNamespace, outcome,
       latency_ms AS latencyMs, blame, recorded_at AS recordedAt
     FROM lessons
     WHERE position > coalesce(:after, (SELECT max(position) FROM lessons) - :newestMax)
     ORDER BY position LIMIT :limit`,
    lessonRowSchema,
  );
  return async ({ after, limit, newestMax }) => query.all({ after, limit, newestMax });
}

const searchRowSchema = z.object({
  searchId: z.string(),
  keyId: z.string(),
  agentId: z.string(),
  namespace: z.string(),
  query: z.string(),
  queryKey: optionalColumn(z.string()),
  source: z.string(),
  scoring: z.enum(['lexical', 'hybrid']),
  shown: jsonColumn(z.array(shownToolSchema)),
  searchedAt: z.number(),
});

const lessonRowSchema = lessonSchema
  .extend({
    position: z.int(),
    queryKey: optionalColumn(z.string()),
    toolNamespace: optionalColumn(z.string()),
  })
  .transform(({ position, queryKey, toolNamespace, ...row }): StoredLesson => {
    const lesson = { ...row, ...(queryKey !== undefined && { queryKey }) };
    return { position, lesson: { ...lesson, ...(toolNamespace !== undefined && { toolNamespace }) } };
  });

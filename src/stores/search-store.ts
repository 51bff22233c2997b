/** The store of searches with their results, and of the lessons learned from tool outcomes. */
import { z } from 'zod';
import {
  type Lesson,
  type LessonText,
  lessonSchema,
  type SearchRecord,
  searchRecordSchema,
  shownToolSchema,
} from '../shapes/search.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** Reads and writes searches. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SearchStore {
  insert(tx: Transaction, record: SearchRecord): Promise<void>;
  find(searchId: string): Promise<SearchRecord | undefined>;
  /** Deletes the oldest searches made before `before` (Unix milliseconds), at most `limit`; returns how many. May be repeated. */
  prune(tx: Transaction, range: { before: number; limit: number }): Promise<number>;
  /**
   * Stores the lesson of an outcome. The outcome must be stored first; deleting it deletes the lesson.
   * Returns false if a lesson of the same search about the same tool exists, even if another process stored it.
   */
  insertLesson(tx: Transaction, lesson: Lesson): Promise<boolean>;
  /** Lessons in the order they were learned, after the position `after`. Without it, the page starts `newestMax` from the end. */
  lessons(page: { after: number | undefined; limit: number; newestMax: number }): Promise<StoredLesson[]>;
  /** Lessons by the ids of their calls, each with its query, or with the query's content words if the search was deleted. */
  lessonTexts(callIds: readonly string[]): Promise<LessonText[]>;
  /** The call ids of the newest lessons. */
  newestLessons(limit: number): Promise<string[]>;
}

/** A lesson and its position in the order of learning. */
export interface StoredLesson {
  position: number;
  lesson: Lesson;
}

/** Creates the store of searches in `database`. */
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
    insertLesson: async (tx, lesson) => insertLesson.run(tx, { ...lesson }) === 1,
    lessons,
    ...prepareLessonTexts(database),
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
    storedLessonSchema,
  );
  return async ({ after, limit, newestMax }) => query.all({ after, limit, newestMax }).map(storedLesson);
}

function prepareLessonTexts(database: Database): Pick<SearchStore, 'lessonTexts' | 'newestLessons'> {
  const texts = database.query(
    `SELECT position, call_id AS callId, search_id AS searchId, lessons.namespace, lessons.key_id AS keyId,
       lessons.query_key AS queryKey, server_id AS serverId, tool_name AS toolName, tool_namespace AS toolNamespace,
       outcome, latency_ms AS latencyMs, blame, recorded_at AS recordedAt,
       coalesce(searches.query, lessons.query_key, tool_name) AS query
     FROM lessons LEFT JOIN searches USING (search_id) WHERE call_id IN (SELECT value FROM json_each(:callIds))`,
    storedLessonSchema.extend({ query: z.string() }),
  );
  const newest = database.query(
    'SELECT call_id AS callId FROM lessons ORDER BY position DESC LIMIT :limit',
    z.object({ callId: z.string() }),
  );
  return {
    lessonTexts: async (callIds) =>
      texts.all({ callIds: JSON.stringify(callIds) }).map(({ query, ...row }) => ({ ...storedLesson(row), query })),
    newestLessons: async (limit) => newest.all({ limit }).map(({ callId }) => callId),
  };
}

const searchRowSchema = searchRecordSchema.extend({ shown: jsonColumn(z.array(shownToolSchema)) });

const storedLessonSchema = lessonSchema.extend({ position: z.int() });

function storedLesson({ position, ...lesson }: z.infer<typeof storedLessonSchema>): StoredLesson {
  return { position, lesson };
}

/** The store of searches with their results. */
import { z } from 'zod';
import {
  type ListedSearch,
  listedSearchSchema,
  type SearchFilter,
  type SearchRecord,
  type ShownTool,
  searchRecordSchema,
  shownToolSchema,
} from '../shapes/search.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn, type Query } from './statement.ts';

/** Reads and writes searches. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SearchStore {
  insert(tx: Transaction, record: SearchRecord): Promise<void>;
  find(searchId: string): Promise<SearchRecord | undefined>;
  isEmpty(): Promise<boolean>;
  /** The searches in which these tools were shown, each with the tool. Pairs that are not stored are missing. */
  findShown(pairs: readonly SearchedTool[]): Promise<FoundTool[]>;
  /** Searches, the newest first, before a position of the list; at most `limit`. */
  list(filter: SearchFilter & { before: number | undefined; limit: number }): Promise<ListedSearch[]>;
  /** Deletes the oldest searches made before `before` (Unix milliseconds), at most `limit`; returns how many. May be repeated. */
  prune(tx: Transaction, range: { before: number; limit: number }): Promise<number>;
  /** Deletes the oldest searches but `searchesMax`, at most `limit`; returns how many. May be repeated. */
  pruneBeyond(tx: Transaction, range: { searchesMax: number; limit: number }): Promise<number>;
}

/** A tool in the results of a search. */
export interface SearchedTool {
  searchId: string;
  serverId: string;
  toolName: string;
}

/** A tool that a search showed, with the parts of the search that lessons need. */
export interface FoundTool {
  searchId: string;
  query: string;
  queryKey?: string | undefined;
  shown: ShownTool;
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
  const any = database.query('SELECT search_id AS searchId FROM searches LIMIT 1', z.object({ searchId: z.string() }));
  const findShown = database.query(
    `SELECT search_id AS searchId, query, query_key AS queryKey, tool.value AS shown
     FROM json_each(:pairs) AS pair
       JOIN searches ON search_id = pair.value ->> 'searchId'
       JOIN json_each(searches.shown) AS tool
     WHERE tool.value ->> 'serverId' = pair.value ->> 'serverId' AND tool.value ->> 'toolName' = pair.value ->> 'toolName'
       AND tool.value ->> 'offer' IS NULL`,
    foundToolSchema,
  );
  const prune = database.command(
    `DELETE FROM searches WHERE rowid IN
       (SELECT rowid FROM searches WHERE searched_at < :before ORDER BY searched_at LIMIT :limit)`,
  );
  // Row numbers ascend with each search, so that the table is not counted.
  const pruneBeyond = database.command(
    `DELETE FROM searches WHERE rowid IN
       (SELECT rowid FROM searches WHERE rowid <= (SELECT max(rowid) FROM searches) - :searchesMax
        ORDER BY rowid LIMIT :limit)`,
  );
  const list = prepareList(database);
  return {
    list: async (filter) => list(filter),
    insert: async (tx, record) => {
      insert.run(tx, { ...record, shown: JSON.stringify(record.shown) });
    },
    find: async (searchId) => find.first({ searchId }),
    isEmpty: async () => any.first() === undefined,
    findShown: async (pairs) => findShown.all({ pairs: JSON.stringify(pairs) }),
    prune: async (tx, { before, limit }) => prune.run(tx, { before, limit }),
    pruneBeyond: async (tx, { searchesMax, limit }) => pruneBeyond.run(tx, { searchesMax, limit }),
  };
}

/** Prepares the list, with one statement for each set of filters, so that each is read by an index. */
function prepareList(database: Database): (filter: Parameters<SearchStore['list']>[0]) => ListedSearch[] {
  const prepared = new Map<string, Query<ListedSearch>>();
  return ({ agentId, since, until, foundNothing, before, limit }) => {
    const bounds = { since, until, before, agentId };
    const conditions = [
      foundNothing && "shown = '[]'",
      agentId !== undefined && 'agent_id = :agentId',
      since !== undefined && 'searched_at >= :since',
      until !== undefined && 'searched_at < :until',
      before !== undefined && 'rowid < :before',
    ].filter((condition) => condition !== false);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const statement = prepared.get(where) ?? database.query(`${selectListed} ${where} ${listOrder}`, listedRowSchema);
    prepared.set(where, statement);
    const given = Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));
    return statement.all({ ...given, limit });
  };
}

const selectListed = `SELECT rowid AS position, search_id AS searchId, agent_id AS agentId, namespace, query,
    searched_at AS searchedAt,
    (SELECT json_group_array(json_array(value ->> 'serverId', value ->> 'toolName')) FROM json_each(shown)) AS shown
  FROM searches`;
const listOrder = 'ORDER BY searched_at DESC, rowid DESC LIMIT :limit';

const listedRowSchema = listedSearchSchema.extend({ shown: jsonColumn(listedSearchSchema.shape.shown) });

const searchRowSchema = searchRecordSchema.extend({ shown: jsonColumn(z.array(shownToolSchema)) });

const foundToolSchema = searchRecordSchema
  .pick({ searchId: true, query: true, queryKey: true })
  .extend({ shown: jsonColumn(shownToolSchema) });

/**
 * The store of audit records: append-only rows in the order of the hash chain.
 * It enforces that order, and prunes only the oldest records. The domain hashes and verifies the records.
 */
import { strict as assert } from 'node:assert';
import { z } from 'zod';
import {
  type AuditQuery,
  type ChainedAuditRecord,
  type ChainedRecord,
  type ChainHead,
  chainedAuditRecordSchema,
  type StoredRecord,
} from '../shapes/audit.ts';
import { prepareAuditPruning } from './audit-pruning.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** Reads and appends audit records. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface AuditStore {
  /** The id of this chain's writer. It is created with the database and never changes. */
  writerId(): string;
  /**
   * Stores the record that `build` creates to follow `head`, and returns it.
   * @throws AssertionError if the record does not follow `head`.
   */
  append(tx: Transaction, build: (head: ChainHead) => ChainedRecord): Promise<ChainedAuditRecord>;
  /**
   * The head after `row`, if the row follows `head` and is byte for byte what this process appended. Undefined if the row was
   * changed, was appended by another process, or is no longer among the last ones kept in memory.
   */
  headIfUnchanged(row: StoredRecord, head: ChainHead): ChainHead | undefined;
  /** Records after `query.after` that match all given filters, ascending by seq, at most `query.limit`. */
  list(query: AuditQuery): Promise<ChainedAuditRecord[]>;
  /** Unparsed rows after `after` up to and including `until`, for verification, ascending by seq, at most `limit`. */
  listRaw(page: { after: number; until: number; limit: number }): Promise<StoredRecord[]>;
  /** The position and hash that the next record follows. */
  head(): Promise<ChainHead>;
  /** The position and hash that the oldest kept record follows: the last pruned record, or seq 0 and 64 zeros. */
  anchor(): Promise<ChainHead>;
  /**
   * Deletes the oldest records, at most `limit`, and returns how many. Only ranges whose checkpoint was signed before `before`
   * (ISO 8601 in UTC) are deleted. The anchor moves to the end of a range first, and the next call deletes the records that
   * `limit` left before it. May be repeated.
   */
  prune(tx: Transaction, range: { before: string; limit: number }): Promise<number>;
}

/** The number of last records whose bytes are kept in memory, for {@link AuditStore.headIfUnchanged}. */
const recentRecordsMax = 2048;

/** Creates the store of the audit trail in `database`. */
export function createAuditStore(database: Database): AuditStore {
  const last = database.query('SELECT seq, hash FROM audit_records ORDER BY seq DESC LIMIT 1', positionSchema);
  const anchor = database.query('SELECT seq, hash FROM audit_anchor', positionSchema);
  const insert = database.command('INSERT INTO audit_records (seq, body) VALUES (:seq, :body)');
  const raw = database.query(
    'SELECT seq, CAST(body AS BLOB) AS body FROM audit_records WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :limit',
    z.object({ seq: z.int(), body: utf8Column }),
  );
  const writer = database.query('SELECT writer_id FROM audit_writer', z.object({ writer_id: z.string() })).first();
  assert(writer !== undefined, 'the schema inserts the writer');
  const prune = prepareAuditPruning(database);
  const list = prepareList(database);
  const anchorPosition = () => {
    const found = anchor.first();
    assert(found !== undefined, 'the schema inserts the anchor');
    return found;
  };
  const headPosition = () => last.first() ?? anchorPosition();
  // The head is cached until a rollback, since only this process appends to the chain.
  let appended: { head: ChainHead; rollbacksCount: number } | undefined;
  const recent = new Map<number, ChainedRecord>();
  return {
    writerId: () => writer.writer_id,
    async append(tx, build) {
      const rollbacksCount = database.rollbacksCount();
      const head = appended?.rollbacksCount === rollbacksCount ? appended.head : headPosition();
      const { record, body } = build(head);
      assert.equal(record.seq, head.seq + 1, 'a record counts on from the head');
      assert.equal(record.previous_hash, head.hash, 'a record holds the hash of the head');
      insert.run(tx, { seq: record.seq, body });
      appended = { head: { seq: record.seq, hash: record.hash }, rollbacksCount };
      // The next record of this number overwrites one that was rolled back.
      recent.set(record.seq, { record, body });
      recent.delete(record.seq - recentRecordsMax);
      return record;
    },
    headIfUnchanged: ({ seq, body }, head) => {
      const known = recent.get(seq);
      const isSame = known?.body === body && seq === head.seq + 1 && known.record.previous_hash === head.hash;
      return isSame ? { seq, hash: known.record.hash } : undefined;
    },
    list,
    listRaw: async (page) => raw.all(page),
    head: async () => headPosition(),
    anchor: async () => anchorPosition(),
    prune: async (tx, range) => prune(tx, range),
  };
}

/** Text decoded from its bytes. Invalid UTF-8 becomes empty, since repaired text could pass for the original. */
const utf8Column = z.instanceof(Uint8Array).transform((bytes) => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return '';
  }
});

const positionSchema = z.object({ seq: z.int(), hash: z.string() });

const filters = { event: 'event', agentId: 'agent_id', traceId: 'trace_id' } as const;

// One statement per set of filters, since SQLite uses an index only for a column that the statement names.
function prepareList(database: Database): AuditStore['list'] {
  const bodySchema = z.object({ body: jsonColumn(chainedAuditRecordSchema) });
  const prepare = (names: readonly (keyof typeof filters)[], more: readonly string[]) => {
    const conditions = ['seq > :after', ...names.map((name) => `${filters[name]} = :${name}`), ...more];
    return database.query(
      `SELECT body FROM audit_records WHERE ${conditions.join(' AND ')} ORDER BY seq LIMIT :limit`,
      bodySchema,
    );
  };
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  return async ({ after, limit, ...values }) => {
    const names = (['traceId', 'event', 'agentId'] as const).filter((name) => values[name] !== undefined);
    // The partial index of events leaves out TOOL_OUTCOME. SQLite uses it only if the statement excludes that event, too.
    const more = values.event === undefined || values.event === 'TOOL_OUTCOME' ? [] : [`event <> 'TOOL_OUTCOME'`];
    const key = [...names, ...more].join();
    const statement = prepared.get(key) ?? prepare(names, more);
    prepared.set(key, statement);
    const filterValues = Object.fromEntries(names.map((name) => [name, values[name]]));
    return statement.all({ ...filterValues, after, limit }).map(({ body }) => body);
  };
}

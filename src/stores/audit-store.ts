/**
 * The audit trail at rest: append-only rows in the order of the chain, pruned only from the oldest end.
 * Keeps the chain's order; how records are hashed and verified is the domain's business.
 */
import { strict as assert } from 'node:assert';
import { z } from 'zod';
import {
  type AuditQuery,
  type AuditRecord,
  auditRecordSchema,
  type ChainedRecord,
  type ChainHead,
  type StoredRecord,
} from '../shapes/audit.ts';
import { prepareAuditPruning } from './audit-pruning.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** Reads and extends the trail. All methods throw HestiaError STORAGE_FAILED where the database fails. */
export interface AuditStore {
  /** Who writes this chain; made with the database, and never changed. */
  writerId(): string;
  /**
   * Stores the record that `build` makes to follow `head`, and answers it.
   * @throws AssertionError where the record does not follow `head`.
   */
  append(tx: Transaction, build: (head: ChainHead) => ChainedRecord): Promise<AuditRecord>;
  /**
   * The head that a row leaves which follows `head` and has the very bytes that this process appended; undefined for a row that
   * was appended long ago, by another process, or is not what it was.
   */
  asAppended(row: StoredRecord, head: ChainHead): ChainHead | undefined;
  /** Records behind `query.after` that fit every filter given, ascending by seq, at most `query.limit`. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** Rows behind `after` up to and with `until`, for verification, ascending by seq, at most `limit`. */
  listRaw(page: { after: number; until: number; limit: number }): Promise<StoredRecord[]>;
  /** What the next record follows. */
  head(): Promise<ChainHead>;
  /** What the oldest kept record follows: the last pruned record, or seq 0 with a hash of 64 zeros. */
  anchor(): Promise<ChainHead>;
  /**
   * Deletes at most `limit` of the oldest records, whole checkpointed ranges only: those of checkpoints that were signed before
   * `before` (ISO 8601 in UTC). The anchor moves to the end of a range first; what the limit leaves behind it goes with the
   * next call. Answers how many were deleted. May be repeated.
   */
  prune(tx: Transaction, range: { before: string; limit: number }): Promise<number>;
}

/** Records whose bytes are kept in memory, the last ones: what is signed a moment later is held against them. */
const appendedKeptMax = 2048;

/** Makes the store of the audit trail in `database`. */
export function createAuditStore(database: Database): AuditStore {
  const last = database.query('SELECT seq, hash FROM audit_records ORDER BY seq DESC LIMIT 1', positionSchema);
  const anchor = database.query('SELECT seq, hash FROM audit_anchor', positionSchema);
  const insert = database.command('INSERT INTO audit_records (seq, body) VALUES (:seq, :body)');
  const raw = database.query(
    'SELECT seq, CAST(body AS BLOB) AS body FROM audit_records WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :limit',
    z.object({ seq: z.int(), body: utf8Column }),
  );
  const writer = database.query('SELECT writer_id FROM audit_writer', z.object({ writer_id: z.string() })).first();
  assert(writer !== undefined, 'the schema names the writer');
  const prune = prepareAuditPruning(database);
  const list = prepareList(database);
  const anchorPosition = () => {
    const found = anchor.first();
    assert(found !== undefined, 'the schema puts the anchor in place');
    return found;
  };
  const headPosition = () => last.first() ?? anchorPosition();
  // What was appended last, until a rollback: only this process extends the chain.
  let appended: { head: ChainHead; rollbacksCount: number } | undefined;
  const kept = new Map<number, ChainedRecord>();
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
      // One that is rolled back is written over by the next of its number.
      kept.set(record.seq, { record, body });
      kept.delete(record.seq - appendedKeptMax);
      return record;
    },
    asAppended: ({ seq, body }, head) => {
      const known = kept.get(seq);
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

/** Text by its bytes: what is not UTF-8 must not pass for the text that it is mended to. */
const utf8Column = z.instanceof(Uint8Array).transform((bytes) => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return '';
  }
});

const positionSchema = z.object({ seq: z.int(), hash: z.string() });

const filters = { event: 'event', agentId: 'agent_id', traceId: 'trace_id' } as const;

// One statement for each set of filters in use, since an index serves only what a statement names.
function prepareList(database: Database): AuditStore['list'] {
  const bodySchema = z.object({ body: jsonColumn(auditRecordSchema) });
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
    // The index of events leaves out the one that most records are of, and serves only who says that it is another.
    const more = values.event === undefined || values.event === 'TOOL_OUTCOME' ? [] : [`event <> 'TOOL_OUTCOME'`];
    const key = [...names, ...more].join();
    const statement = prepared.get(key) ?? prepare(names, more);
    prepared.set(key, statement);
    const given = Object.fromEntries(names.map((name) => [name, values[name]]));
    return statement.all({ ...given, after, limit }).map(({ body }) => body);
  };
}

/**
 * The audit trail at rest: append-only rows in the order of the chain, pruned only from the oldest end.
 * Keeps the chain's order; how records are hashed and verified is the domain's business.
 */
import { strict as assert } from 'node:assert';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import {
  type AuditQuery,
  type AuditRecord,
  auditRecordSchema,
  type ChainHead,
  type StoredRecord,
} from '../shapes/audit.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** Reads and extends the trail. All methods throw HestiaError STORAGE_FAILED where the database fails. */
export interface AuditStore {
  /**
   * Stores the record that `build` makes to follow `head`, and answers it.
   * @throws AssertionError where the record does not follow `head`.
   */
  append(tx: Transaction, build: (head: ChainHead) => AuditRecord): Promise<AuditRecord>;
  /** Records behind `query.after` that fit every filter given, ascending by seq, at most `query.limit`. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** Rows behind `after` for verification, ascending by seq, at most `limit`. */
  listRaw(page: { after: number; limit: number }): Promise<StoredRecord[]>;
  /** What the oldest kept record follows: the last pruned record, or seq 0 with a hash of 64 zeros. */
  anchor(): Promise<ChainHead>;
  /**
   * Deletes the oldest records of before `before` (ISO 8601 in UTC, as in the records), at most `limit`, up to
   * the first that is not older, and moves the anchor along. Answers how many. May be repeated.
   */
  prune(tx: Transaction, range: { before: string; limit: number }): Promise<number>;
}

/** Makes the store of the audit trail in `database`. */
export function createAuditStore(database: Database): AuditStore {
  const last = database.query('SELECT seq, hash FROM audit_records ORDER BY seq DESC LIMIT 1', positionSchema);
  const anchor = database.query('SELECT seq, hash FROM audit_anchor', positionSchema);
  const insert = database.command('INSERT INTO audit_records (seq, body) VALUES (:seq, :body)');
  const raw = database.query(
    'SELECT seq, body FROM audit_records WHERE seq > :after ORDER BY seq LIMIT :limit',
    z.object({ seq: z.int(), body: z.string() }),
  );
  const prune = preparePrune(database);
  const list = prepareList(database);
  const anchorPosition = () => {
    const found = anchor.first();
    assert(found !== undefined, 'the schema puts the anchor in place');
    return found;
  };
  return {
    async append(tx, build) {
      const head = last.first() ?? anchorPosition();
      const record = build(head);
      assert.equal(record.seq, head.seq + 1, 'a record counts on from the head');
      assert.equal(record.previous_hash, head.hash, 'a record holds the hash of the head');
      insert.run(tx, { seq: record.seq, body: canonicalize(record) });
      return record;
    },
    list,
    listRaw: async ({ after, limit }) => raw.all({ after, limit }),
    anchor: async () => anchorPosition(),
    prune,
  };
}

const positionSchema = z.object({ seq: z.int(), hash: z.string() });

const filters = { event: 'event', agentId: 'agent_id', traceId: 'trace_id' } as const;

// One statement for each set of filters in use, since an index serves only what a statement names.
function prepareList(database: Database): AuditStore['list'] {
  const bodySchema = z.object({ body: jsonColumn(auditRecordSchema) });
  const prepare = (names: readonly (keyof typeof filters)[]) => {
    const conditions = ['seq > :after', ...names.map((name) => `${filters[name]} = :${name}`)];
    return database.query(
      `SELECT body FROM audit_records WHERE ${conditions.join(' AND ')} ORDER BY seq LIMIT :limit`,
      bodySchema,
    );
  };
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  return async ({ after, limit, ...values }) => {
    const names = (['traceId', 'event', 'agentId'] as const).filter((name) => values[name] !== undefined);
    const statement = prepared.get(names.join()) ?? prepare(names);
    prepared.set(names.join(), statement);
    const given = Object.fromEntries(names.map((name) => [name, values[name]]));
    return statement.all({ ...given, after, limit }).map(({ body }) => body);
  };
}

function preparePrune(database: Database): AuditStore['prune'] {
  const oldest = database.query(
    'SELECT seq, time, hash FROM audit_records ORDER BY seq LIMIT :limit',
    positionSchema.extend({ time: z.string() }),
  );
  const moveAnchor = database.command('UPDATE audit_anchor SET seq = :seq, hash = :hash');
  const deleteUpTo = database.command('DELETE FROM audit_records WHERE seq <= :seq');
  return async (tx, { before, limit }) => {
    const rows = oldest.all({ limit });
    const firstKept = rows.findIndex(({ time }) => time >= before);
    const end = rows.at((firstKept === -1 ? rows.length : firstKept) - 1);
    if (end === undefined || firstKept === 0) return 0;
    moveAnchor.run(tx, { seq: end.seq, hash: end.hash });
    return deleteUpTo.run(tx, { seq: end.seq });
  };
}

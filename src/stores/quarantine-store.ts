/** The store of quarantined skills and tool definitions, one entry for each digest of their content. */
import { z } from 'zod';
import {
  type QuarantineEntry,
  type QuarantineFilter,
  type QuarantineSubject,
  quarantineDetailSchema,
  quarantineEntrySchema,
} from '../shapes/quarantine.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** The most entries without an operator's decision that are kept. Beyond it, the oldest are deleted. */
export const undecidedMax = 10_000;

/** A listed entry. Its `seq` is the cursor of the next page. */
export interface StoredQuarantineEntry extends QuarantineEntry {
  seq: number;
}

/** Reads and writes entries. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface QuarantineStore {
  /** Stores an entry. It replaces one of the same subject that is not decided on; one that an operator decided on stays. */
  put(tx: Transaction, entry: QuarantineEntry): Promise<void>;
  find(subject: QuarantineSubject): Promise<QuarantineEntry | undefined>;
  findById(quarantineId: string): Promise<QuarantineEntry | undefined>;
  /** Those that match all given filters, newest first, before the entry `before`, at most `limit`. */
  list(page: QuarantineFilter & { before?: number | undefined; limit: number }): Promise<StoredQuarantineEntry[]>;
  /** Stores a decision of an operator. Returns false if the entry does not exist or is in this state already. */
  decide(tx: Transaction, decision: QuarantineDecision): Promise<boolean>;
}

/** A decision of an operator; a refusal has a reason. `at` is Unix milliseconds. */
export interface QuarantineDecision {
  quarantineId: string;
  state: 'approved' | 'refused';
  by: string;
  at: number;
  reason?: string | undefined;
}

/** The states that operators set, in SQL. */
const decided = "('approved', 'refused')";

/** Creates the store of quarantine entries in `database`. */
export function createQuarantineStore(database: Database): QuarantineStore {
  const put = database.command(
    `INSERT INTO quarantine (quarantine_id, kind, scope, name, digest, state, detail, created_at)
     VALUES (:quarantineId, :kind, :scope, :name, :digest, :state, :detail, :createdAt)
     ON CONFLICT (kind, scope, name, digest) DO UPDATE SET state = excluded.state, detail = excluded.detail
       WHERE quarantine.state NOT IN ${decided}`,
  );
  const trim = database.command(
    `DELETE FROM quarantine WHERE state NOT IN ${decided} AND seq <= (
       SELECT seq FROM quarantine WHERE state NOT IN ${decided} ORDER BY seq DESC LIMIT 1 OFFSET ${undecidedMax})`,
  );
  const find = database.query(
    `${selectEntries} WHERE kind = :kind AND scope = :scope AND name = :name AND digest = :digest`,
    rowSchema,
  );
  const findById = database.query(`${selectEntries} WHERE quarantine_id = :quarantineId`, rowSchema);
  const list = database.query(
    `${selectEntries} WHERE (:kind IS NULL OR kind = :kind) AND (:state IS NULL OR state = :state)
       AND (:query IS NULL OR instr(lower(name), lower(:query)) > 0 OR instr(lower(scope), lower(:query)) > 0)
       AND (:before IS NULL OR seq < :before)
     ORDER BY seq DESC LIMIT :limit`,
    rowSchema,
  );
  const decide = database.command(
    `UPDATE quarantine SET state = :state, decided_at = :at, decided_by = :by, reason = :reason
     WHERE quarantine_id = :quarantineId AND state <> :state`,
  );
  return {
    async put(tx, { findings, changes, quarantineId, kind, scope, name, digest, state, createdAt }) {
      const detail = JSON.stringify({ findings, changes });
      put.run(tx, { quarantineId, kind, scope, name, digest, state, createdAt, detail });
      trim.run(tx);
    },
    find: async ({ kind, scope, name, digest }) => find.first({ kind, scope, name, digest }),
    findById: async (quarantineId) => findById.first({ quarantineId }),
    list: async ({ kind, state, query, before, limit }) => list.all({ kind, state, query, before, limit }),
    decide: async (tx, { quarantineId, state, by, at, reason }) =>
      decide.run(tx, { quarantineId, state, by, at, reason }) === 1,
  };
}

const selectEntries = `SELECT seq, quarantine_id AS quarantineId, kind, scope, name, digest, state, detail,
  created_at AS createdAt, decided_at AS decidedAt, decided_by AS decidedBy, reason FROM quarantine`;

const rowSchema = quarantineEntrySchema
  .omit({ findings: true, changes: true })
  .extend({ seq: z.int(), detail: jsonColumn(quarantineDetailSchema) })
  .transform(({ detail, ...row }) => ({ ...row, ...detail }));

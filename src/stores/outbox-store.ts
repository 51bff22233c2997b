/** The store of audit records that wait for the journal, each stored in the transaction of its change. */
import { z } from 'zod';
import { type AuditEntry, auditEntrySchema } from '../shapes/audit.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** An entry with the id by which the journal is searched for it. */
export type QueuedEntry = AuditEntry & { record_id: string };

/** A stored entry. Its record can only be in the journal behind the first `journalSize` records. */
export interface StoredEntry {
  entry: QueuedEntry;
  journalSize: number;
}

/** Reads and writes the waiting records. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface OutboxStore {
  insert(tx: Transaction, stored: StoredEntry): Promise<void>;
  /** All waiting records, in the order of their changes. */
  list(): Promise<StoredEntry[]>;
  /** Deletes the records of these ids. May be repeated. */
  delete(tx: Transaction, recordIds: readonly string[]): Promise<void>;
}

const rowSchema = z.object({
  entry: jsonColumn(auditEntrySchema.extend({ record_id: z.string() })),
  journalSize: z.int().min(0),
});

/** Creates the store in `database`. */
export function createOutboxStore(database: Database): OutboxStore {
  const insert = database.command(
    'INSERT INTO outbox (record_id, entry, journal_size) VALUES (:recordId, :entry, :journalSize)',
  );
  const list = database.query('SELECT entry, journal_size AS journalSize FROM outbox ORDER BY position', rowSchema);
  const remove = database.command('DELETE FROM outbox WHERE record_id IN (SELECT value FROM json_each(:recordIds))');
  return {
    insert: async (tx, { entry, journalSize }) => {
      insert.run(tx, { recordId: entry.record_id, entry: JSON.stringify(entry), journalSize });
    },
    list: async () => list.all(),
    delete: async (tx, recordIds) => {
      remove.run(tx, { recordIds: JSON.stringify(recordIds) });
    },
  };
}

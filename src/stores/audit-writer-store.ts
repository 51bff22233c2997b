/** The id of the audit trail's writer, which is created with the database and never changes. */
import { strict as assert } from 'node:assert';
import { z } from 'zod';
import type { Database } from './database.ts';

/** Reads the id. @throws HestiaError STORAGE_FAILED */
export function readWriterId(database: Database): string {
  const row = database.query('SELECT writer_id FROM audit_writer', z.object({ writer_id: z.string() })).first();
  assert(row !== undefined, 'the schema inserts the writer');
  return row.writer_id;
}

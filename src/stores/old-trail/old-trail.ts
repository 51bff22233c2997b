/**
 * The audit trail in a database of schema version 2 to 4, read to be taken over.
 * It knows the tables and nothing of what the records mean.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { restrictFile } from '../../flow/private-file.ts';
import type { StoredRecord } from '../../shapes/audit.ts';
import { digestSchema } from '../../shapes/audit.ts';
import { DatabaseOpenError } from '../storage-error.ts';

/** A checkpoint as it was stored: its canonical text, and the frontier of the tree up to its last record. */
export interface OldCheckpoint {
  number: number;
  lastSeq: number;
  body: string;
  frontier: string[];
}

/** The trail of one database. Disposing closes the connection. All methods throw what SQLite throws. */
export interface OldTrail extends Disposable {
  writerId: string;
  /** The position before the oldest record: the last record that was pruned, or seq 0 and 64 zeros. */
  anchor: { seq: number; hash: string };
  recordsCount: number;
  /** Records after `after`, ascending by seq, at most `limit`. */
  records(page: { after: number; limit: number }): StoredRecord[];
  /** The newest record; undefined where there is none. */
  last(): StoredRecord | undefined;
  /** Checkpoints after the number `after`, ascending, at most `limit`. */
  checkpoints(page: { after: number; limit: number }): OldCheckpoint[];
  /** The checkpoint that covers the records up to `seq` exactly. */
  checkpointAt(seq: number): OldCheckpoint | undefined;
  /** The search that was credited with an outcome; undefined if the outcome taught nothing. */
  creditedSearch(callId: string): string | undefined;
}

/** The versions whose trail can be taken over, and the application id of the hub's databases. */
const versions = { oldest: 2, newest: 4 };
const applicationId = 0x48455354;

const checkpointSchema = z.object({
  number: z.int(),
  lastSeq: z.int(),
  body: z.string(),
  frontier: z.string().transform((text) => z.array(digestSchema).parse(JSON.parse(text))),
});
const recordSchema = z.object({ seq: z.int(), body: z.string() });
const textSchema = z.object({ text: z.string() });
const countSchema = z.object({ count: z.int() });

/**
 * Opens the trail; undefined where there is no database, or one that has no trail of its own.
 * @throws DatabaseOpenError if the file cannot be read
 */
export function openOldTrail(file: string): OldTrail | undefined {
  if (!existsSync(file)) return undefined;
  let connection: DatabaseSync | undefined;
  try {
    restrictFile(file);
    connection = new DatabaseSync(file, { readOnly: true });
    if (hasTrail(connection)) return readTrail(connection);
    connection.close();
    return undefined;
  } catch (cause) {
    connection?.close();
    throw new DatabaseOpenError(file, cause);
  }
}

function hasTrail(connection: DatabaseSync): boolean {
  const row = connection
    .prepare(
      'SELECT user_version AS version, application_id AS application FROM pragma_user_version, pragma_application_id',
    )
    .get();
  const { version, application } = z.object({ version: z.int(), application: z.int() }).parse(row);
  return application === applicationId && version >= versions.oldest && version <= versions.newest;
}

function readTrail(connection: DatabaseSync): OldTrail {
  const one = <Row>(sql: string, schema: z.ZodType<Row>) => schema.parse(connection.prepare(sql).get());
  const checkpointColumns = 'SELECT number, last_seq AS lastSeq, body, frontier FROM audit_checkpoints';
  const records = connection.prepare(
    'SELECT seq, body FROM audit_records WHERE seq > :after ORDER BY seq LIMIT :limit',
  );
  const last = connection.prepare('SELECT seq, body FROM audit_records ORDER BY seq DESC LIMIT 1');
  const checkpoints = connection.prepare(`${checkpointColumns} WHERE number > :after ORDER BY number LIMIT :limit`);
  const checkpointAt = connection.prepare(`${checkpointColumns} WHERE last_seq = :seq`);
  const credited = connection.prepare('SELECT search_id AS text FROM lessons WHERE call_id = :callId');
  return {
    writerId: one('SELECT writer_id AS text FROM audit_writer', textSchema).text,
    anchor: one('SELECT seq, hash FROM audit_anchor', z.object({ seq: z.int(), hash: digestSchema })),
    recordsCount: one('SELECT count(*) AS count FROM audit_records', countSchema).count,
    records: (page) => z.array(recordSchema).parse(records.all(page)),
    last: () => recordSchema.optional().parse(last.get()),
    checkpoints: (page) => z.array(checkpointSchema).parse(checkpoints.all(page)),
    checkpointAt: (seq) => checkpointSchema.optional().parse(checkpointAt.get({ seq })),
    creditedSearch: (callId) => textSchema.optional().parse(credited.get({ callId }))?.text,
    [Symbol.dispose]: () => connection.close(),
  };
}

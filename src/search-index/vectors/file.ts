/**
 * SearchIndex already paid for, in a SQLite file of their own: a cache, so it is opened anew when it is damaged, kept in memory
 * where it cannot be written, and never part of a transaction that matters.
 */
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** SearchIndex by digest. The digest names text and model. */
export interface VectorsFile extends Disposable {
  /** A name this hub keeps for as long as it keeps its file; it tells its own entries of a shared vector store apart. */
  readonly hubId: string;
  get(digest: string): Float32Array | undefined;
  /** Writes all of them at once; forgets those not read for longest where the file grows beyond its limit. */
  put(vectors: ReadonlyMap<string, Float32Array>): void;
}

/** Most bytes of vectors that are kept: 43,000 vectors of 1,536 numbers. */
export const vectorsBytesMax = 268_435_456;

/** Opens or creates the file. Where that fails, `onFailure` is told and vectors are kept in memory. */
export function openVectorsFile(file: string, onFailure: (error: unknown) => void): VectorsFile {
  try {
    return prepared(openedAnew(file));
  } catch (error) {
    onFailure(error);
    return prepared(new DatabaseSync(':memory:'));
  }
}

function openedAnew(file: string): DatabaseSync {
  try {
    return opened(file);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return opened(file);
  }
}

const schema = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA journal_size_limit = 67108864;
  CREATE TABLE IF NOT EXISTS hub (id INTEGER PRIMARY KEY CHECK (id = 1), hub_id TEXT NOT NULL) STRICT;
  INSERT OR IGNORE INTO hub VALUES (1, 'hub_' || lower(hex(randomblob(8))));
  CREATE TABLE IF NOT EXISTS vectors (digest TEXT PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
`;

function opened(file: string): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: 1000 });
  try {
    connection.exec(schema);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function prepared(connection: DatabaseSync): VectorsFile {
  if (connection.location() === null) connection.exec(schema);
  const hubId = String(connection.prepare('SELECT hub_id FROM hub').get()?.hub_id);
  const read = connection.prepare('UPDATE vectors SET used = ? WHERE digest = ? RETURNING vector');
  const insert = connection.prepare('INSERT OR REPLACE INTO vectors (digest, vector, used) VALUES (?, ?, ?)');
  const size = connection.prepare('SELECT coalesce(sum(length(vector)), 0) AS bytes FROM vectors');
  const forget = connection.prepare(
    'DELETE FROM vectors WHERE digest IN (SELECT digest FROM vectors ORDER BY used LIMIT (SELECT count(*) / 10 + 1 FROM vectors))',
  );
  let bytes = Number(size.get()?.bytes);
  return {
    hubId,
    get(digest) {
      const vector = read.get(Date.now(), digest)?.vector;
      return vector instanceof Uint8Array ? floats(vector) : undefined;
    },
    put: (vectors) =>
      inTransaction(connection, () => {
        for (const [digest, vector] of vectors) {
          insert.run(digest, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), Date.now());
          bytes += vector.byteLength;
        }
        if (bytes <= vectorsBytesMax) return;
        forget.run();
        bytes = Number(size.get()?.bytes);
      }),
    [Symbol.dispose]: () => {
      if (connection.isOpen) connection.close();
    },
  };
}

function inTransaction(connection: DatabaseSync, work: () => void): void {
  connection.exec('BEGIN');
  try {
    work();
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

// A copy: SQLite's bytes need not lie where numbers of four bytes may begin.
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

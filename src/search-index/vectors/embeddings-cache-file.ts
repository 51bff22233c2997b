/**
 * The SQLite file of the embeddings cache.
 * A damaged file is replaced by an empty one. If the file cannot be opened, the cache is in memory.
 */
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ensurePrivateDatabase } from '../../flow/private-file.ts';

/** Vectors by the digest of their text and model. */
export interface EmbeddingsCacheFile extends Disposable {
  /** An id of this hub that is as persistent as the file. It identifies the hub's entries in a shared vector store. */
  readonly hubId: string;
  get(digest: string): Float32Array | undefined;
  /** Writes all vectors in one transaction. If the file exceeds its limit, the least recently used ones are deleted. */
  put(vectors: ReadonlyMap<string, Float32Array>): void;
}

/** The most bytes of vectors in the file: 43,000 vectors of 1,536 numbers. */
export const vectorsBytesMax = 268_435_456;

/** Opens or creates the file. If that fails, `onFailure` is called and vectors are kept in memory. */
export function openEmbeddingsCacheFile(file: string, onFailure: (error: unknown) => void): EmbeddingsCacheFile {
  try {
    return prepared(openOrReplace(file));
  } catch (error) {
    onFailure(error);
    return prepared(new DatabaseSync(':memory:'));
  }
}

function openOrReplace(file: string): DatabaseSync {
  try {
    return open(file);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return open(file);
  }
}

const schema = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA journal_size_limit = 67108864;
  CREATE TABLE IF NOT EXISTS hub (id INTEGER PRIMARY KEY CHECK (id = 1), hub_id TEXT NOT NULL) STRICT;
  INSERT OR IGNORE INTO hub VALUES (1, 'hub_' || lower(hex(randomblob(8))));
  CREATE TABLE IF NOT EXISTS vectors (digest TEXT PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
`;

function open(file: string): DatabaseSync {
  ensurePrivateDatabase(file);
  const connection = new DatabaseSync(file, { timeout: 1000 });
  try {
    connection.exec(schema);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function prepared(connection: DatabaseSync): EmbeddingsCacheFile {
  if (connection.location() === null) connection.exec(schema);
  const hubId = String(connection.prepare('SELECT hub_id FROM hub').get()?.hub_id);
  const read = connection.prepare('UPDATE vectors SET used = ? WHERE digest = ? RETURNING vector');
  const insert = connection.prepare('INSERT OR REPLACE INTO vectors (digest, vector, used) VALUES (?, ?, ?)');
  const size = connection.prepare('SELECT coalesce(sum(length(vector)), 0) AS bytes FROM vectors');
  const evict = connection.prepare(
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
        evict.run();
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

// Copied, since SQLite's bytes may not be aligned to four bytes.
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

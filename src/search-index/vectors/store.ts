/**
 * The port of vector stores, and the store in this process. The store in Chroma is in `store-chroma.ts`.
 * A store keeps vectors with labels to filter by, and finds the nearest ones. It knows nothing of their texts.
 */
import { bestIndexes } from '../best-values.ts';
import { createVectorMatrix, type VectorMatrix } from './matrix.ts';

/** The kinds of entries: tools, prompts and resources, or queries with their outcomes. */
export type VectorKind = 'tools' | 'offers' | 'outcomes';

/** Values of an entry that queries can filter by. */
export type VectorLabels = Readonly<Record<string, string | number>>;

/** An entry. Its vector has length 1; all vectors of a store have the same number of dimensions. */
export interface VectorEntry {
  id: string;
  vector: Float32Array;
  /** Identifies the state of the entry, so that unchanged entries are not written again. */
  digest: string;
  labels: VectorLabels;
}

/** A nearest-neighbour query. `where` selects entries whose labels have one of the given values. */
export interface VectorQuery {
  vector: Float32Array;
  limit: number;
  where: Readonly<Record<string, readonly string[]>>;
}

/** A found entry. `similarity` is the cosine. */
export interface VectorMatch {
  id: string;
  similarity: number;
  labels: VectorLabels;
}

/** A store of the vectors of one kind and one model. All methods may be repeated. */
export interface VectorStore {
  /** Adds or replaces entries by id, at most {@link vectorBatchMax}. @throws VectorStoreError */
  upsert(entries: readonly VectorEntry[]): Promise<void>;
  /** Removes entries, at most {@link vectorBatchMax}. Unknown ids are ignored. @throws VectorStoreError */
  remove(ids: readonly string[]): Promise<void>;
  /** The digests of this hub's stored entries, by id. @throws VectorStoreError */
  digests(): Promise<Map<string, string>>;
  /**
   * Entries of other hubs whose label `label` is a number greater than `above`, in no order, at most {@link othersMax}.
   * @throws VectorStoreError
   */
  others(range: { label: string; above: number }): Promise<{ id: string; labels: VectorLabels }[]>;
  /** The nearest entries, nearest first; approximate in Chroma. Has a short timeout. @throws VectorStoreError */
  query(query: VectorQuery): Promise<VectorMatch[]>;
}

/** The most entries that {@link VectorStore.others} returns. */
export const othersMax = 20_000;

/** The most entries or ids of one call. */
export const vectorBatchMax = 256;

/** The store is unavailable or failed. The message contains no text of the server. */
export class VectorStoreError extends Error {
  override readonly name = 'VectorStoreError';
}

/** Creates an empty store in process. A query is exact and compares with every entry. */
export function createVectorStore(): VectorStore {
  const entries = new Map<string, StoredEntry>();
  // By length, since a model may change its length, and entries of both lengths exist until all are written again.
  const tables = new Map<number, VectorTable>();

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    const { table, row } = entry;
    table.matrix.remove(row);
    const last = table.entries.pop();
    if (last !== undefined && last !== entry) table.entries[row] = Object.assign(last, { row });
    if (table.entries.length === 0) tables.delete(entry.dimensions);
  }

  function put({ vector, ...entry }: VectorEntry): void {
    const dimensions = vector.length;
    const before = entries.get(entry.id);
    if (before?.dimensions === dimensions) {
      before.table.matrix.set(before.row, vector);
      Object.assign(before, entry);
      return;
    }
    const table = tables.get(dimensions) ?? { matrix: createVectorMatrix(dimensions), entries: [] };
    table.matrix.add(vector);
    remove(entry.id);
    tables.set(dimensions, table);
    const stored = { ...entry, dimensions, table, row: table.entries.length };
    table.entries.push(stored);
    entries.set(entry.id, stored);
  }

  return {
    upsert: async (added) => translated(() => added.forEach(put)),
    remove: async (ids) => ids.forEach(remove),
    digests: async () => new Map([...entries.values()].map(({ id, digest }) => [id, digest])),
    others: async () => [],
    query: async (query) => translated(() => nearestOf(tables.get(query.vector.length), query)),
  };
}

/** An entry whose vector is a row of its table. */
interface StoredEntry extends Omit<VectorEntry, 'vector'> {
  dimensions: number;
  table: VectorTable;
  row: number;
}

/** The vectors of one length, and the entries of its rows. */
interface VectorTable {
  matrix: VectorMatrix;
  entries: StoredEntry[];
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new VectorStoreError('vectors cannot be stored or compared in this process', { cause });
  }
}

/** Compares with each entry. */
function nearestOf(table: VectorTable | undefined, { vector, limit, where }: VectorQuery): VectorMatch[] {
  if (table === undefined) return [];
  const { entries, matrix } = table;
  const filters = Object.entries(where);
  const similarities = new Float64Array(matrix.products(vector));
  for (let row = 0; row < similarities.length; row += 1) {
    similarities[row] = Math.max(-1, Math.min(1, similarities[row] ?? 0));
  }
  const isWanted = (row: number) => filters.every(([key, values]) => isOneOf(entries[row]?.labels[key], values));
  return bestIndexes(similarities, { countMax: limit, above: Number.NEGATIVE_INFINITY, isWanted })
    .flatMap((row) => {
      const entry = entries[row];
      return entry === undefined ? [] : [{ id: entry.id, similarity: similarities[row] ?? 0, labels: entry.labels }];
    })
    .sort((one, other) => other.similarity - one.similarity)
    .slice(0, limit);
}

function isOneOf(value: string | number | undefined, values: readonly string[]): boolean {
  return typeof value === 'string' && values.includes(value);
}

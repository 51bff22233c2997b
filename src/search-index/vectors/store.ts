/**
 * SearchIndex with what is to be filtered by, and the search for the nearest. One port: in process, and in a Chroma server.
 * Knows nothing of texts, nor of what its entries stand for.
 */
import { createVectorMatrix, type VectorMatrix } from './matrix.ts';

/** What entries of a store are: tools, or requests with their outcomes. */
export type VectorKind = 'tools' | 'outcomes';

/** Values to filter by. */
export type VectorLabels = Readonly<Record<string, string | number>>;

/** One entry. Unit vectors, of one length in a store. */
export interface VectorEntry {
  id: string;
  vector: Float32Array;
  /** Tells one state of the entry from another, so that what is there already need not be written again. */
  digest: string;
  labels: VectorLabels;
}

/** What to find: entries whose labels have one of the values given. */
export interface VectorQuery {
  vector: Float32Array;
  limit: number;
  where: Readonly<Record<string, readonly string[]>>;
}

/** A found entry; `similarity` is the cosine. */
export interface VectorMatch {
  id: string;
  similarity: number;
  labels: VectorLabels;
}

/** A store of vectors of one kind and one model. All of its methods may be repeated. */
export interface VectorStore {
  /** Adds entries, or replaces those of the same id; at most {@link vectorBatchMax}. @throws VectorStoreError */
  upsert(entries: readonly VectorEntry[]): Promise<void>;
  /** Ids that are not there are passed over; at most {@link vectorBatchMax}. @throws VectorStoreError */
  remove(ids: readonly string[]): Promise<void>;
  /** The entries that are there, id to digest, of those that this hub put there. @throws VectorStoreError */
  digests(): Promise<Map<string, string>>;
  /**
   * What other hubs put there with a number above `above` under the label, in no order; at most {@link othersMax}.
   * @throws VectorStoreError
   */
  others(range: { label: string; above: number }): Promise<{ id: string; labels: VectorLabels }[]>;
  /** The nearest entries, nearest first; approximate where the store is. Waits a small bound. @throws VectorStoreError */
  query(query: VectorQuery): Promise<VectorMatch[]>;
}

/** Entries of others that one call gives. */
export const othersMax = 20_000;

/** Entries or ids that one call takes. */
export const vectorBatchMax = 256;

/** The store cannot be reached, or failed. The message is ours. */
export class VectorStoreError extends Error {
  override readonly name = 'VectorStoreError';
}

/** Makes an empty store in process. It compares with every entry: exact, and in proportion to them all. */
export function createVectorStore(): VectorStore {
  const entries = new Map<string, StoredEntry>();
  // By length: a model that changed its length is seen here until all entries are of the new one.
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
    upsert: async (added) => asOurs(() => added.forEach(put)),
    remove: async (ids) => ids.forEach(remove),
    digests: async () => new Map([...entries.values()].map(({ id, digest }) => [id, digest])),
    others: async () => [],
    query: async (query) => asOurs(() => nearestOf(tables.get(query.vector.length), query)),
  };
}

/** An entry whose vector is a row of its table. */
interface StoredEntry extends Omit<VectorEntry, 'vector'> {
  dimensions: number;
  table: VectorTable;
  row: number;
}

/** SearchIndex of one length, and the entries of its rows. */
interface VectorTable {
  matrix: VectorMatrix;
  entries: StoredEntry[];
}

function asOurs<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new VectorStoreError('vectors cannot be kept or compared in this process', { cause });
  }
}

/** Compares with each entry; the best are sorted now and then, not all at the end. */
function nearestOf(table: VectorTable | undefined, { vector, limit, where }: VectorQuery): VectorMatch[] {
  if (table === undefined) return [];
  const filters = Object.entries(where);
  const best = () => matches.sort((one, other) => other.similarity - one.similarity).slice(0, limit);
  let matches: VectorMatch[] = [];
  let floor = Number.NEGATIVE_INFINITY;
  const products = table.matrix.products(vector);
  for (let row = 0; row < products.length; row += 1) {
    const product = products[row] ?? Number.NaN;
    const entry = table.entries[row];
    // The cosine is looked at first: it rules out most, and costs least.
    if (entry === undefined || product <= floor) continue;
    if (!filters.every(([key, values]) => isOneOf(entry.labels[key], values))) continue;
    matches.push({ id: entry.id, similarity: Math.max(-1, Math.min(1, product)), labels: entry.labels });
    if (matches.length < 4 * limit) continue;
    matches = best();
    floor = matches.at(-1)?.similarity ?? floor;
  }
  return best();
}

function isOneOf(value: string | number | undefined, values: readonly string[]): boolean {
  return typeof value === 'string' && values.includes(value);
}

/**
 * Vectors with what is to be filtered by, and the search for the nearest. One port: in process, and in a Chroma server.
 * Knows nothing of texts, nor of what its entries stand for.
 */
import { similarity } from './embeddings.ts';

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
  const entries = new Map<string, VectorEntry>();
  return {
    upsert: async (added) => {
      for (const entry of added) entries.set(entry.id, entry);
    },
    remove: async (ids) => {
      for (const id of ids) entries.delete(id);
    },
    digests: async () => new Map([...entries.values()].map(({ id, digest }) => [id, digest])),
    others: async () => [],
    query: async (query) => nearestOf(entries.values(), query),
  };
}

/** Compares with each entry; the best are sorted now and then, not all at the end. */
function nearestOf(entries: Iterable<VectorEntry>, { vector, limit, where }: VectorQuery): VectorMatch[] {
  const filters = Object.entries(where);
  const best = () => matches.sort((one, other) => other.similarity - one.similarity).slice(0, limit);
  let matches: VectorMatch[] = [];
  let floor = Number.NEGATIVE_INFINITY;
  for (const { id, vector: other, labels } of entries) {
    // A model that changed its length is seen here until all entries are of the new one.
    if (other.length !== vector.length || !filters.every(([key, values]) => isOneOf(labels[key], values))) continue;
    const cosine = similarity(vector, other);
    if (cosine <= floor) continue;
    matches.push({ id, similarity: cosine, labels });
    if (matches.length < 4 * limit) continue;
    matches = best();
    floor = matches.at(-1)?.similarity ?? floor;
  }
  return best();
}

function isOneOf(value: string | number | undefined, values: readonly string[]): boolean {
  return typeof value === 'string' && values.includes(value);
}

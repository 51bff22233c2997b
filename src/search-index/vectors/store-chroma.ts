/**
 * The vector store in a Chroma server, with one collection for each kind and model.
 * All hubs of the server use the same collections. Entries that are not shared between hubs are labelled with their hub. A deleted collection is created again.
 */
import { hash } from 'node:crypto';
import { type ChromaClient, ChromaNotFoundError, type Collection, type Where } from 'chromadb';
import { z } from 'zod';
import type { ChromaConnection } from './chroma-connection.ts';
import {
  othersMax,
  type VectorKind,
  type VectorLabels,
  type VectorMatch,
  type VectorQuery,
  type VectorStore,
  VectorStoreError,
} from './store.ts';

/** The kinds of requests to the server. A closed list, since it is a metric label. */
export type ChromaOperation = 'query' | 'upsert' | 'delete' | 'get';

/** Dependencies of the store. */
export interface ChromaVectorStoreDeps {
  connection: ChromaConnection;
  kind: VectorKind;
  /** The model of the vectors. Each model has its own collection. */
  model: string;
  /** The hub that owns the entries. */
  hubId: string;
  /** Whether a query sees the entries of all hubs, or only those of this one. */
  isShared: boolean;
  /** The timeout of a query. */
  queryTimeoutMs: number;
  /** Called when the collection was created, so that all entries have to be written again. */
  onCreated: () => void;
  /** Called for each request with its duration in seconds. */
  onCall: (seconds: number, operation: ChromaOperation, isSuccess: boolean) => void;
}

/** The timeout of writes and comparisons, which run in the background. */
const writeTimeoutMs = 30_000;
/** The number of entries read at a time when the store is compared with the expected entries. */
const pageEntries = 1_000;

/** Creates the store. Its collection is created at the first write. */
export function createChromaVectorStore(deps: ChromaVectorStoreDeps): VectorStore {
  const { hubId, isShared } = deps;
  const collections = createCollections(deps);
  // Entries of different hubs must not overwrite each other.
  const idOf = (id: string) => (isShared ? id : `${hubId} ${id}`);
  return {
    async upsert(entries) {
      const length = entries[0]?.vector.length;
      if (length === undefined) return;
      await timed(deps, 'upsert', writeTimeoutMs, async (client) => {
        await collections.withCreated(client, length, (collection) =>
          collection.upsert({
            ids: entries.map(({ id }) => idOf(id)),
            embeddings: entries.map(({ vector }) => [...vector]),
            metadatas: entries.map(({ id, digest, labels }) => ({ ...labels, hub: hubId, entry: id, digest })),
          }),
        );
      });
    },
    remove: (ids) =>
      timed(deps, 'delete', writeTimeoutMs, async (client) => {
        await collections.withFound(client, (collection) => collection.delete({ ids: ids.map(idOf) }));
      }),
    digests: () =>
      timed(deps, 'get', writeTimeoutMs, async (client) => {
        const found = await collections.withFound(client, (collection) => readDigests(collection, hubId));
        return found ?? new Map();
      }),
    others: (range) =>
      timed(deps, 'get', writeTimeoutMs, async (client) => {
        const found = await collections.withFound(client, (collection) => readOthers(collection, hubId, range));
        return found ?? [];
      }),
    query: (query) =>
      timed(deps, 'query', deps.queryTimeoutMs, async (client) => {
        const where = isShared ? query.where : { ...query.where, hub: [hubId] };
        return (await collections.withFound(client, (collection) => nearest(collection, query, where))) ?? [];
      }),
  };
}

async function timed<T>(
  { connection, onCall }: ChromaVectorStoreDeps,
  operation: ChromaOperation,
  timeoutMs: number,
  work: (client: ChromaClient) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const report = (isSuccess: boolean) => onCall((performance.now() - startedAt) / 1000, operation, isSuccess);
  try {
    const value = await connection.call(timeoutMs, work);
    report(true);
    return value;
  } catch (cause) {
    report(false);
    throw cause instanceof VectorStoreError ? cause : new VectorStoreError('Chroma failed', { cause });
  }
}

/** Finds or creates the collection, and looks it up again if it was deleted meanwhile. */
function createCollections({ kind, model, onCreated }: ChromaVectorStoreDeps) {
  const name = `${namePrefix(kind)}${hash('sha256', model, 'hex').slice(0, 16)}`;
  let current: Collection | undefined;

  async function find(client: ChromaClient): Promise<Collection | undefined> {
    current ??= await client.getCollection({ name }).catch(absent);
    return current;
  }

  async function findOrCreate(client: ChromaClient, length: number): Promise<Collection> {
    const found = await find(client);
    if (found?.metadata?.dimensions === length) return found;
    // Vectors of another length are from another model, even if it has the same name.
    if (found !== undefined) await client.deleteCollection({ name }).catch(absent);
    await removeOthers(client, kind, name);
    current = await client.getOrCreateCollection({
      name,
      embeddingFunction: null,
      metadata: { model, dimensions: length },
      configuration: { hnsw: { space: 'cosine' } },
    });
    onCreated();
    return current;
  }

  /** Runs `work`, and once more if the collection was deleted. */
  async function retriedOnce<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChromaNotFoundError)) throw error;
      current = undefined;
      return work();
    }
  }

  return {
    /** Resolves with undefined if there is no collection. */
    withFound: <T>(client: ChromaClient, work: (collection: Collection) => Promise<T>) =>
      retriedOnce(async () => {
        const collection = await find(client);
        return collection === undefined ? undefined : work(collection);
      }),
    withCreated: <T>(client: ChromaClient, length: number, work: (collection: Collection) => Promise<T>) =>
      retriedOnce(async () => work(await findOrCreate(client, length))),
  };
}

function absent(error: unknown): undefined {
  if (!(error instanceof ChromaNotFoundError)) throw error;
  return undefined;
}

const namePrefix = (kind: VectorKind) => `hestia-${kind}-`;

/** Deletes collections of other models, which may be unused. A hub that still uses one creates it again. */
async function removeOthers(client: ChromaClient, kind: VectorKind, name: string): Promise<void> {
  for (const other of await client.listCollections({ limit: pageEntries })) {
    const isOther = other.name.startsWith(namePrefix(kind)) && other.name !== name;
    if (isOther) await client.deleteCollection({ name: other.name }).catch(absent);
  }
}

const ownLabelsSchema = z.looseObject({ entry: z.string(), digest: z.string() });

async function readDigests(collection: Collection, hubId: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const metadata of readLabels(collection, { hub: hubId })) {
    const labels = ownLabelsSchema.safeParse(metadata);
    if (labels.success) found.set(labels.data.entry, labels.data.digest);
  }
  return found;
}

async function readOthers(
  collection: Collection,
  hubId: string,
  { label, above }: { label: string; above: number },
): Promise<{ id: string; labels: VectorLabels }[]> {
  const found: { id: string; labels: VectorLabels }[] = [];
  for await (const metadata of readLabels(collection, {
    $and: [{ hub: { $ne: hubId } }, { [label]: { $gt: above } }],
  })) {
    const labels = labelsSchema.safeParse(metadata);
    if (labels.success) found.push({ id: labels.data.entry, labels: labels.data });
    if (found.length >= othersMax) break;
  }
  return found;
}

async function* readLabels(collection: Collection, where: Where): AsyncGenerator<unknown> {
  for (let offset = 0; ; offset += pageEntries) {
    const page = await collection.get({ where, include: ['metadatas'], limit: pageEntries, offset });
    yield* page.metadatas;
    if (page.ids.length < pageEntries) return;
  }
}

const labelsSchema = z.looseObject({ entry: z.string() }).catchall(z.union([z.string(), z.number()]).catch(''));

async function nearest(
  collection: Collection,
  { vector, limit }: VectorQuery,
  where: VectorQuery['where'],
): Promise<VectorMatch[]> {
  if (collection.metadata?.dimensions !== vector.length) return [];
  const conditions: Where[] = Object.entries(where).map(([key, values]) => ({ [key]: { $in: [...values] } }));
  const only = conditions.length > 1 ? { $and: conditions } : conditions[0];
  const { ids, distances, metadatas } = await collection.query({
    queryEmbeddings: [[...vector]],
    nResults: limit,
    include: ['distances', 'metadatas'],
    ...(only !== undefined && { where: only }),
  });
  return (ids[0] ?? []).flatMap((_id, at) => {
    const labels = labelsSchema.safeParse(metadatas[0]?.[at]);
    const distance = distances[0]?.[at];
    if (!labels.success || typeof distance !== 'number') return [];
    return [{ id: labels.data.entry, similarity: 1 - distance, labels: labels.data }];
  });
}

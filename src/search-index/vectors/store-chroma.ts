/**
 * SearchIndex in a Chroma server: one collection a kind and a model, shared by all hubs that use the server. Each hub's
 * entries carry its name where they are its own business. Follows a collection that somebody deleted.
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

/** What is asked of the server. A closed list, so that it can be a metric label. */
export type ChromaOperation = 'query' | 'upsert' | 'delete' | 'get';

/** What the store is made of. */
export interface ChromaVectorStoreDeps {
  connection: ChromaConnection;
  kind: VectorKind;
  /** The model of the vectors: another model has another collection. */
  model: string;
  /** The hub whose entries these are. */
  hubId: string;
  /** Whether a query sees the entries of all hubs, or of this one. */
  isShared: boolean;
  /** How long a query may take. */
  queryTimeoutMs: number;
  /** Hears that the collection had to be made, so that everything has to be written again. */
  onCreated: () => void;
  /** Hears how long each call took, in seconds. */
  onCall: (seconds: number, operation: ChromaOperation, isSuccess: boolean) => void;
}

/** What is written behind the scenes may take its time. */
const writeTimeoutMs = 30_000;
/** Entries read at a time when the store is compared with what should be there. */
const pageEntries = 1_000;

/** Makes the store; its collection is made when something is first written. */
export function createChromaVectorStore(deps: ChromaVectorStoreDeps): VectorStore {
  const { hubId, isShared } = deps;
  const collections = createCollections(deps);
  // One hub's entries must not take the place of another's.
  const idOf = (id: string) => (isShared ? id : `${hubId} ${id}`);
  return {
    async upsert(entries) {
      const length = entries[0]?.vector.length;
      if (length === undefined) return;
      await timed(deps, 'upsert', writeTimeoutMs, async (client) => {
        await collections.withMade(client, length, (collection) =>
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
  const told = (isSuccess: boolean) => onCall((performance.now() - startedAt) / 1000, operation, isSuccess);
  try {
    const value = await connection.call(timeoutMs, work);
    told(true);
    return value;
  } catch (cause) {
    told(false);
    throw cause instanceof VectorStoreError ? cause : new VectorStoreError('Chroma failed', { cause });
  }
}

/** Finds and makes the collection, and finds it again where it was deleted meanwhile. */
function createCollections({ kind, model, onCreated }: ChromaVectorStoreDeps) {
  const name = `${namePrefix(kind)}${hash('sha256', model, 'hex').slice(0, 16)}`;
  let current: Collection | undefined;

  async function find(client: ChromaClient): Promise<Collection | undefined> {
    current ??= await client.getCollection({ name }).catch(absent);
    return current;
  }

  async function make(client: ChromaClient, length: number): Promise<Collection> {
    const found = await find(client);
    if (found?.metadata?.dimensions === length) return found;
    // SearchIndex of another length are of another model, whatever it is called.
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

  /** Runs `work`; once more where the collection turns out to have been deleted. */
  async function twice<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChromaNotFoundError)) throw error;
      current = undefined;
      return work();
    }
  }

  return {
    /** Undefined where there is no collection. */
    withFound: <T>(client: ChromaClient, work: (collection: Collection) => Promise<T>) =>
      twice(async () => {
        const collection = await find(client);
        return collection === undefined ? undefined : work(collection);
      }),
    withMade: <T>(client: ChromaClient, length: number, work: (collection: Collection) => Promise<T>) =>
      twice(async () => work(await make(client, length))),
  };
}

function absent(error: unknown): undefined {
  if (!(error instanceof ChromaNotFoundError)) throw error;
  return undefined;
}

const namePrefix = (kind: VectorKind) => `hestia-${kind}-`;

/** Collections of models that are no longer in use would stay for ever. A hub that still uses one makes it again. */
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

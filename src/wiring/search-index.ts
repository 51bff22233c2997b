/**
 * Everything that the search by meaning is made of, chosen by the configuration: what makes vectors, what keeps them, and
 * the index of tools over both. Knows how its parts are, for readiness and metrics.
 */

import { createHybridToolIndex } from '../search-index/hybrid-index.ts';
import type { ToolIndex } from '../search-index/tool-index.ts';
import { createChromaConnection } from '../search-index/vectors/chroma-connection.ts';
import type { Embeddings } from '../search-index/vectors/embeddings.ts';
import { createEmbeddingsCache } from '../search-index/vectors/embeddings-cache.ts';
import { createEndpointEmbeddings } from '../search-index/vectors/embeddings-endpoint.ts';
import { watchEmbeddings } from '../search-index/vectors/embeddings-health.ts';
import { createLexicalEmbeddings } from '../search-index/vectors/embeddings-lexical.ts';
import { createLocalEmbeddings } from '../search-index/vectors/embeddings-local.ts';
import { openVectorsFile } from '../search-index/vectors/file.ts';
import {
  createLessonVectors,
  type LessonVectors,
  type LessonVectorsDeps,
} from '../search-index/vectors/lesson-vectors.ts';
import { createVectorStore, type VectorKind, type VectorStore } from '../search-index/vectors/store.ts';
import { createChromaVectorStore } from '../search-index/vectors/store-chroma.ts';
import type { VectorFeed } from '../search-index/vectors/write-behind.ts';
import type { SearchConfiguration } from '../shapes/configuration/search.ts';
import type { Log } from '../telemetry/log.ts';
import type { VectorMetrics } from '../telemetry/vector-metrics.ts';

/** A part of the hub that readiness names. */
export interface Dependency {
  state: string;
  [detail: string]: string | number | undefined;
}

/** The parts. Dispose them before what feeds the index of tools, so that its end is not taken for the end of the tools. */
export interface SearchIndex extends AsyncDisposable {
  toolIndex: ToolIndex;
  /** What outcomes taught, shared with other hubs; undefined where no store is shared or hashed words are all there is. */
  lessons: LessonVectors | undefined;
  /** Looks for Chroma, where one is configured; returns at once. */
  start(): void;
  /** What of this search needs other processes, by name. None of it makes the hub unready. */
  dependencies(): Record<string, Dependency>;
  /** Resolves when every vector that can be written is written; for tests. */
  settled(): Promise<void>;
}

/** What the parts are made of. */
export interface SearchIndexDeps {
  configuration: SearchConfiguration;
  /** The index by words, empty. */
  words: ToolIndex;
  searchStore: LessonVectorsDeps['searchStore'];
  log: Log;
  metrics: VectorMetrics;
  /** Given in tests, whose machine may be busy with other things. */
  patience?: { waitMs: number; chromaMs: number };
}

/**
 * How long a search waits for meaning: in all, and for Chroma, which answers in 5 to 10 ms where it is well. A query that
 * has to be embedded first takes a public service 100 to 300 ms.
 */
export const searchPatience = { waitMs: 400, chromaMs: 150 };

/** Makes the parts. @throws Error with one line where a model in this process is asked for and not installed. */
export async function createSearchIndex(deps: SearchIndexDeps): Promise<SearchIndex> {
  const { configuration, words, log, metrics } = deps;
  const lifetime = new AbortController();
  const file = openVectorsFile(configuration.vectorsFile, (error) => warnOfFile(log, error));
  const embeddings = watchEmbeddings(await createModel(deps, lifetime.signal), log);
  const remembering = createEmbeddingsCache({
    embeddings,
    file,
    onTexts: metrics.embeddingsTexts,
    onFailure: (error) => warnOfFile(log, error),
  });
  const stores = createStores(deps, embeddings.model, file.hubId);
  const tools = createHybridToolIndex({
    lexical: words,
    // Hashed words cost less to make again than to remember.
    embeddings: embeddings.hasMeaning ? remembering : embeddings,
    store: stores.create('tools'),
    isReady: stores.isReady,
    onFallback: metrics.searchFallback,
    log,
    waitMs: (deps.patience ?? searchPatience).waitMs,
  });
  stores.feed(tools.feed);
  const lessons =
    configuration.chromaUrl === undefined || !embeddings.hasMeaning
      ? undefined
      : createLessonVectors({ ...deps, ...stores, embeddings: remembering, store: stores.create('outcomes') });
  if (lessons !== undefined) stores.feed(lessons.feed);
  return {
    toolIndex: tools.index,
    lessons,
    start: stores.start,
    dependencies: () => ({
      ...stores.dependencies(),
      ...(embeddings.hasMeaning && { embeddings: { state: embeddings.state(), kind: configuration.embeddings.kind } }),
    }),
    settled: tools.feed.settled,
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      stores[Symbol.dispose]();
      await Promise.all([tools.feed[Symbol.asyncDispose](), lessons?.[Symbol.asyncDispose]()]);
      file[Symbol.dispose]();
    },
  };
}

function warnOfFile(log: Log, error: unknown): void {
  log.warn('Vectors cannot be kept on disk: they are made again after a start', {}, { error });
}

async function createModel({ configuration, metrics }: SearchIndexDeps, signal: AbortSignal): Promise<Embeddings> {
  const { embeddings } = configuration;
  switch (embeddings.kind) {
    case 'lexical':
      return createLexicalEmbeddings();
    case 'local':
      return createLocalEmbeddings();
    case 'endpoint':
      return createEndpointEmbeddings({ ...embeddings, signal, onRequest: metrics.embeddingsRequest });
    default:
      return embeddings satisfies never;
  }
}

/** Stores of one place: this process, or the Chroma server, which is then looked after here. */
interface VectorStores extends Disposable {
  create(kind: VectorKind): VectorStore;
  isReady(): boolean;
  /** Tells the feed when everything has to be compared, and counts what waits in it. */
  feed(feed: VectorFeed): void;
  start(): void;
  dependencies(): Record<string, Dependency>;
}

function createStores(
  { configuration, log, metrics, patience }: SearchIndexDeps,
  model: string,
  hubId: string,
): VectorStores {
  const { chromaUrl } = configuration;
  if (chromaUrl === undefined) return storesInProcess;
  const connection = createChromaConnection({ url: chromaUrl, log });
  const feeds: VectorFeed[] = [];
  const resync = () => {
    for (const feed of feeds) feed.resync();
  };
  const isReady = () => connection.status().state === 'up';
  const backlog = () => feeds.reduce((sum, feed) => sum + feed.backlog(), 0);
  connection.onUp(resync);
  metrics.observeChroma({ isUp: isReady, backlog });
  return {
    create: (kind) =>
      createChromaVectorStore({
        connection,
        kind,
        model,
        hubId,
        isShared: kind === 'outcomes',
        queryTimeoutMs: (patience ?? searchPatience).chromaMs,
        onCreated: resync,
        onCall: metrics.chromaOperation,
      }),
    isReady,
    feed: (feed) => feeds.push(feed),
    start: connection.start,
    dependencies: () => ({
      toolIndex: { state: 'up', kind: 'chroma' },
      chroma: { ...connection.status(), backlog: backlog() },
    }),
    [Symbol.dispose]: connection[Symbol.dispose],
  };
}

const storesInProcess: VectorStores = {
  create: createVectorStore,
  isReady: () => true,
  feed: () => undefined,
  start: () => undefined,
  dependencies: () => ({ toolIndex: { state: 'up', kind: 'in-process' } }),
  [Symbol.dispose]: () => undefined,
};

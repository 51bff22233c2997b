/**
 * Wiring of the tool search by words and meaning: embeddings, vector stores and the hybrid index.
 * The configuration selects the implementations. It reports their states, for readiness and metrics.
 */
import { createHybridIndex, type HybridIndex } from '../search-index/hybrid-index.ts';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Embeddings } from '../search-index/vectors/embeddings.ts';
import { createEmbeddingsCache } from '../search-index/vectors/embeddings-cache.ts';
import { type EmbeddingsCacheFile, openEmbeddingsCacheFile } from '../search-index/vectors/embeddings-cache-file.ts';
import { createEndpointEmbeddings } from '../search-index/vectors/embeddings-endpoint.ts';
import { createLocalEmbeddings } from '../search-index/vectors/embeddings-local.ts';
import { monitorEmbeddings } from '../search-index/vectors/embeddings-monitor.ts';
import { createStaticEmbeddings } from '../search-index/vectors/embeddings-static.ts';
import {
  createLessonVectors,
  type LessonVectors,
  type LessonVectorsDeps,
} from '../search-index/vectors/lesson-vectors.ts';
import { createWordIndex } from '../search-index/words/word-index.ts';
import type { EmbeddingsConfiguration, SearchConfiguration } from '../shapes/configuration/search.ts';
import type { Log } from '../telemetry/log.ts';
import type { VectorMetrics } from '../telemetry/vector-metrics.ts';
import { createVectorStores, type DependencyStatus, type VectorStores } from './vector-stores.ts';

/**
 * The parts. Dispose them before the connections that fill the index: their shutdown removes tools, which must not be removed
 * from the stored vectors.
 */
export interface SearchIndex extends AsyncDisposable {
  toolIndex: ToolIndex;
  /** The index of prompts and resources, apart from that of tools: the words of neither weigh on the other. */
  offerIndex: ToolIndex;
  /** Lessons shared with other hubs; undefined without Chroma or without a trained model. */
  lessons: LessonVectors | undefined;
  /** Starts to compute vectors, and to connect to Chroma, if one is configured; returns at once. */
  start(): void;
  /** States of the parts, by name. None of them makes the hub unready. */
  dependencies(): Record<string, DependencyStatus>;
  /** Resolves when no vector of a tool, prompt or resource is waiting to be written; for tests. */
  settled(): Promise<void>;
}

/** Dependencies of the parts. */
export interface SearchIndexDeps {
  configuration: SearchConfiguration;
  /** The word index, empty. */
  words: ToolIndex;
  storedLessons: LessonVectorsDeps['storedLessons'];
  log: Log;
  metrics: VectorMetrics;
  /** Set in tests, which may run on a busy machine. */
  timeouts?: typeof searchTimeouts;
}

/**
 * How long a search waits for the search by meaning in total, and for Chroma's part of it. A healthy Chroma answers within 5 to
 * 10 ms. A public service embeds a query in 100 to 300 ms.
 */
const searchTimeouts = { meaningMs: 400, chromaMs: 150 };

/** Creates the parts. @throws Error with one line if a model in this process is configured but not installed. */
export async function createSearchIndex(deps: SearchIndexDeps): Promise<SearchIndex> {
  const { configuration, words, log, metrics, timeouts = searchTimeouts } = deps;
  const { embeddings: chosen } = configuration;
  if (chosen.kind === 'words') return wordsAlone(words);
  const lifetime = new AbortController();
  const file = openEmbeddingsCacheFile(configuration.vectorsFile, (error) => warnOfFile(log, error));
  const embeddings = monitorEmbeddings(await createModel(deps, chosen, lifetime.signal), log);
  // Vectors of the static model cost less to compute again than to cache.
  const usedEmbeddings = chosen.kind === 'static' ? embeddings : cachedEmbeddings(deps, embeddings, file);
  const stores = await createVectorStores({
    chromaUrl: configuration.chromaUrl,
    model: embeddings.model,
    hubId: file.hubId,
    queryTimeoutMs: timeouts.chromaMs,
    log,
    metrics,
  });
  const { tools, offers } = createIndexes(deps, usedEmbeddings, stores);
  const lessons = configuration.chromaUrl === undefined ? undefined : createLessons(deps, usedEmbeddings, stores);
  return {
    toolIndex: tools.index,
    offerIndex: offers.index,
    lessons,
    start: stores.start,
    dependencies: () => ({
      ...stores.dependencies(),
      ...(chosen.kind !== 'static' && { embeddings: { state: embeddings.state(), kind: chosen.kind } }),
    }),
    settled: async () => {
      await Promise.all([tools.writer.settled(), offers.writer.settled()]);
    },
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      stores[Symbol.dispose]();
      const writers = [tools.writer, offers.writer].map((writer) => writer[Symbol.asyncDispose]());
      await Promise.all([...writers, lessons?.[Symbol.asyncDispose]()]);
      file[Symbol.dispose]();
    },
  };
}

/** The index of tools, and that of prompts and resources, which share the model and the kind of store. */
function createIndexes(
  { configuration, words, log, metrics, timeouts = searchTimeouts }: SearchIndexDeps,
  embeddings: Embeddings,
  stores: VectorStores,
): Record<'tools' | 'offers', HybridIndex> {
  const isStatic = configuration.embeddings.kind === 'static';
  const shared = {
    embeddings,
    isReady: stores.isReady,
    log,
    timeoutMs: timeouts.meaningMs,
    awaitsVectors: isStatic && configuration.chromaUrl === undefined,
  };
  const onFallback = metrics.searchFallback;
  const tools = createHybridIndex({ ...shared, lexical: words, store: stores.create('tools'), onFallback });
  // A search counts once, where both of its parts fall back.
  const offersApart = { lexical: createWordIndex(), store: stores.create('offers'), onFallback: () => undefined };
  const offers = createHybridIndex({ ...shared, ...offersApart });
  stores.addWriter(tools.writer);
  stores.addWriter(offers.writer);
  return { tools, offers };
}

function cachedEmbeddings(
  { metrics, log }: SearchIndexDeps,
  embeddings: Embeddings,
  file: EmbeddingsCacheFile,
): Embeddings {
  return createEmbeddingsCache({
    embeddings,
    file,
    onTexts: metrics.embeddingsTexts,
    onFailure: (error) => warnOfFile(log, error),
  });
}

function warnOfFile(log: Log, error: unknown): void {
  log.warn('Vectors cannot be stored on disk and are computed again after a restart', {}, { error });
}

async function createModel(
  { metrics }: SearchIndexDeps,
  embeddings: Exclude<EmbeddingsConfiguration, { kind: 'words' }>,
  signal: AbortSignal,
): Promise<Embeddings> {
  switch (embeddings.kind) {
    case 'static':
      return createStaticEmbeddings();
    case 'local':
      return createLocalEmbeddings();
    case 'endpoint':
      return createEndpointEmbeddings({ ...embeddings, signal, onRequest: metrics.embeddingsRequest });
    default:
      return embeddings satisfies never;
  }
}

function createLessons(
  { storedLessons, log }: SearchIndexDeps,
  embeddings: Embeddings,
  { create, isReady, addWriter }: VectorStores,
): LessonVectors {
  const lessons = createLessonVectors({ embeddings, store: create('outcomes'), storedLessons, isReady, log });
  addWriter(lessons.writer);
  return lessons;
}

function wordsAlone(words: ToolIndex): SearchIndex {
  return {
    toolIndex: words,
    offerIndex: createWordIndex(),
    lessons: undefined,
    start: () => undefined,
    dependencies: () => ({ toolIndex: { state: 'up', kind: 'words' } }),
    settled: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

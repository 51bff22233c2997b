/** The search index without a hub: its real parts, with a log and recorded metrics. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWordIndex } from '../../src/search-index/words/word-index.ts';
import type { EmbeddingsConfiguration } from '../../src/shapes/configuration/search.ts';
import { openLog } from '../../src/telemetry/log.ts';
import type { VectorMetrics } from '../../src/telemetry/vector-metrics.ts';
import { createSearchIndex, type SearchIndex } from '../../src/wiring/search-index.ts';
import { readLines } from './hub/hub.ts';

/** The recorded metrics. */
export interface CountedVectors {
  requests: Parameters<VectorMetrics['embeddingsRequest']>[0][];
  fallbacks: string[];
  chroma: { operation: string; seconds: number; isSuccess: boolean }[];
}

/** The search index under test. */
export interface ObservedVectors extends AsyncDisposable {
  vectors: SearchIndex;
  counted: CountedVectors;
  /** The current gauges of Chroma; undefined if it is not configured. */
  gauges(): { isUp: boolean; backlog: number } | undefined;
  logLines(): Record<string, unknown>[];
  /** Disposes the index but keeps its folder, as a hub that is stopped does. */
  end(): Promise<void>;
}

/** Options of {@link startVectors}. */
export interface ObservedVectorsOptions {
  chromaUrl?: string | undefined;
  /** The URL of an embeddings service; the static model are used without it. */
  embeddingsUrl?: string | undefined;
  model?: string;
  /** Whether searches have the hub's short timeouts; otherwise they have long ones, for busy machines. */
  hasHubTimeouts?: boolean;
  /** The folder of an earlier index, which is then kept. */
  folder?: string;
}

/** Creates the search index and starts it. */
export async function startVectors(options: ObservedVectorsOptions = {}): Promise<ObservedVectors> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hestia-vectors-')));
  const logFile = join(folder, 'hestia.log');
  const log = await openLog({ file: logFile, level: 'debug', standardOutput: 'none' });
  const counted: CountedVectors = { requests: [], fallbacks: [], chroma: [] };
  let chroma: Parameters<VectorMetrics['observeChroma']>[0] | undefined;
  const vectors = await createSearchIndex({
    configuration: {
      chromaUrl: options.chromaUrl,
      embeddings: embeddingsOf(options),
      vectorsFile: join(folder, 'vectors.db'),
    },
    words: createWordIndex(),
    storedLessons: { lessonTexts: async () => [], newestLessons: async () => [] },
    log,
    ...(options.hasHubTimeouts !== true && { timeouts: { meaningMs: 15_000, chromaMs: 15_000 } }),
    metrics: {
      embeddingsRequest: (request) => counted.requests.push(request),
      embeddingsTexts: () => undefined,
      chromaOperation: (seconds, operation, isSuccess) => counted.chroma.push({ seconds, operation, isSuccess }),
      searchFallback: (reason) => counted.fallbacks.push(reason),
      observeChroma: (sources) => {
        chroma = sources;
      },
    },
  });
  vectors.start();
  const end = async () => {
    await vectors[Symbol.asyncDispose]();
    await log.close();
  };
  return {
    vectors,
    counted,
    gauges: () => chroma && { isUp: chroma.isUp(), backlog: chroma.backlog() },
    logLines: () => readLines(logFile),
    end,
    [Symbol.asyncDispose]: async () => {
      await end();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function embeddingsOf({ embeddingsUrl, model = 'test-model' }: ObservedVectorsOptions): EmbeddingsConfiguration {
  return embeddingsUrl === undefined
    ? { kind: 'static' }
    : { kind: 'endpoint', url: embeddingsUrl, model, key: 'sk-never-shown' };
}

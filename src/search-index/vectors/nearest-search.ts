/**
 * The nearest-neighbour search of a text, with a timeout and a circuit breaker.
 * While embeddings or the vector store fail or are slow, searches do not wait for them.
 */
import { resultWithin, timedOut } from '../../flow/time-limit.ts';
import type { FallbackReason } from '../../telemetry/vector-metrics.ts';
import { nearestMax } from '../hybrid-score.ts';
import { type Embeddings, EmbeddingsError, isZero } from './embeddings.ts';
import type { VectorMatch, VectorQuery, VectorStore } from './store.ts';

/** Finds the nearest entries: none for a text without meaning, undefined if there is no answer in time. Never throws. */
export type NearestSearch = (text: string, where: VectorQuery['where']) => Promise<VectorMatch[] | undefined>;

/** Dependencies of the search. */
export interface NearestSearchDeps {
  embeddings: Embeddings;
  store: VectorStore;
  /** Whether the store is available. */
  isReady: () => boolean;
  /** Called for each search that returns undefined. */
  onFallback: (reason: FallbackReason) => void;
  /** Called with the length of each computed vector. */
  onLength: (length: number) => void;
  /** How long a search waits for the vector of its text and for the nearest entries together. */
  timeoutMs: number;
}

/** How long searches embed nothing after an embedding failed, in milliseconds. */
export const embeddingPauseMs = 5_000;
/** The most concurrent requests that have exceeded the timeout. They continue, and their vectors are cached. */
const overdueMax = 4;

/** Creates the search. */
export function createNearestSearch(deps: NearestSearchDeps): NearestSearch {
  let pausedUntil = 0;
  let overdue = 0;

  async function request(text: string, where: VectorQuery['where']): Promise<VectorMatch[] | 'failed'> {
    try {
      const [vector] = await deps.embeddings.embed([text], 'query');
      if (vector === undefined) return 'failed';
      deps.onLength(vector.length);
      if (isZero(vector)) return [];
      return await deps.store.query({ vector, limit: nearestMax, where });
    } catch (error) {
      if (error instanceof EmbeddingsError) pausedUntil = performance.now() + embeddingPauseMs;
      return 'failed';
    }
  }

  return async (text, where) => {
    const isPaused = performance.now() < pausedUntil || overdue >= overdueMax || !deps.isReady();
    if (isPaused) return fallBack(deps, 'away');
    const pending = request(text, where);
    // While one request is overdue, the next ones wait less.
    const result = await resultWithin(overdue > 0 ? deps.timeoutMs / 8 : deps.timeoutMs, pending);
    if (result === timedOut) {
      overdue += 1;
      void pending.finally(() => {
        overdue -= 1;
      });
      return fallBack(deps, 'late');
    }
    return typeof result === 'string' ? fallBack(deps, result) : result;
  };
}

function fallBack({ onFallback }: NearestSearchDeps, reason: FallbackReason): undefined {
  onFallback(reason);
  return undefined;
}

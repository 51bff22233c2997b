/**
 * The nearest entries of a text, for a search that waits a small bound at most: no answer in time is an answer. Keeps
 * searches from waiting for what is known not to answer.
 */
import type { FallbackReason } from '../../telemetry/vector-metrics.ts';
import { nearestMax } from '../hybrid-score.ts';
import { type Embeddings, EmbeddingsError } from './embeddings.ts';
import type { VectorMatch, VectorQuery, VectorStore } from './store.ts';

/** Asks for the nearest entries; undefined where there is no answer in time. Never throws. */
export type NearestVectors = (text: string, where: VectorQuery['where']) => Promise<VectorMatch[] | undefined>;

/** What it is made of. */
export interface NearestVectorsDeps {
  embeddings: Embeddings;
  store: VectorStore;
  /** Whether the store can be asked now. */
  isReady: () => boolean;
  onFallback: (reason: FallbackReason) => void;
  /** Hears the length of each vector that was made. */
  onLength: (length: number) => void;
  /** How long a search waits for the vector of its text and for the nearest entries together. */
  waitMs: number;
}

/** After a text that could not be embedded, nothing is embedded for searches for this long. */
export const embeddingPauseMs = 5_000;
/** Requests that may be late at one time; what they bring is remembered for the next search of the same text. */
const lateMax = 4;

/** Makes the question. */
export function createNearestVectors(deps: NearestVectorsDeps): NearestVectors {
  let pausedUntil = 0;
  let late = 0;

  async function ask(text: string, where: VectorQuery['where']): Promise<VectorMatch[] | 'failed'> {
    try {
      const [vector] = await deps.embeddings.embed([text], 'query');
      if (vector === undefined) return 'failed';
      deps.onLength(vector.length);
      return await deps.store.query({ vector, limit: nearestMax, where });
    } catch (error) {
      if (error instanceof EmbeddingsError) pausedUntil = performance.now() + embeddingPauseMs;
      return 'failed';
    }
  }

  return async (text, where) => {
    const isPaused = performance.now() < pausedUntil || late >= lateMax || !deps.isReady();
    if (isPaused) return without(deps, 'away');
    const asked = ask(text, where);
    // While one is late, the next does not wait as long as that one did.
    const answer = await answeredWithin(late > 0 ? deps.waitMs / 8 : deps.waitMs, asked);
    if (answer === 'late') {
      late += 1;
      void asked.finally(() => {
        late -= 1;
      });
    }
    return typeof answer === 'string' ? without(deps, answer) : answer;
  };
}

function without({ onFallback }: NearestVectorsDeps, reason: FallbackReason): undefined {
  onFallback(reason);
  return undefined;
}

async function answeredWithin<T>(timeoutMs: number, asked: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'late');
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

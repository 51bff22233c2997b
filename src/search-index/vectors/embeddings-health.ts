/** Whether embeddings can be had: one warning when they cannot any more, one line when they can again. */
import type { Log } from '../../telemetry/log.ts';
import { type Embeddings, EmbeddingsError } from './embeddings.ts';

/** How embeddings are; `unused` until the first text. */
export type EmbeddingsState = 'unused' | 'up' | 'down';

/** Embeddings under watch. */
export interface WatchedEmbeddings extends Embeddings {
  state(): EmbeddingsState;
}

/** Watches embeddings, whatever makes them. */
export function watchEmbeddings(embeddings: Embeddings, log: Log): WatchedEmbeddings {
  let state: EmbeddingsState = 'unused';
  return {
    ...embeddings,
    state: () => state,
    async embed(texts, purpose) {
      try {
        const vectors = await embeddings.embed(texts, purpose);
        if (state === 'down') log.info('Embeddings can be had again');
        state = 'up';
        return vectors;
      } catch (error) {
        const isEnd = error instanceof EmbeddingsError && error.type === 'cancelled';
        if (state !== 'down' && !isEnd) {
          state = 'down';
          log.warn('Embeddings cannot be had: search goes on by words, and what was written waits', {
            error_type: error instanceof EmbeddingsError ? error.type : '_OTHER',
            ...reason(error),
          });
        }
        throw error;
      }
    },
  };
}

/** Of the model in this process, what its package says: it names files and hosts, and no secret of ours. */
function reason(error: unknown): { reason?: string } {
  if (!(error instanceof EmbeddingsError) || error.type !== 'server_error') return {};
  return error.cause instanceof Error ? { reason: error.cause.message } : {};
}

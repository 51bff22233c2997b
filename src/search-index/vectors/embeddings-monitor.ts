/** The health of embeddings: logs one line when they begin to fail, and one when they work again. */
import type { Log } from '../../telemetry/log.ts';
import { type Embeddings, EmbeddingsError } from './embeddings.ts';

/** The state of embeddings; `unused` until the first text. */
export type EmbeddingsState = 'unused' | 'up' | 'down';

/** Embeddings with their state. */
export interface MonitoredEmbeddings extends Embeddings {
  state(): EmbeddingsState;
}

/** Wraps embeddings of any kind to track and log their state. */
export function monitorEmbeddings(embeddings: Embeddings, log: Log): MonitoredEmbeddings {
  let state: EmbeddingsState = 'unused';
  return {
    ...embeddings,
    state: () => state,
    async embed(texts, purpose) {
      try {
        const vectors = await embeddings.embed(texts, purpose);
        if (state === 'down') log.info('Embeddings are available again');
        state = 'up';
        return vectors;
      } catch (error) {
        const isCancelled = error instanceof EmbeddingsError && error.type === 'cancelled';
        if (state !== 'down' && !isCancelled) {
          state = 'down';
          log.warn('Embeddings are unavailable: searches use words alone, and writes wait', {
            error_type: error instanceof EmbeddingsError ? error.type : '_OTHER',
            ...reason(error),
          });
        }
        throw error;
      }
    },
  };
}

/** The message of the model in this process. It names files and hosts, but none of the hub's secrets. */
function reason(error: unknown): { reason?: string } {
  if (!(error instanceof EmbeddingsError) || error.type !== 'server_error') return {};
  return error.cause instanceof Error ? { reason: error.cause.message } : {};
}

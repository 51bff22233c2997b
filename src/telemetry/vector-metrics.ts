/** Metrics of embeddings, of Chroma, and of searches that fell back to words alone. */
import { metrics } from '@opentelemetry/api';
import { attributes, httpDurationBounds, localDurationBounds, metricNames, scopeName } from './names.ts';

/** The metrics. Durations are in seconds; `errorType` undefined means success. */
export interface VectorMetrics {
  embeddingsRequest(request: {
    purpose: 'query' | 'document';
    seconds: number;
    tokens: number;
    errorType: string | undefined;
  }): void;
  embeddingsTexts(counts: { cached: number; embedded: number }): void;
  chromaOperation(seconds: number, operation: string, isSuccess: boolean): void;
  /** Counts a search that used words alone. */
  searchFallback(reason: FallbackReason): void;
  /** Registers the gauges of Chroma, which exist only if it is configured. Call it once. */
  observeChroma(sources: { isUp: () => boolean; backlog: () => number }): void;
}

/** Why a search used words alone: the search by meaning was known to be unavailable, timed out, or failed. */
export type FallbackReason = 'away' | 'late' | 'failed';

/** Creates the instruments on the global meter provider. Call it after telemetry has started. */
export function createVectorMetrics(): VectorMetrics {
  const meter = metrics.getMeter(scopeName);
  const counter = (name: string, description: string) => meter.createCounter(name, { description });
  const inSeconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  const request = inSeconds(metricNames.embeddingsRequestDuration, 'Requests for embeddings', httpDurationBounds);
  const operation = inSeconds(metricNames.chromaOperationDuration, 'Requests to Chroma', localDurationBounds);
  const tokens = counter(metricNames.embeddingsTokens, 'Tokens embedded, as the service counts them');
  const texts = counter(metricNames.embeddingsTexts, 'Texts to embed, by whether their vectors were cached');
  const fallbacks = counter(metricNames.searchFallbacks, 'Searches that used words alone, by reason');
  for (const reason of ['away', 'late', 'failed']) fallbacks.add(0, { [attributes.searchFallback]: reason });
  return {
    embeddingsRequest({ purpose, seconds, tokens: count, errorType }) {
      request.record(seconds, { [attributes.embeddingPurpose]: purpose, ...failure(errorType) });
      tokens.add(count, { [attributes.embeddingPurpose]: purpose });
    },
    embeddingsTexts({ cached, embedded }) {
      texts.add(cached, { [attributes.embeddingCached]: 'true' });
      texts.add(embedded, { [attributes.embeddingCached]: 'false' });
    },
    chromaOperation: (seconds, name, isSuccess) =>
      operation.record(seconds, { [attributes.chromaOperation]: name, ...failure(isSuccess ? undefined : '_OTHER') }),
    searchFallback: (reason) => fallbacks.add(1, { [attributes.searchFallback]: reason }),
    observeChroma({ isUp, backlog }) {
      meter
        .createObservableGauge(metricNames.chromaUp, { description: '1 while Chroma answers, else 0' })
        .addCallback((result) => result.observe(isUp() ? 1 : 0));
      meter
        .createObservableGauge(metricNames.chromaBacklog, { description: 'Entries waiting to be written to Chroma' })
        .addCallback((result) => result.observe(backlog()));
    },
  };
}

function failure(errorType: string | undefined) {
  return errorType === undefined ? {} : { [attributes.errorType]: errorType };
}

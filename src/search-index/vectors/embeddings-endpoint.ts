/**
 * The client of an embeddings service with OpenAI's API: batches, timeouts and retries.
 * Each request is reported with its cost. The key is sent in one header and used nowhere else.
 */
import { setTimeout as delay } from 'node:timers/promises';
import limitConcurrency from 'p-limit';
import { z } from 'zod';
import { equalJitter, exponentialBackoff } from '../../flow/backoff.ts';
import {
  dimensionsMax,
  type EmbeddingPurpose,
  type Embeddings,
  EmbeddingsError,
  type EmbeddingsErrorType,
  unitVector,
} from './embeddings.ts';

/** The cost of one request. Tokens are as the service counted them, or 0 if it does not report them. */
export interface EmbeddingsCost {
  purpose: EmbeddingPurpose;
  seconds: number;
  texts: number;
  tokens: number;
  errorType: EmbeddingsErrorType | undefined;
}

/** Dependencies of the client. */
export interface EmbeddingsEndpointDeps {
  /** The full URL of the `embeddings` resource. */
  url: string;
  model: string;
  key: string | undefined;
  /** Cancels all requests and delays. */
  signal: AbortSignal;
  /** Called after each request. */
  onRequest: (cost: EmbeddingsCost) => void;
  /** Waits between two attempts; set in tests. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Returns a number in [0, 1); set in tests. */
  random?: () => number;
}

/** The limits of the client. Public services accept 2,048 texts and 300,000 tokens a request; small ones far less. */
export const endpointLimits = {
  batchTextsMax: 64,
  /** UTF-16 units of all texts of a batch. */
  batchLengthMax: 100_000,
  /** UTF-16 units of one text: about 2,000 tokens, which every model in use accepts or truncates itself. */
  textLengthMax: 8_000,
  /** The most concurrent requests for documents. Queries are not queued behind them. */
  documentRequestsMax: 2,
  documentTimeoutMs: 30_000,
  queryTimeoutMs: 5_000,
  /** Attempts for documents. A query is sent once, since the search continues without it. */
  attemptsMax: 4,
  retryDelayMs: 500,
  retryDelayMsMax: 30_000,
  answerBytesMax: 67_108_864,
} as const;

/** Creates the client. It sends nothing before texts are embedded. */
export function createEndpointEmbeddings(deps: EmbeddingsEndpointDeps): Embeddings {
  const limitRequests = limitConcurrency(endpointLimits.documentRequestsMax);
  return {
    model: `${deps.model} at ${addressOf(deps.url)}`,
    async embed(texts, purpose) {
      const batches = batchesOf(texts.map((text) => text.slice(0, endpointLimits.textLengthMax).toWellFormed()));
      const answers = await Promise.all(
        batches.map((batch) =>
          purpose === 'query' ? requested(deps, batch, purpose) : limitRequests(() => attempted(deps, batch)),
        ),
      );
      const vectors = answers.flat();
      if (vectors.some((vector) => vector.length !== vectors[0]?.length)) throw new EmbeddingsError('invalid_response');
      return vectors;
    },
  };
}

/** The URL without its query, which may contain a secret. */
function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function batchesOf(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let length = 0;
  for (const text of texts) {
    const batch = batches.at(-1);
    length += text.length;
    if (batch === undefined || batch.length >= endpointLimits.batchTextsMax || length > endpointLimits.batchLengthMax) {
      batches.push([text]);
      length = text.length;
    } else {
      batch.push(text);
    }
  }
  return batches;
}

const retryableTypes: ReadonlySet<EmbeddingsErrorType> = new Set([
  'timeout',
  'connection',
  'rate_limited',
  'server_error',
]);

/** A failed attempt, with the delay that the service requested. */
class AttemptError extends EmbeddingsError {
  readonly retryAfterMs: number;

  constructor(type: EmbeddingsErrorType, retryAfterMs: number, options?: ErrorOptions) {
    super(type, options);
    this.retryAfterMs = retryAfterMs;
  }
}

const retryBounds = { delayMs: endpointLimits.retryDelayMs, delayMsMax: endpointLimits.retryDelayMsMax };

async function attempted(deps: EmbeddingsEndpointDeps, texts: readonly string[]): Promise<Float32Array[]> {
  const wait = deps.wait ?? defaultWait;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await requested(deps, texts, 'document');
    } catch (error) {
      if (
        !(error instanceof EmbeddingsError) ||
        !retryableTypes.has(error.type) ||
        attempt >= endpointLimits.attemptsMax
      ) {
        throw error;
      }
      // Full jitter would sometimes retry immediately.
      const backoffMs = equalJitter(exponentialBackoff(retryBounds, attempt), deps.random ?? Math.random);
      const requestedMs = error instanceof AttemptError ? error.retryAfterMs : 0;
      await wait(Math.min(Math.max(backoffMs, requestedMs), endpointLimits.retryDelayMsMax), deps.signal);
    }
  }
}

async function defaultWait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal, ref: false });
  } catch (cause) {
    throw new EmbeddingsError('cancelled', { cause });
  }
}

async function requested(
  deps: EmbeddingsEndpointDeps,
  texts: readonly string[],
  purpose: EmbeddingPurpose,
): Promise<Float32Array[]> {
  const startedAt = performance.now();
  const report = (tokens: number, errorType: EmbeddingsErrorType | undefined) =>
    deps.onRequest({
      purpose,
      seconds: (performance.now() - startedAt) / 1000,
      texts: texts.length,
      tokens,
      errorType,
    });
  try {
    const { vectors, tokens } = await answered(deps, texts, purpose);
    report(tokens, undefined);
    return vectors;
  } catch (cause) {
    const error =
      cause instanceof EmbeddingsError ? cause : new EmbeddingsError(failureType(cause, deps.signal), { cause });
    report(0, error.type);
    throw error;
  }
}

async function answered(
  { url, model, key, signal }: EmbeddingsEndpointDeps,
  texts: readonly string[],
  purpose: EmbeddingPurpose,
): Promise<{ vectors: Float32Array[]; tokens: number }> {
  const timeout = AbortSignal.timeout(
    purpose === 'query' ? endpointLimits.queryTimeoutMs : endpointLimits.documentTimeoutMs,
  );
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
    // A redirect would send the key to another address.
    redirect: 'error',
    signal: AbortSignal.any([signal, timeout]),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new AttemptError(statusType(response.status), retryAfterMs(response.headers.get('retry-after')));
  }
  return parsed(await bodyOf(response), texts.length);
}

async function bodyOf(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > endpointLimits.answerBytesMax) throw new EmbeddingsError('invalid_response');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new EmbeddingsError('invalid_response', { cause });
  }
}

// OpenAI's API reference, "Create embeddings". Some compatible services leave out `usage`.
const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1).max(dimensionsMax) })),
  usage: z
    .object({ total_tokens: z.int().min(0) })
    .optional()
    .catch(undefined),
});

function parsed(body: unknown, textsCount: number): { vectors: Float32Array[]; tokens: number } {
  const answer = answerSchema.safeParse(body);
  if (!answer.success) throw new EmbeddingsError('invalid_response');
  const byIndex = new Map(answer.data.data.map(({ index, embedding }) => [index, unitVector(embedding)]));
  const vectors = Array.from({ length: textsCount }, (_, index) => byIndex.get(index));
  const complete = vectors.filter((vector) => vector !== undefined);
  if (complete.length !== textsCount) throw new EmbeddingsError('invalid_response');
  return { vectors: complete, tokens: answer.data.usage?.total_tokens ?? 0 };
}

function statusType(status: number): EmbeddingsErrorType {
  if (status === 429) return 'rate_limited';
  if (status === 401 || status === 403) return 'unauthorized';
  return status >= 500 || status === 408 ? 'server_error' : 'refused';
}

/** Parses `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(value: string | null): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function failureType(cause: unknown, signal: AbortSignal): EmbeddingsErrorType {
  if (signal.aborted) return 'cancelled';
  return cause instanceof DOMException && cause.name === 'TimeoutError' ? 'timeout' : 'connection';
}

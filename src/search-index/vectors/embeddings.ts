/**
 * Texts to vectors, whatever makes them: hashed words in process, a model in process, or a service. What is asked of a
 * text twice is paid for once, where there is a cache. Knows nothing of tools or searches.
 */

/** What a text is embedded for: a search that waits for it, or an index that is filled behind the scenes. */
export type EmbeddingPurpose = 'query' | 'document';

/** Makes vectors of texts. */
export interface Embeddings {
  /** SearchIndex of the same model compare; those of different ones never do. Never a secret. */
  readonly model: string;
  /** True where a trained model tells what texts mean; false where words are merely hashed, which adds nothing to BM25. */
  readonly hasMeaning: boolean;
  /**
   * One unit vector a text, in order, all of one length. May call a service, and may be repeated.
   * @throws EmbeddingsError with what went wrong, free of what the service answered.
   */
  embed(texts: readonly string[], purpose: EmbeddingPurpose): Promise<Float32Array[]>;
}

/** Why texts could not be embedded. A closed list, so that it can be a metric label. */
export type EmbeddingsErrorType =
  | 'timeout'
  | 'connection'
  | 'rate_limited'
  | 'unauthorized'
  | 'refused'
  | 'server_error'
  | 'invalid_response'
  | 'cancelled';

/** A failure to embed. The message is ours; nothing that a service answered is in it, nor the key. */
export class EmbeddingsError extends Error {
  override readonly name = 'EmbeddingsError';
  readonly type: EmbeddingsErrorType;

  constructor(type: EmbeddingsErrorType, options?: ErrorOptions) {
    super(messages[type], options);
    this.type = type;
  }
}

const messages = {
  timeout: 'the embeddings service did not answer in time',
  connection: 'the embeddings service cannot be reached',
  rate_limited: 'the embeddings service limits our requests',
  unauthorized: 'the embeddings service refused the key',
  refused: 'the embeddings service refused the request',
  server_error: 'the embeddings service failed',
  invalid_response: 'the embeddings service answered something else than vectors',
  cancelled: 'the embedding was cancelled',
} as const satisfies Record<EmbeddingsErrorType, string>;

/** Longest vector that is taken. */
export const dimensionsMax = 8192;

/** The vector scaled to length 1; undefined for one that has no direction or is not of finite numbers. */
export function unitVector(values: ArrayLike<number>): Float32Array | undefined {
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) squares += (values[at] ?? 0) ** 2;
  const length = Math.sqrt(squares);
  if (!Number.isFinite(length) || length === 0) return undefined;
  return Float32Array.from(values, (value) => value / length);
}

/** Cosine of two unit vectors of one length, in [-1, 1]. */
export function similarity(one: Float32Array, other: Float32Array): number {
  // Four sums, so that no addition waits for the one before; declared one by one, since a pattern here took 5 times as long.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let at = 0;
  for (; at + 3 < one.length; at += 4) {
    a += (one[at] ?? 0) * (other[at] ?? 0);
    b += (one[at + 1] ?? 0) * (other[at + 1] ?? 0);
    c += (one[at + 2] ?? 0) * (other[at + 2] ?? 0);
    d += (one[at + 3] ?? 0) * (other[at + 3] ?? 0);
  }
  for (; at < one.length; at += 1) a += (one[at] ?? 0) * (other[at] ?? 0);
  return Math.max(-1, Math.min(1, a + b + c + d));
}

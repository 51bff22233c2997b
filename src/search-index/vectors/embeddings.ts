/**
 * The port of embeddings, which convert texts to vectors, and functions on vectors.
 * Implementations: the static model, a transformer in this process, a service, and a cache around any of them.
 */

/** Why a text is embedded: for a search that waits for it, or for an index that is filled in the background. */
export type EmbeddingPurpose = 'query' | 'document';

/** Converts texts to vectors. */
export interface Embeddings {
  /** The name of the model. Only vectors of the same model are comparable. It contains no secret. */
  readonly model: string;
  /**
   * Returns one vector for each text, in order, all of one length: a unit vector, or zeros where the model does not understand
   * the text. May call a service, and may be repeated.
   * @throws EmbeddingsError with the type of failure, and without text of the service.
   */
  embed(texts: readonly string[], purpose: EmbeddingPurpose): Promise<Float32Array[]>;
}

/** Why texts could not be embedded. A closed list, since it is a metric label. */
export type EmbeddingsErrorType =
  | 'timeout'
  | 'connection'
  | 'rate_limited'
  | 'unauthorized'
  | 'refused'
  | 'server_error'
  | 'invalid_response'
  | 'cancelled';

/** A failed embedding. Its message contains neither text of the service nor the key. */
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
  rate_limited: 'the embeddings service rejected the request because of its rate limit',
  unauthorized: 'the embeddings service refused the key',
  refused: 'the embeddings service refused the request',
  server_error: 'the embeddings service failed',
  invalid_response: 'the embeddings service returned an invalid response',
  cancelled: 'the embedding was cancelled',
} as const satisfies Record<EmbeddingsErrorType, string>;

/** The longest vector that is accepted. */
export const dimensionsMax = 8192;

/** The vector scaled to length 1; undefined if all numbers are 0 or one is not finite. */
export function unitVector(values: ArrayLike<number>): Float32Array | undefined {
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) squares += (values[at] ?? 0) ** 2;
  const length = Math.sqrt(squares);
  if (!Number.isFinite(length) || length === 0) return undefined;
  return Float32Array.from(values, (value) => value / length);
}

/** Whether a vector has no direction: its text means nothing to the model. */
export function isZero(vector: Float32Array): boolean {
  return vector.every((value) => value === 0);
}

/** Cosine of two unit vectors of one length, in [-1, 1]. */
export function similarity(one: Float32Array, other: Float32Array): number {
  // Four sums, so that additions are independent. Separate declarations, since destructuring was 5 times slower here.
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

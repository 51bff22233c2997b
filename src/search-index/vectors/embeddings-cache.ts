/**
 * The cache of embeddings, in memory and in a file.
 * Concurrent requests for the same text share one embedding.
 */
import { hash } from 'node:crypto';
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { EmbeddingPurpose, Embeddings } from './embeddings.ts';
import type { EmbeddingsCacheFile } from './embeddings-cache-file.ts';

/** Dependencies of the cache. */
export interface EmbeddingsCacheDeps {
  embeddings: Embeddings;
  file: Pick<EmbeddingsCacheFile, 'get' | 'put'>;
  /** Called for each request with the number of texts that were cached, and of those that were embedded. */
  onTexts: (counts: { cached: number; embedded: number }) => void;
  /** Called if the file fails. Vectors are then cached only in memory. */
  onFailure: (error: unknown) => void;
}

/** The most vectors in memory. */
const memoryVectorsMax = 2_000;

/**
 * Creates the cache. Vectors of queries are cached only in memory, since queries are many and few are repeated after a restart.
 */
export function createEmbeddingsCache(deps: EmbeddingsCacheDeps): Embeddings {
  const { embeddings } = deps;
  const inMemory = new BoundedMap<string, Float32Array>(memoryVectorsMax);
  const pending = new Map<string, Promise<Float32Array>>();
  let length: number | undefined;

  function find(digest: string): Float32Array | undefined {
    const vector = inMemory.get(digest) ?? readFile(deps, digest);
    // A vector of another length is from another model, which the service now serves under the same name.
    if (vector === undefined || (length !== undefined && vector.length !== length)) return undefined;
    inMemory.set(digest, vector);
    return vector;
  }

  async function embedMissing(
    missing: ReadonlyMap<string, string>,
    purpose: EmbeddingPurpose,
  ): Promise<Float32Array[]> {
    const vectors = await embeddings.embed([...missing.values()], purpose);
    length = vectors[0]?.length ?? length;
    const embedded = new Map([...missing.keys()].map((digest, at) => [digest, required(vectors[at])]));
    for (const [digest, vector] of embedded) inMemory.set(digest, vector);
    if (purpose === 'document') writeFile(deps, embedded);
    return vectors;
  }

  return {
    ...embeddings,
    async embed(texts, purpose) {
      const digests = texts.map((text) => digestOf(embeddings.model, text));
      const results = new Map<string, Float32Array | Promise<Float32Array>>();
      const missing = new Map<string, string>();
      for (const [at, digest] of digests.entries()) {
        const result = results.get(digest) ?? pending.get(digest) ?? find(digest);
        if (result === undefined) missing.set(digest, texts[at] ?? '');
        else results.set(digest, result);
      }
      deps.onTexts({ cached: texts.length - missing.size, embedded: missing.size });
      if (missing.size > 0) shareRequest(embedMissing(missing, purpose), missing, { pending, results });
      return Promise.all(digests.map(async (digest) => required(await results.get(digest))));
    },
  };
}

/** Adds the results of a request, and makes them available to concurrent requests until it has settled. */
function shareRequest(
  request: Promise<Float32Array[]>,
  missing: ReadonlyMap<string, string>,
  { pending, results }: Record<'pending' | 'results', Map<string, Float32Array | Promise<Float32Array>>>,
): void {
  for (const [at, digest] of [...missing.keys()].entries()) {
    const vector = request.then((vectors) => required(vectors[at]));
    // Every waiting request receives the failure. The handler avoids an unhandled rejection if none is waiting.
    vector.catch(() => undefined).finally(() => pending.delete(digest));
    pending.set(digest, vector);
    results.set(digest, vector);
  }
}

function required(vector: Float32Array | undefined): Float32Array {
  if (vector === undefined) throw new Error('embeddings must return one vector for each text');
  return vector;
}

function digestOf(model: string, text: string): string {
  return hash('sha256', `${model}\u0000${text}`, 'base64url');
}

function readFile({ file, onFailure }: EmbeddingsCacheDeps, digest: string): Float32Array | undefined {
  try {
    return file.get(digest);
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}

function writeFile({ file, onFailure }: EmbeddingsCacheDeps, vectors: ReadonlyMap<string, Float32Array>): void {
  try {
    file.put(vectors);
  } catch (error) {
    onFailure(error);
  }
}

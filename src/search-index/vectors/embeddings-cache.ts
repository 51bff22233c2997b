/** What is asked of a text twice is paid for once: vectors in memory, behind them a file, and one request for many askers. */
import { hash } from 'node:crypto';
import type { EmbeddingPurpose, Embeddings } from './embeddings.ts';
import type { VectorsFile } from './file.ts';

/** What the cache is made of. */
export interface EmbeddingsCacheDeps {
  embeddings: Embeddings;
  file: Pick<VectorsFile, 'get' | 'put'>;
  /** Hears how many texts of a request were known already, and how many were not. */
  onTexts: (counts: { cached: number; embedded: number }) => void;
  /** Hears that the file failed; vectors are then only in memory. */
  onFailure: (error: unknown) => void;
}

/** SearchIndex kept in memory, for searches that are repeated. */
const rememberedMax = 2_000;

/** Makes embeddings that remember. SearchIndex of queries stay in memory: they are many, and few come again. */
export function createEmbeddingsCache(deps: EmbeddingsCacheDeps): Embeddings {
  const { embeddings } = deps;
  const remembered = new Map<string, Float32Array>();
  const underWay = new Map<string, Promise<Float32Array>>();
  let length: number | undefined;

  function known(digest: string): Float32Array | undefined {
    const vector = remembered.get(digest) ?? fromFile(deps, digest);
    // Of another length: of another model, which its service put behind the same name.
    if (vector === undefined || (length !== undefined && vector.length !== length)) return undefined;
    remember(digest, vector);
    return vector;
  }

  function remember(digest: string, vector: Float32Array): void {
    remembered.delete(digest);
    remembered.set(digest, vector);
    const oldest = remembered.size > rememberedMax ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
  }

  async function embedMissing(
    missing: ReadonlyMap<string, string>,
    purpose: EmbeddingPurpose,
  ): Promise<Float32Array[]> {
    const vectors = await embeddings.embed([...missing.values()], purpose);
    length = vectors[0]?.length ?? length;
    const found = new Map([...missing.keys()].map((digest, at) => [digest, answered(vectors[at])]));
    for (const [digest, vector] of found) remember(digest, vector);
    if (purpose === 'document') intoFile(deps, found);
    return vectors;
  }

  return {
    ...embeddings,
    async embed(texts, purpose) {
      const digests = texts.map((text) => digestOf(embeddings.model, text));
      const answers = new Map<string, Float32Array | Promise<Float32Array>>();
      const missing = new Map<string, string>();
      for (const [at, digest] of digests.entries()) {
        const answer = answers.get(digest) ?? underWay.get(digest) ?? known(digest);
        if (answer === undefined) missing.set(digest, texts[at] ?? '');
        else answers.set(digest, answer);
      }
      deps.onTexts({ cached: texts.length - missing.size, embedded: missing.size });
      if (missing.size > 0) shareRequest(embedMissing(missing, purpose), missing, { underWay, answers });
      return Promise.all(digests.map(async (digest) => answered(await answers.get(digest))));
    },
  };
}

/** Lets others wait for the same request, until it has ended. */
function shareRequest(
  request: Promise<Float32Array[]>,
  missing: ReadonlyMap<string, string>,
  { underWay, answers }: Record<'underWay' | 'answers', Map<string, Float32Array | Promise<Float32Array>>>,
): void {
  for (const [at, digest] of [...missing.keys()].entries()) {
    const vector = request.then((vectors) => answered(vectors[at]));
    // Each of those who wait hears of the failure; this keeps it from being nobody's where all have gone.
    vector.catch(() => undefined).finally(() => underWay.delete(digest));
    underWay.set(digest, vector);
    answers.set(digest, vector);
  }
}

function answered(vector: Float32Array | undefined): Float32Array {
  if (vector === undefined) throw new Error('embeddings answer one vector a text');
  return vector;
}

function digestOf(model: string, text: string): string {
  return hash('sha256', `${model}\u0000${text}`, 'base64url');
}

function fromFile({ file, onFailure }: EmbeddingsCacheDeps, digest: string): Float32Array | undefined {
  try {
    return file.get(digest);
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}

function intoFile({ file, onFailure }: EmbeddingsCacheDeps, vectors: ReadonlyMap<string, Float32Array>): void {
  try {
    file.put(vectors);
  } catch (error) {
    onFailure(error);
  }
}

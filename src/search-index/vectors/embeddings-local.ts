/**
 * Embeddings by a small transformer model in this process, from Chroma's default embedding package.
 * The user installs the package. It loads its model at the first use, from its own cache or from the network.
 */
import { z } from 'zod';
import { type Embeddings, EmbeddingsError, unitVector } from './embeddings.ts';

/** The package. It is not a dependency of the hub: with its runtime it has about 300 MB, which few users need. */
const packageName: string = '@chroma-core/default-embed';

/** The most texts of one call of the model, which runs in threads of its own and barely blocks the event loop. */
const batchTextsMax = 16;

/**
 * Loads the package.
 * @throws Error with one line that says how to install it.
 */
export async function createLocalEmbeddings(load: () => Promise<unknown> = loadPackage): Promise<Embeddings> {
  const generate = generateFunction(await load());
  return {
    model: 'local-all-MiniLM-L6-v2',
    async embed(texts) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += batchTextsMax) {
        vectors.push(...(await embedded(generate, texts.slice(at, at + batchTextsMax))));
      }
      return vectors;
    },
  };
}

type Generate = (texts: readonly string[]) => Promise<unknown>;

async function loadPackage(): Promise<unknown> {
  try {
    return await import(packageName);
  } catch (cause) {
    throw new Error(
      `HESTIA_EMBEDDINGS_MODEL: "default" needs the package ${packageName}, which is not installed; run: npm install --no-save ${packageName}`,
      { cause },
    );
  }
}

function generateFunction(module: unknown): Generate {
  const embedder =
    isObject(module) && typeof module.DefaultEmbeddingFunction === 'function'
      ? (Reflect.construct(module.DefaultEmbeddingFunction, []) satisfies unknown)
      : undefined;
  if (!isObject(embedder) || typeof embedder.generate !== 'function') {
    throw new Error(`HESTIA_EMBEDDINGS_MODEL: the hub does not support this version of ${packageName}`);
  }
  const { generate } = embedder;
  return async (texts) => Reflect.apply(generate, embedder, [[...texts]]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const vectorsSchema = z.array(z.array(z.number()));

async function embedded(generate: Generate, texts: readonly string[]): Promise<Float32Array[]> {
  let answer: unknown;
  try {
    answer = await generate(texts);
  } catch (cause) {
    // The model could not be loaded, mostly because there is no network.
    throw new EmbeddingsError('server_error', { cause });
  }
  const parsed = vectorsSchema.safeParse(answer);
  const vectors = parsed.data?.map(unitVector) ?? [];
  const complete = vectors.filter((vector) => vector !== undefined);
  if (complete.length !== texts.length) throw new EmbeddingsError('invalid_response');
  return complete;
}

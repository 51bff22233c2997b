/**
 * SearchIndex by a small transformer in this process, where the user has installed Chroma's default embedding package.
 * The package loads its model when it is first used, from its own cache or from the network.
 */
import { z } from 'zod';
import { type Embeddings, EmbeddingsError, unitVector } from './embeddings.ts';

/** The package, which is not among the hub's own: with its runtime it is some 300 MB that few need. */
const packageName: string = '@chroma-core/default-embed';

/** Texts the model is given at once; it holds up little else meanwhile, since it runs on threads of its own. */
const batchTextsMax = 16;

/**
 * Loads the package.
 * @throws Error with one line that says how to install it.
 */
export async function createLocalEmbeddings(load: () => Promise<unknown> = loadPackage): Promise<Embeddings> {
  const generate = generator(await load());
  return {
    model: 'local-all-MiniLM-L6-v2',
    hasMeaning: true,
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

function generator(module: unknown): Generate {
  const made =
    isObject(module) && typeof module.DefaultEmbeddingFunction === 'function'
      ? (Reflect.construct(module.DefaultEmbeddingFunction, []) satisfies unknown)
      : undefined;
  if (!isObject(made) || typeof made.generate !== 'function') {
    throw new Error(`HESTIA_EMBEDDINGS_MODEL: this version of ${packageName} is not known to the hub`);
  }
  const { generate } = made;
  return async (texts) => Reflect.apply(generate, made, [[...texts]]);
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
    // The model could not be loaded, most often for want of a network.
    throw new EmbeddingsError('server_error', { cause });
  }
  const parsed = vectorsSchema.safeParse(answer);
  const vectors = parsed.data?.map(unitVector) ?? [];
  const complete = vectors.filter((vector) => vector !== undefined);
  if (complete.length !== texts.length) throw new EmbeddingsError('invalid_response');
  return complete;
}

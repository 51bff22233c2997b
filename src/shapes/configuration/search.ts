/** Configuration of search by meaning: the environment variables for Chroma and for embeddings. */
import { z } from 'zod';

/** An HTTP address without user, password or fragment, since addresses are shown and these may be secret. */
const webAddress = z
  .string()
  .refine(isWebAddress, 'must be an address that begins with http:// or https:// and names no user or password');

/** The environment variables of search. */
export const searchEnvironment = {
  HESTIA_CHROMA_URL: webAddress
    .refine(
      (url) => /^https?:\/\/[^/?]+\/?$/.test(url),
      'must be scheme, host and port only, as in http://localhost:8000',
    )
    .optional(),
  HESTIA_EMBEDDINGS_URL: webAddress.optional(),
  HESTIA_EMBEDDINGS_MODEL: z
    .string()
    .regex(/^[\x20-\x7e]{1,200}$/, 'must be a name of 1 to 200 printable ASCII characters')
    .optional(),
  HESTIA_EMBEDDINGS_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'must be printable ASCII without blanks')
    .optional(),
} as const;

/** The variables of search, parsed. */
export type SearchEnvironment = z.infer<z.ZodObject<typeof searchEnvironment>>;

/** The value of HESTIA_EMBEDDINGS_MODEL for search by words alone. */
export const wordsModel = 'words';
/** Its value for the static model, the default. */
export const staticModel = 'static';
/** Its value for the transformer in this process. */
export const localEmbeddingsModel = 'default';

/**
 * What converts texts to vectors: nothing, the static model of the repository, a transformer in this process (of an optional
 * package), or a service with the OpenAI format at `url`, the whole address of its `embeddings` resource.
 */
export type EmbeddingsConfiguration =
  | { kind: 'words' }
  | { kind: 'static' }
  | { kind: 'local'; model: typeof localEmbeddingsModel }
  | { kind: 'endpoint'; url: string; model: string; key: string | undefined };

/** The configuration of search by meaning. */
export interface SearchConfiguration {
  /** The Chroma server. Undefined: vectors are kept in this process. */
  chromaUrl: string | undefined;
  embeddings: EmbeddingsConfiguration;
  /** The SQLite file that caches computed vectors. It may be deleted while the hub is not running. */
  vectorsFile: string;
}

/**
 * The static model unless another one is named: in this process, or behind an address. `refuse` is called with the variable and
 * the reason where the variables do not fit together, and throws.
 */
export function embeddingsConfiguration(
  {
    HESTIA_CHROMA_URL: chroma,
    HESTIA_EMBEDDINGS_URL: url,
    HESTIA_EMBEDDINGS_MODEL: model,
    HESTIA_EMBEDDINGS_KEY: key,
  }: SearchEnvironment,
  refuse: (variable: keyof SearchEnvironment, reason: string) => never,
): EmbeddingsConfiguration {
  if (url !== undefined) {
    if (model === undefined) {
      return refuse(
        'HESTIA_EMBEDDINGS_MODEL',
        'must name the model to ask HESTIA_EMBEDDINGS_URL for, as in text-embedding-3-small',
      );
    }
    return { kind: 'endpoint', url: embeddingsAddress(url), model, key };
  }
  if (key !== undefined) return refuse('HESTIA_EMBEDDINGS_KEY', 'is for HESTIA_EMBEDDINGS_URL, which is not set');
  if (model === undefined || model === staticModel) return { kind: 'static' };
  if (model === localEmbeddingsModel) return { kind: 'local', model };
  if (model === wordsModel && chroma === undefined) return { kind: 'words' };
  if (model === wordsModel)
    return refuse('HESTIA_CHROMA_URL', 'stores vectors, and HESTIA_EMBEDDINGS_MODEL=words computes none');
  const allowed = [staticModel, wordsModel, localEmbeddingsModel].map((name) => `"${name}"`).join(', ');
  return refuse('HESTIA_EMBEDDINGS_MODEL', `must be one of ${allowed} where HESTIA_EMBEDDINGS_URL is not set`);
}

/** The address of the `embeddings` resource, for an origin, a base such as `…/v1`, or the full address. */
function embeddingsAddress(text: string): string {
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/embeddings')) url.pathname = `${path === '' ? '/v1' : path}/embeddings`;
  return url.href;
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  );
}

/** The embeddings in this process, with a fake of the package, which is not installed here. */
import { describe, expect, test } from 'vitest';
import { createLocalEmbeddings } from '../../../src/search-index/vectors/embeddings-local.ts';

/** The exports of the package, according to the type declarations of version 0.1.9. */
const packageWith = (generate: (texts: string[]) => Promise<unknown>) => async () => ({
  DefaultEmbeddingFunction: class {
    generate(texts: string[]): Promise<unknown> {
      return generate(texts);
    }
  },
});

describe('the model in this process', () => {
  test('fails with an error that says how to install the package', async () => {
    await expect(createLocalEmbeddings()).rejects.toThrow(
      'HESTIA_EMBEDDINGS_MODEL: "default" needs the package @chroma-core/default-embed, which is not installed; run: npm install --no-save @chroma-core/default-embed',
    );
  });

  test('fails if the package has other exports', async () => {
    await expect(createLocalEmbeddings(async () => ({}))).rejects.toThrow('the hub does not support this version of');
  });

  test('returns unit vectors, embedding at most 16 texts at a time', async () => {
    const sizes: number[] = [];
    const embeddings = await createLocalEmbeddings(
      packageWith(async (texts) => {
        sizes.push(texts.length);
        return texts.map((text) => [text.length, 0]);
      }),
    );
    const vectors = await embeddings.embed(
      Array.from({ length: 20 }, () => 'text'),
      'document',
    );
    expect(vectors).toHaveLength(20);
    expect([...(vectors[19] ?? [])]).toEqual([1, 0]);
    expect(sizes).toEqual([16, 4]);
  });

  test('rejects with the type of failure if it cannot be loaded or returns no vectors', async () => {
    const failing = await createLocalEmbeddings(packageWith(() => Promise.reject(new Error('no network'))));
    await expect(failing.embed(['text'], 'query')).rejects.toMatchObject({ type: 'server_error' });
    const other = await createLocalEmbeddings(packageWith(async () => [['1']]));
    await expect(other.embed(['text'], 'query')).rejects.toMatchObject({ type: 'invalid_response' });
  });
});

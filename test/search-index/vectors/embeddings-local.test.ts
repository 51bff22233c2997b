/** The model in this process, as far as it can be shown without the package that brings it, which is not installed here. */
import { describe, expect, test } from 'vitest';
import { createLocalEmbeddings } from '../../../src/search-index/vectors/embeddings-local.ts';

/** What the package exports, as its type declarations of version 0.1.9 say. */
const packageWith = (generate: (texts: string[]) => Promise<unknown>) => async () => ({
  DefaultEmbeddingFunction: class {
    generate(texts: string[]): Promise<unknown> {
      return generate(texts);
    }
  },
});

describe('the model in this process', () => {
  test('stops the start with how to install it, where it is not installed', async () => {
    await expect(createLocalEmbeddings()).rejects.toThrow(
      'HESTIA_EMBEDDINGS_MODEL: "default" needs the package @chroma-core/default-embed, which is not installed; run: npm install --no-save @chroma-core/default-embed',
    );
  });

  test('stops the start where the package is of another shape', async () => {
    await expect(createLocalEmbeddings(async () => ({}))).rejects.toThrow('is not known to the hub');
  });

  test('gives unit vectors, few texts at a time', async () => {
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

  test('says that it failed where it cannot be loaded or answers something else', async () => {
    const failing = await createLocalEmbeddings(packageWith(() => Promise.reject(new Error('no network'))));
    await expect(failing.embed(['text'], 'query')).rejects.toMatchObject({ type: 'server_error' });
    const other = await createLocalEmbeddings(packageWith(async () => [['1']]));
    await expect(other.embed(['text'], 'query')).rejects.toMatchObject({ type: 'invalid_response' });
  });
});

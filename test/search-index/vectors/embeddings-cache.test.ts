import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Embeddings } from '../../../src/search-index/vectors/embeddings.ts';
import { createEmbeddingsCache } from '../../../src/search-index/vectors/embeddings-cache.ts';
import {
  type EmbeddingsCacheFile,
  openEmbeddingsCacheFile,
} from '../../../src/search-index/vectors/embeddings-cache-file.ts';

let folder: string;
let file: EmbeddingsCacheFile;
let asked: string[][];
let counts: { cached: number; embedded: number }[];
let failures: unknown[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-vectors-'));
  asked = [];
  counts = [];
  failures = [];
  file = open();
});
afterEach(async () => {
  file[Symbol.dispose]();
  await rm(folder, { recursive: true });
});

const open = () => openEmbeddingsCacheFile(join(folder, 'vectors.db'), (error) => failures.push(error));

/** SearchIndex that tell how often they were asked for, so that an old one is seen. */
const cache = (model = 'a', fails = () => false): Embeddings =>
  createEmbeddingsCache({
    embeddings: {
      model,
      hasMeaning: true,
      embed: async (texts) => {
        asked.push([...texts]);
        if (fails()) throw new Error('failed');
        return texts.map((text) => Float32Array.from([text.length, asked.length, 0.1]));
      },
    },
    file,
    onTexts: (count) => counts.push(count),
    onFailure: (error) => failures.push(error),
  });

describe('a text', () => {
  test('is embedded once, and told as known from then on', async () => {
    const embeddings = cache();
    const first = await embeddings.embed(['one', 'two', 'one'], 'document');
    expect(await embeddings.embed(['two', 'one'], 'query')).toEqual([first[1], first[0]]);
    expect(asked).toEqual([['one', 'two']]);
    expect(counts).toEqual([
      { cached: 1, embedded: 2 },
      { cached: 2, embedded: 0 },
    ]);
  });

  test('of a document is known after a restart; of a query it is not', async () => {
    const before = await cache().embed(['document'], 'document');
    await cache().embed(['query'], 'query');
    file[Symbol.dispose]();
    file = open();
    expect(await cache().embed(['document'], 'document')).toEqual(before);
    expect(asked).toEqual([['document'], ['query']]);
    await cache().embed(['query'], 'query');
    expect(asked).toHaveLength(3);
  });

  test('is embedded again for another model', async () => {
    await cache('a').embed(['text'], 'document');
    await cache('b').embed(['text'], 'document');
    expect(asked).toHaveLength(2);
  });

  test('asked for by many at once is embedded once', async () => {
    const embeddings = cache();
    const answers = await Promise.all(Array.from({ length: 5 }, () => embeddings.embed(['same'], 'query')));
    expect(asked).toEqual([['same']]);
    expect(new Set(answers.map(([vector]) => vector)).size).toBe(1);
  });

  test('that could not be embedded is asked for again', async () => {
    let fails = true;
    const embeddings = cache('a', () => fails);
    await expect(embeddings.embed(['text'], 'query')).rejects.toThrow('failed');
    fails = false;
    await expect(embeddings.embed(['text'], 'query')).resolves.toHaveLength(1);
  });
});

describe('the file', () => {
  test('gives a hub the same name for as long as it is kept', () => {
    const { hubId } = file;
    file[Symbol.dispose]();
    file = open();
    expect(hubId).toMatch(/^hub_[0-9a-f]{16}$/);
    expect(file.hubId).toBe(hubId);
  });

  test('is begun anew where it is damaged', async () => {
    file[Symbol.dispose]();
    await writeFile(join(folder, 'vectors.db'), 'not a database, and longer than a header of one would be'.repeat(20));
    file = open();
    await cache().embed(['text'], 'document');
    expect(failures).toEqual([]);
    expect(file.hubId).toMatch(/^hub_/);
  });

  test('that cannot be opened is told, and vectors are kept in memory', async () => {
    file[Symbol.dispose]();
    file = openEmbeddingsCacheFile(join(folder, 'absent', 'vectors.db'), (error) => failures.push(error));
    expect(failures).toHaveLength(1);
    await cache().embed(['text'], 'document');
    await cache().embed(['text'], 'document');
    expect(asked).toHaveLength(1);
  });

  test('that fails later is told, and no search fails with it', async () => {
    file[Symbol.dispose]();
    await expect(cache().embed(['text'], 'document')).resolves.toHaveLength(1);
    expect(failures.length).toBeGreaterThan(0);
  });
});

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
let requested: string[][];
let counts: { cached: number; embedded: number }[];
let failures: unknown[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-vectors-'));
  requested = [];
  counts = [];
  failures = [];
  file = open();
});
afterEach(async () => {
  file[Symbol.dispose]();
  await rm(folder, { recursive: true });
});

const open = () => openEmbeddingsCacheFile(join(folder, 'vectors.db'), (error) => failures.push(error));

/** A cache of vectors that contain the number of requests so far, so that cached ones can be recognised. */
const cache = (model = 'a', fails = () => false): Embeddings =>
  createEmbeddingsCache({
    embeddings: {
      model,
      embed: async (texts) => {
        requested.push([...texts]);
        if (fails()) throw new Error('failed');
        return texts.map((text) => Float32Array.from([text.length, requested.length, 0.1]));
      },
    },
    file,
    onTexts: (count) => counts.push(count),
    onFailure: (error) => failures.push(error),
  });

describe('a text', () => {
  test('is embedded once and reported as cached from then on', async () => {
    const embeddings = cache();
    const first = await embeddings.embed(['one', 'two', 'one'], 'document');
    expect(await embeddings.embed(['two', 'one'], 'query')).toEqual([first[1], first[0]]);
    expect(requested).toEqual([['one', 'two']]);
    expect(counts).toEqual([
      { cached: 1, embedded: 2 },
      { cached: 2, embedded: 0 },
    ]);
  });

  test('is cached over a restart if it is a document, but not if it is a query', async () => {
    const before = await cache().embed(['document'], 'document');
    await cache().embed(['query'], 'query');
    file[Symbol.dispose]();
    file = open();
    expect(await cache().embed(['document'], 'document')).toEqual(before);
    expect(requested).toEqual([['document'], ['query']]);
    await cache().embed(['query'], 'query');
    expect(requested).toHaveLength(3);
  });

  test('is embedded again for another model', async () => {
    await cache('a').embed(['text'], 'document');
    await cache('b').embed(['text'], 'document');
    expect(requested).toHaveLength(2);
  });

  test('is embedded once for many concurrent requests', async () => {
    const embeddings = cache();
    const answers = await Promise.all(Array.from({ length: 5 }, () => embeddings.embed(['same'], 'query')));
    expect(requested).toEqual([['same']]);
    expect(new Set(answers.map(([vector]) => vector)).size).toBe(1);
  });

  test('that could not be embedded is requested again', async () => {
    let fails = true;
    const embeddings = cache('a', () => fails);
    await expect(embeddings.embed(['text'], 'query')).rejects.toThrow('failed');
    fails = false;
    await expect(embeddings.embed(['text'], 'query')).resolves.toHaveLength(1);
  });
});

describe('the file', () => {
  test('keeps the id of the hub', () => {
    const { hubId } = file;
    file[Symbol.dispose]();
    file = open();
    expect(hubId).toMatch(/^hub_[0-9a-f]{16}$/);
    expect(file.hubId).toBe(hubId);
  });

  test('is replaced if it is damaged', async () => {
    file[Symbol.dispose]();
    await writeFile(join(folder, 'vectors.db'), 'not a database, and longer than a header of one would be'.repeat(20));
    file = open();
    await cache().embed(['text'], 'document');
    expect(failures).toEqual([]);
    expect(file.hubId).toMatch(/^hub_/);
  });

  test('that cannot be opened is reported, and vectors are cached in memory', async () => {
    file[Symbol.dispose]();
    file = openEmbeddingsCacheFile(join(folder, 'absent', 'vectors.db'), (error) => failures.push(error));
    expect(failures).toHaveLength(1);
    await cache().embed(['text'], 'document');
    await cache().embed(['text'], 'document');
    expect(requested).toHaveLength(1);
  });

  test('that fails later is reported, and embedding still works', async () => {
    file[Symbol.dispose]();
    await expect(cache().embed(['text'], 'document')).resolves.toHaveLength(1);
    expect(failures.length).toBeGreaterThan(0);
  });
});

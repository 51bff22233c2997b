/** The contract of vector stores, for the one in process and the one in a real Chroma server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ChromaConnection, createChromaConnection } from '../../../src/search-index/vectors/chroma-connection.ts';
import { unitVector } from '../../../src/search-index/vectors/embeddings.ts';
import { createVectorStore, type VectorEntry, type VectorStore } from '../../../src/search-index/vectors/store.ts';
import { createChromaVectorStore } from '../../../src/search-index/vectors/store-chroma.ts';
import { type Log, openLog } from '../../../src/telemetry/log.ts';
import { type Chroma, startChroma } from '../../support/programs/chroma.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const vector = (...values: number[]) => unitVector(values) ?? new Float32Array();
const entry = (id: string, values: number[], labels: VectorEntry['labels'] = { kind: 'a' }): VectorEntry => ({
  id,
  vector: vector(...values),
  digest: `digest of ${id}`,
  labels,
});

function storeContract(store: () => VectorStore): void {
  const nearest = async (values: number[], where: Record<string, string[]> = {}, limit = 10) =>
    (await store().query({ vector: vector(...values), limit, where })).map(({ id }) => id);

  test('is empty at first', async () => {
    expect(await nearest([1, 0])).toEqual([]);
    expect(await store().digests()).toEqual(new Map());
    await expect(store().remove(['absent'])).resolves.toBeUndefined();
  });

  test('returns the nearest first, with cosine and labels', async () => {
    await store().upsert([
      entry('far', [0, 1]),
      entry('near', [1, 0.1]),
      entry('nearest', [1, 0], { kind: 'b', n: 7 }),
    ]);
    expect(await nearest([1, 0])).toEqual(['nearest', 'near', 'far']);
    expect(await nearest([1, 0], {}, 2)).toEqual(['nearest', 'near']);
    const [match] = await store().query({ vector: vector(1, 0), limit: 1, where: {} });
    expect(match?.similarity).toBeCloseTo(1, 5);
    expect(match?.labels).toMatchObject({ kind: 'b', n: 7 });
  });

  test('finds only entries whose labels have one of the values', async () => {
    await store().upsert([
      entry('one', [1, 0], { space: 'red', kind: 'x' }),
      entry('two', [1, 0.1], { space: 'blue', kind: 'x' }),
      entry('three', [1, 0.2], { space: 'all', kind: 'y' }),
    ]);
    expect(await nearest([1, 0], { space: ['blue', 'all'] })).toEqual(['two', 'three']);
    expect(await nearest([1, 0], { space: ['blue', 'all'], kind: ['y'] })).toEqual(['three']);
  });

  test('replaces an entry of the same id, removes entries, and lists the digests of those left', async () => {
    await store().upsert([entry('one', [1, 0]), entry('two', [0, 1])]);
    await store().upsert([{ ...entry('one', [0, 1]), digest: 'another' }]);
    expect(await store().digests()).toEqual(
      new Map([
        ['one', 'another'],
        ['two', 'digest of two'],
      ]),
    );
    await store().remove(['two', 'absent']);
    expect(await nearest([0, 1])).toEqual(['one']);
  });

  test('returns nothing for a vector of another length', async () => {
    await store().upsert([entry('one', [1, 0])]);
    expect(await nearest([1, 0, 0])).toEqual([]);
  });
}

describe('a store in process', () => {
  let store: VectorStore;
  beforeEach(() => {
    store = createVectorStore();
  });
  storeContract(() => store);

  test('compares only vectors of the same length', async () => {
    await store.upsert([entry('one', [1, 0]), entry('two', [1, 0.1]), entry('three', [0, 1])]);
    await store.upsert([entry('one', [1, 0, 0])]);
    const found = async (...values: number[]) =>
      (await store.query({ vector: vector(...values), limit: 10, where: {} })).map(({ id }) => id);
    expect(await found(1, 0)).toEqual(['two', 'three']);
    expect(await found(1, 0, 0)).toEqual(['one']);
    await store.remove(['two', 'one']);
    expect(await found(1, 0)).toEqual(['three']);
    expect(await found(1, 0, 0)).toEqual([]);
  });

  test('refuses a vector with NaN with an error of its own', async () => {
    const broken = { ...entry('one', [1, 0]), vector: Float32Array.of(Number.NaN, 1) };
    await expect(store.upsert([broken])).rejects.toThrow('vectors cannot be stored or compared in this process');
    expect(await store.digests()).toEqual(new Map());
  });

  test('finds the nearest among many, in whatever order they were added', async () => {
    const entries = Array.from({ length: 2_000 }, (_, at) => entry(`${at}`, [Math.cos(at / 700), Math.sin(at / 700)]));
    await store.upsert(entries.toSorted((one, other) => Number(one.id.at(-1)) - Number(other.id.at(-1))));
    const found = await store.query({ vector: vector(1, 0), limit: 5, where: {} });
    expect(found.map(({ id }) => id)).toEqual(['0', '1', '2', '3', '4']);
  });
});

describeWith('chroma', 'a store in Chroma', () => {
  let chroma: Chroma;
  let folder: string;
  let log: Log;
  let connection: ChromaConnection;
  const of = (hubId: string, isShared: boolean) =>
    createChromaVectorStore({
      connection,
      kind: 'tools',
      model: 'test',
      hubId,
      isShared,
      queryTimeoutMs: 15_000,
      onCreated: () => undefined,
      onCall: () => undefined,
    });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-store-'));
    log = await openLog({ file: join(folder, 'log'), level: 'info', standardOutput: 'none' });
    chroma = await startChroma();
    connection = createChromaConnection({ url: chroma.url, log });
    connection.start();
    await expect.poll(() => connection.status().state, { timeout: 10_000 }).toBe('up');
  });
  afterEach(async () => {
    connection[Symbol.dispose]();
    await chroma[Symbol.asyncDispose]();
    await log.close();
    await rm(folder, { recursive: true });
  });

  storeContract(() => of('hub_1', false));

  test('shows entries to all hubs if it is shared, else only to their own', async () => {
    await of('hub_1', true).upsert([entry('one', [1, 0])]);
    const query = { vector: vector(1, 0), limit: 10, where: {} };
    expect(await of('hub_2', true).query(query)).toMatchObject([{ id: 'one' }]);
    expect(await of('hub_2', false).query(query)).toEqual([]);
    expect(await of('hub_2', true).digests()).toEqual(new Map());
  });

  test('fails immediately with an error of its own while Chroma is unavailable', async () => {
    await chroma.stop();
    await expect(of('hub_1', false).upsert([entry('one', [1, 0])])).rejects.toThrow('Chroma failed');
    await expect(of('hub_1', false).digests()).rejects.toThrow('Chroma is unavailable');
  });
});

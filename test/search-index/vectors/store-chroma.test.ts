/** The tool index with its vectors in a real Chroma server: the index contract, and failures of Chroma. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Chroma, startChroma } from '../../support/programs/chroma.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../../support/servers/embeddings-server.ts';
import { describeToolIndex, indexedTool } from '../../support/tool-index-contract.ts';
import { type ObservedVectors, type ObservedVectorsOptions, startVectors } from '../../support/vectors-observed.ts';

let chroma: Chroma;
let server: EmbeddingsServer;
const observed: ObservedVectors[] = [];

async function start(options: ObservedVectorsOptions = {}): Promise<ObservedVectors> {
  const parts = await startVectors({ chromaUrl: chroma.url, embeddingsUrl: server.url, ...options });
  observed.push(parts);
  await expect.poll(() => parts.gauges()?.isUp, { timeout: 10_000 }).toBe(true);
  return parts;
}

const office = [
  indexedTool('office', 'send_mail', 'Sends it.'),
  indexedTool('office', 'read_file', 'Reads it.'),
  indexedTool('office', 'draw_chart', 'Draws it.'),
];
const search = async ({ vectors }: ObservedVectors, query: string) => {
  const { found, scoring } = await vectors.toolIndex.search({ query, limit: 10, namespace: 'default' });
  return { scoring, names: found.map(({ tool }) => tool.definition.toolName) };
};
const levels = ({ logLines }: ObservedVectors) => logLines().map(({ level, message }) => `${level} ${message}`);

describeWith('chroma', 'an index in Chroma', () => {
  beforeAll(async () => {
    chroma = await startChroma();
  });
  afterAll(() => chroma[Symbol.asyncDispose]());
  beforeEach(async () => {
    server = await startEmbeddingsServer();
    server.synonyms = [['mail', 'letter', 'correspondence']];
  });
  afterEach(async () => {
    for (const parts of observed.splice(0)) await parts[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  describeToolIndex('by meaning', async () => {
    const { vectors } = await start();
    return { index: vectors.toolIndex, settled: vectors.settled, close: async () => undefined };
  });

  describeToolIndex('by the static model', async () => {
    const { vectors } = await start({ embeddingsUrl: undefined });
    return { index: vectors.toolIndex, settled: vectors.settled, close: async () => undefined };
  });

  test('finds tools that contain no word of the query, and reports its dependencies', async () => {
    const parts = await start();
    parts.vectors.toolIndex.replaceServer('office', office);
    await parts.vectors.settled();
    expect(await search(parts, 'correspondence')).toEqual({ scoring: 'hybrid', names: ['send_mail'] });
    expect(parts.vectors.dependencies()).toEqual({
      toolIndex: { state: 'up', kind: 'chroma' },
      chroma: { state: 'up', version: expect.stringMatching(/^\d+\.\d+/), backlog: 0 },
      embeddings: { state: 'up', kind: 'endpoint' },
    });
  });

  test('loses no write and delays no search while Chroma is stopped under traffic', async () => {
    const parts = await start({ hasHubTimeouts: true });
    parts.vectors.toolIndex.replaceServer('office', office);
    await parts.vectors.settled();
    await chroma.stop();
    const durations: number[] = [];
    for (let at = 0; at < 40; at += 1) {
      const startedAt = performance.now();
      parts.vectors.toolIndex.put(indexedTool('post', `deliver_${at}`, 'Delivers a letter.'));
      expect((await search(parts, `read the file ${at}`)).names).toContain('read_file');
      durations.push(performance.now() - startedAt);
    }
    parts.vectors.toolIndex.remove({ serverId: 'office', toolName: 'draw_chart', namespace: undefined });
    expect(Math.max(...durations)).toBeLessThan(600);
    expect(parts.gauges()?.isUp).toBe(false);
    expect(parts.gauges()?.backlog).toBeGreaterThanOrEqual(40);
    expect(parts.vectors.dependencies()).toMatchObject({ chroma: { state: 'down' }, toolIndex: { state: 'up' } });
    await chroma.start();
    await parts.vectors.settled();
    expect(parts.gauges()).toEqual({ isUp: true, backlog: 0 });
    expect(await chroma.count('tools')).toBe(42);
    await expect.poll(async () => (await search(parts, 'correspondence')).names).toContain('deliver_0');
    await expect
      .poll(() => levels(parts))
      .toEqual([
        'info Chroma is connected',
        expect.stringContaining('warn Chroma is unavailable'),
        'info Chroma is available again',
      ]);
  });

  test('waits a bounded time for a Chroma that hangs, and not at all once it is known to', async () => {
    const parts = await start({ hasHubTimeouts: true });
    parts.vectors.toolIndex.replaceServer('office', office);
    await parts.vectors.settled();
    chroma.freeze();
    try {
      const startedAt = performance.now();
      expect(await search(parts, 'read the file')).toMatchObject({ scoring: 'lexical', names: ['read_file'] });
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      await expect.poll(() => parts.gauges()?.isUp, { timeout: 15_000 }).toBe(false);
      expect(await search(parts, 'read the file')).toMatchObject({ scoring: 'lexical' });
      expect(parts.counted.fallbacks).toEqual(['failed', 'away']);
    } finally {
      chroma.thaw();
    }
    await expect.poll(() => parts.gauges()?.isUp, { timeout: 15_000 }).toBe(true);
    await parts.vectors.settled();
    await expect.poll(async () => (await search(parts, 'correspondence')).scoring).toBe('hybrid');
  });

  test('writes everything again after Chroma lost its data', async () => {
    const parts = await start();
    parts.vectors.toolIndex.replaceServer('office', office);
    await parts.vectors.settled();
    await chroma.stop();
    await expect.poll(() => parts.gauges()?.isUp, { timeout: 15_000 }).toBe(false);
    await chroma.start({ empty: true });
    await expect.poll(() => chroma.count('tools'), { timeout: 15_000 }).toBe(3);
  });

  test('creates its collection again after somebody deleted it', async () => {
    const parts = await start();
    parts.vectors.toolIndex.replaceServer('office', office);
    await parts.vectors.settled();
    for (const { name } of await chroma.client.listCollections()) await chroma.client.deleteCollection({ name });
    parts.vectors.toolIndex.put(indexedTool('post', 'deliver', 'Delivers a letter.'));
    await expect.poll(() => chroma.count('tools'), { timeout: 15_000 }).toBe(4);
  });

  test('creates a new collection for another model, and for another length of vectors', async () => {
    const first = await start({ model: 'one' });
    first.vectors.toolIndex.replaceServer('office', office);
    await first.vectors.settled();
    const second = await start({ model: 'two' });
    second.vectors.toolIndex.replaceServer('office', office);
    await second.vectors.settled();
    const collections = await chroma.client.listCollections();
    expect(collections.map(({ metadata }) => metadata?.model)).toEqual([`two at ${server.url}`]);
    server.dimensions = 256;
    await search(second, 'a new query');
    await second.vectors.settled();
    const [collection] = await chroma.client.listCollections();
    expect(collection?.metadata).toMatchObject({ dimensions: 256 });
    expect(await search(second, 'correspondence')).toEqual({ scoring: 'hybrid', names: ['send_mail'] });
  });

  test('keeps the tools of two hubs separate', async () => {
    const one = await start();
    const other = await start();
    one.vectors.toolIndex.replaceServer('office', office);
    other.vectors.toolIndex.replaceServer('post', [indexedTool('post', 'deliver', 'Delivers a letter.')]);
    await Promise.all([one.vectors.settled(), other.vectors.settled()]);
    expect((await search(one, 'correspondence')).names).toEqual(['send_mail']);
    expect((await search(other, 'correspondence')).names).toEqual(['deliver']);
  });
});

/** The index by words and meaning, with vectors in process. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndexQuery } from '../../src/search-index/tool-index.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../support/servers/embeddings-server.ts';
import { describeToolIndex, indexedTool } from '../support/tool-index-contract.ts';
import { type ObservedVectors, startVectors } from '../support/vectors-observed.ts';

describeToolIndex('the index by hashed words in process', async () => {
  const observed = await startVectors();
  const { toolIndex, settled } = observed.vectors;
  return { index: toolIndex, settled, close: async () => observed[Symbol.asyncDispose]() };
});

describeToolIndex('the index by meaning in process', async () => {
  const server = await startEmbeddingsServer();
  const observed = await startVectors({ embeddingsUrl: server.url });
  const { toolIndex, settled } = observed.vectors;
  return {
    index: toolIndex,
    settled,
    close: async () => {
      await observed[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});

describe('an index by meaning', () => {
  let server: EmbeddingsServer;
  let observed: ObservedVectors;
  beforeEach(async () => {
    server = await startEmbeddingsServer();
    server.synonyms = [['mail', 'letter', 'correspondence']];
    observed = await startVectors({ embeddingsUrl: server.url });
    observed.vectors.toolIndex.replaceServer('office', [
      indexedTool('office', 'send_mail', 'Sends it.'),
      indexedTool('office', 'read_file', 'Reads it.'),
      indexedTool('office', 'draw_chart', 'Draws it.'),
    ]);
    await observed.vectors.settled();
  });
  afterEach(async () => {
    await observed[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const search = (query: string, options: Partial<ToolIndexQuery> = {}) =>
    observed.vectors.toolIndex.search({ query, limit: 10, namespace: 'default', ...options });
  const names = async (query: string, options: Partial<ToolIndexQuery> = {}) =>
    (await search(query, options)).found.map(({ tool }) => tool.definition.toolName);

  test('finds what no word of the query names, and says by what', async () => {
    const { found, scoring } = await search('correspondence');
    expect(scoring).toBe('hybrid');
    expect(found[0]).toMatchObject({ tool: { definition: { toolName: 'send_mail' } }, score: 1 });
    expect(found[0]?.parts.lexical).toBeUndefined();
    expect(found[0]?.parts.dense).toBeGreaterThan(0);
  });

  test('goes on by words where the service is away, at once after the first time', async () => {
    server.fail({ kind: 'status', status: 500 });
    expect(await search('read the file')).toMatchObject({ scoring: 'lexical' });
    expect(await names('read a file')).toEqual(['read_file']);
    expect(observed.counted.fallbacks).toEqual(['failed', 'away']);
    expect(observed.vectors.dependencies()).toMatchObject({ embeddings: { state: 'down', kind: 'endpoint' } });
    await expect
      .poll(() => observed.logLines().filter(({ level }) => level === 'warn'))
      .toMatchObject([{ error_type: 'server_error' }]);
  });

  test('waits a bound for a service that hangs, and not at all for one that is known to', async () => {
    await observed[Symbol.asyncDispose]();
    observed = await startVectors({ embeddingsUrl: server.url, isImpatient: true });
    server.fail({ kind: 'hang' });
    const startedAt = performance.now();
    await Promise.all(['one', 'two', 'three', 'four'].map((word) => search(word)));
    expect(await search('five')).toMatchObject({ scoring: 'lexical' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(observed.counted.fallbacks).toEqual(['late', 'late', 'late', 'late', 'away']);
  });

  test('has what was put while the service was away as soon as it is back', async () => {
    server.fail({ kind: 'status', status: 400 });
    observed.vectors.toolIndex.put(indexedTool('office', 'post', 'Delivers a letter.'));
    await expect.poll(() => observed.counted.requests.at(-1)?.errorType).toBe('refused');
    server.fail({ kind: 'none' });
    await observed.vectors.settled();
    expect(await names('correspondence')).toEqual(expect.arrayContaining(['post', 'send_mail']));
    await expect
      .poll(() => observed.logLines().map(({ message }) => message))
      .toEqual([expect.stringContaining('Embeddings are unavailable'), 'Embeddings are available again']);
  });

  test('makes all vectors again where the service turns out to have another model behind the name', async () => {
    server.dimensions = 48;
    await search('correspondence');
    await observed.vectors.settled();
    expect((await search('a letter')).found[0]).toMatchObject({ tool: { definition: { toolName: 'send_mail' } } });
  });

  test('pays for the same texts once, also after a start', async () => {
    const paid = server.requests.flatMap(({ input }) => input).length;
    observed.vectors.toolIndex.replaceServer('office', []);
    await observed.vectors.settled();
    observed.vectors.toolIndex.put(indexedTool('office', 'send_mail', 'Sends it.'));
    await observed.vectors.settled();
    expect(server.requests.flatMap(({ input }) => input)).toHaveLength(paid);
  });

  test('never tells the key', async () => {
    server.fail({ kind: 'status', status: 401 });
    await search('read');
    expect(JSON.stringify([observed.logLines(), observed.vectors.dependencies()])).not.toContain('never-shown');
  });
});

test('an index by hashed words finds what no word fits by its spelling, and changes nothing else', async () => {
  await using observed = await startVectors();
  const { toolIndex, settled } = observed.vectors;
  toolIndex.put(indexedTool('azure', 'keyvault_list', 'Lists the vaults.'));
  toolIndex.put(indexedTool('mail', 'send_mail', 'Sends it.'));
  await settled();
  const query = { limit: 10, namespace: 'default' };
  expect(await toolIndex.search({ ...query, query: 'listkeyvaults' })).toMatchObject({
    scoring: 'hybrid',
    found: [{ tool: { definition: { toolName: 'keyvault_list' } } }],
  });
  expect(await toolIndex.search({ ...query, query: 'mail' })).toMatchObject({ scoring: 'lexical' });
});

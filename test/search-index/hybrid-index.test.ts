/** The hybrid index with vectors in process. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndexQuery } from '../../src/search-index/tool-index.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../support/servers/embeddings-server.ts';
import { describeToolIndex, indexedTool } from '../support/tool-index-contract.ts';
import { type ObservedVectors, startVectors } from '../support/vectors-observed.ts';

describeToolIndex('the hybrid index with hashed words in process', async () => {
  const observed = await startVectors();
  const { toolIndex, settled } = observed.vectors;
  return { index: toolIndex, settled, close: async () => observed[Symbol.asyncDispose]() };
});

describeToolIndex('the hybrid index with embeddings in process', async () => {
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

describe('a hybrid index', () => {
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

  test('finds a tool that contains no word of the query, by meaning alone', async () => {
    const { found, scoring } = await search('correspondence');
    expect(scoring).toBe('hybrid');
    expect(found[0]).toMatchObject({ tool: { definition: { toolName: 'send_mail' } }, score: 1 });
    expect(found[0]?.parts.lexical).toBeUndefined();
    expect(found[0]?.parts.dense).toBeGreaterThan(0);
  });

  test('uses words alone while the service fails, without waiting after the first time', async () => {
    server.fail({ kind: 'status', status: 500 });
    expect(await search('read the file')).toMatchObject({ scoring: 'lexical' });
    expect(await names('read a file')).toEqual(['read_file']);
    expect(observed.counted.fallbacks).toEqual(['failed', 'away']);
    expect(observed.vectors.dependencies()).toMatchObject({ embeddings: { state: 'down', kind: 'endpoint' } });
    await expect
      .poll(() => observed.logLines().filter(({ level }) => level === 'warn'))
      .toMatchObject([{ error_type: 'server_error' }]);
  });

  test('waits a bounded time for a service that hangs, and not at all once it is known to', async () => {
    await observed[Symbol.asyncDispose]();
    observed = await startVectors({ embeddingsUrl: server.url, hasHubTimeouts: true });
    server.fail({ kind: 'hang' });
    const startedAt = performance.now();
    await Promise.all(['one', 'two', 'three', 'four'].map((word) => search(word)));
    expect(await search('five')).toMatchObject({ scoring: 'lexical' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(observed.counted.fallbacks).toEqual(['late', 'late', 'late', 'late', 'away']);
  });

  test('contains tools that were added during a failure once the service is available again', async () => {
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

  test('computes all vectors again when the service serves another model under the same name', async () => {
    server.dimensions = 48;
    await search('correspondence');
    await observed.vectors.settled();
    expect((await search('a letter')).found[0]).toMatchObject({ tool: { definition: { toolName: 'send_mail' } } });
  });

  test('requests the embedding of a text only once', async () => {
    const requestedCount = server.requests.flatMap(({ input }) => input).length;
    observed.vectors.toolIndex.replaceServer('office', []);
    await observed.vectors.settled();
    observed.vectors.toolIndex.put(indexedTool('office', 'send_mail', 'Sends it.'));
    await observed.vectors.settled();
    expect(server.requests.flatMap(({ input }) => input)).toHaveLength(requestedCount);
  });

  test('never reveals the key', async () => {
    server.fail({ kind: 'status', status: 401 });
    await search('read');
    expect(JSON.stringify([observed.logLines(), observed.vectors.dependencies()])).not.toContain('never-shown');
  });
});

test('a hybrid index with hashed words finds tools by spelling if no word matches, and changes nothing else', async () => {
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

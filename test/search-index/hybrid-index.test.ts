/** The hybrid index with vectors in process. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndexQuery } from '../../src/search-index/tool-index.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../support/servers/embeddings-server.ts';
import { describeToolIndex, indexedTool } from '../support/tool-index-contract.ts';
import { type ObservedVectors, startVectors } from '../support/vectors-observed.ts';

describeToolIndex('the hybrid index with the static model in process', async () => {
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

describe('a hybrid index with the static model', () => {
  test('finds a tool that contains no word of the query, offline and without waiting for a service', async () => {
    await using observed = await startVectors();
    const { toolIndex, settled } = observed.vectors;
    toolIndex.put(indexedTool('files', 'edit_file', 'Make selective edits to a text file.'));
    toolIndex.put(indexedTool('mail', 'send_mail', 'Sends an e-mail to a recipient.'));
    await settled();
    const search = (query: string) => toolIndex.search({ query, limit: 10, namespace: 'default' });
    expect((await search('correct a typo in my document')).found[0]?.tool.definition.toolName).toBe('edit_file');
    expect(observed.vectors.dependencies()).toEqual({ toolIndex: { state: 'up', kind: 'in-process' } });
  });

  test('finds nothing for a query without words, by meaning either', async () => {
    await using observed = await startVectors();
    const { toolIndex, settled } = observed.vectors;
    toolIndex.put(indexedTool('files', 'edit_file', 'Make selective edits to a text file.'));
    await settled();
    for (const query of ['asdf qwerty', 'zxcvb hjklm', '???', '新建一个文件夹', 'was ist das für eine Datei']) {
      expect(await toolIndex.search({ query, limit: 10, namespace: 'default' })).toMatchObject({ found: [] });
    }
  });
});

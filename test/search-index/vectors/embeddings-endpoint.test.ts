import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createEndpointEmbeddings,
  type EmbeddingsCost,
  endpointLimits,
} from '../../../src/search-index/vectors/embeddings-endpoint.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../../support/servers/embeddings-server.ts';

const key = 'sk-never-shown';
let server: EmbeddingsServer;
let costs: EmbeddingsCost[];
let waits: number[];
let lifetime: AbortController;

beforeEach(async () => {
  server = await startEmbeddingsServer();
  costs = [];
  waits = [];
  lifetime = new AbortController();
});
afterEach(async () => {
  lifetime.abort();
  await server[Symbol.asyncDispose]();
});

/** With a clock on which waits take no time; a random number of 0.5 makes each wait three quarters of the whole. */
const client = (url = server.url) =>
  createEndpointEmbeddings({
    url,
    model: 'test-model',
    key,
    signal: lifetime.signal,
    onRequest: (cost) => costs.push(cost),
    wait: async (ms) => {
      waits.push(ms);
    },
    random: () => 0.5,
  });

const manyTexts = (count: number) => Array.from({ length: count }, (_, at) => `text number ${at}`);

describe('a request', () => {
  test('carries model and key, and gives unit vectors in the order of the texts', async () => {
    const [first, second, again] = await client().embed(['read a file', 'send mail', 'read a file'], 'document');
    expect(server.requests).toMatchObject([
      { path: '/v1/embeddings', model: 'test-model', authorization: `Bearer ${key}` },
    ]);
    expect(first).toEqual(again);
    expect(first).not.toEqual(second);
    expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 6);
  });

  test('is counted with its texts, tokens and time', async () => {
    await client().embed(['two words', 'and three words'], 'query');
    expect(costs).toMatchObject([{ purpose: 'query', texts: 2, tokens: 5, errorType: undefined }]);
    expect(costs[0]?.seconds).toBeGreaterThan(0);
  });

  test('names the model and where it is, without what an address may hide in its query', () => {
    expect(client(`${server.url}?api-key=secret`).model).toBe(`test-model at ${server.url}`);
  });
});

describe('many texts', () => {
  test('go in batches, few at a time', async () => {
    server.fail({ kind: 'slow', ms: 20 });
    const count = endpointLimits.batchTextsMax * 5 + 1;
    await expect(client().embed(manyTexts(count), 'document')).resolves.toHaveLength(count);
    expect(server.requests.map(({ input }) => input.length).toSorted((one, other) => one - other)).toEqual([
      1, 64, 64, 64, 64, 64,
    ]);
    expect(server.concurrencyMax()).toBe(endpointLimits.documentRequestsMax);
  });

  test('of great length are cut, and go in smaller batches', async () => {
    await client().embed(
      Array.from({ length: 30 }, () => 'x'.repeat(10_000)),
      'document',
    );
    expect(server.requests.map(({ input }) => input.length).toSorted((one, other) => one - other)).toEqual([6, 12, 12]);
    expect(server.requests[0]?.input[0]).toHaveLength(endpointLimits.textLengthMax);
  });

  test('do not hold up a query', async () => {
    server.fail({ kind: 'hang' }, endpointLimits.documentRequestsMax);
    const embeddings = client();
    const documents = embeddings.embed(manyTexts(300), 'document');
    documents.catch(() => undefined);
    await expect.poll(() => server.requests.length).toBe(endpointLimits.documentRequestsMax);
    await expect(embeddings.embed(['a query'], 'query')).resolves.toHaveLength(1);
    lifetime.abort();
    await expect(documents).rejects.toMatchObject({ type: 'cancelled' });
  });
});

describe('a service that fails', () => {
  test.each([
    [500, 'server_error'],
    [503, 'server_error'],
    [429, 'rate_limited'],
  ])('with %s is tried again, each time later', async (status, type) => {
    server.fail({ kind: 'status', status }, 2);
    await expect(client().embed(['text'], 'document')).resolves.toHaveLength(1);
    expect(waits).toEqual([375, 750]);
    expect(costs.map(({ errorType }) => errorType)).toEqual([type, type, undefined]);
  });

  test('is given up after the last attempt', async () => {
    server.fail({ kind: 'status', status: 500 });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type: 'server_error' });
    expect(server.requests).toHaveLength(endpointLimits.attemptsMax);
  });

  test('is waited for as long as it asks, within a limit', async () => {
    server.fail({ kind: 'status', status: 429, retryAfter: '7' }, 1);
    await client().embed(['text'], 'document');
    server.fail({ kind: 'status', status: 429, retryAfter: '86400' }, 1);
    await client().embed(['text'], 'document');
    expect(waits).toEqual([7_000, endpointLimits.retryDelayMsMax]);
  });

  test.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [400, 'refused'],
    [404, 'refused'],
  ])('with %s is not tried again', async (status, type) => {
    server.fail({ kind: 'status', status });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type });
    expect(server.requests).toHaveLength(1);
  });

  test('is tried once only for a query', async () => {
    server.fail({ kind: 'status', status: 503 });
    await expect(client().embed(['text'], 'query')).rejects.toMatchObject({ type: 'server_error' });
    expect(server.requests).toHaveLength(1);
  });

  test('that is not there is a failed connection', async () => {
    await expect(client('http://127.0.0.1:1/v1/embeddings').embed(['text'], 'query')).rejects.toMatchObject({
      type: 'connection',
    });
  });

  test.each([
    ['no JSON', '<html>'],
    ['no vectors', '{"data":[]}'],
    ['a vector without direction', '{"data":[{"index":0,"embedding":[0,0]}]}'],
    ['vectors of texts that were not asked', '{"data":[{"index":1,"embedding":[1]}]}'],
    ['texts for numbers', '{"data":[{"index":0,"embedding":["1"]}]}'],
  ])('by answering %s is told so', async (_what, body) => {
    server.fail({ kind: 'body', body });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type: 'invalid_response' });
  });

  test.each([401, 500])('with %s tells neither the key nor what it answered', async (status) => {
    server.fail({ kind: 'status', status });
    const failure = await client()
      .embed(['text'], 'query')
      .catch((error: unknown) => error);
    const told = failure instanceof Error ? `${failure.message} ${failure.stack} ${String(failure.cause)}` : '';
    expect(told).toContain('the embeddings service');
    expect(told).not.toMatch(/never-shown|secret of the upstream/);
  });

  test('by sending us elsewhere is not followed, since the key would go along', async () => {
    await using elsewhere = await startEmbeddingsServer();
    server.fail({ kind: 'status', status: 307, location: elsewhere.url });
    await expect(client().embed(['text'], 'query')).rejects.toMatchObject({ name: 'EmbeddingsError' });
    expect(elsewhere.requests).toEqual([]);
  });
});

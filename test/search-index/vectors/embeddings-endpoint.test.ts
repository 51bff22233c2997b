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

/** A client whose delays take no time. The random number 0.5 makes each delay three quarters of the full one. */
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
  test('contains model and key, and results in unit vectors in the order of the texts', async () => {
    const [first, second, again] = await client().embed(['read a file', 'send mail', 'read a file'], 'document');
    expect(server.requests).toMatchObject([
      { path: '/v1/embeddings', model: 'test-model', authorization: `Bearer ${key}` },
    ]);
    expect(first).toEqual(again);
    expect(first).not.toEqual(second);
    expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 6);
  });

  test('is reported with its texts, tokens and time', async () => {
    await client().embed(['two words', 'and three words'], 'query');
    expect(costs).toMatchObject([{ purpose: 'query', texts: 2, tokens: 5, errorType: undefined }]);
    expect(costs[0]?.seconds).toBeGreaterThan(0);
  });

  test('has a model name with the URL, but without its query, which may contain a secret', () => {
    expect(client(`${server.url}?api-key=secret`).model).toBe(`test-model at ${server.url}`);
  });
});

describe('many texts', () => {
  test('are sent in batches, few at a time', async () => {
    server.fail({ kind: 'slow', ms: 20 });
    const count = endpointLimits.batchTextsMax * 5 + 1;
    await expect(client().embed(manyTexts(count), 'document')).resolves.toHaveLength(count);
    expect(server.requests.map(({ input }) => input.length).toSorted((one, other) => one - other)).toEqual([
      1, 64, 64, 64, 64, 64,
    ]);
    expect(server.concurrencyMax()).toBe(endpointLimits.documentRequestsMax);
  });

  test('that are long are truncated and sent in smaller batches', async () => {
    await client().embed(
      Array.from({ length: 30 }, () => 'x'.repeat(10_000)),
      'document',
    );
    expect(server.requests.map(({ input }) => input.length).toSorted((one, other) => one - other)).toEqual([6, 12, 12]);
    expect(server.requests[0]?.input[0]).toHaveLength(endpointLimits.textLengthMax);
  });

  test('do not delay a query', async () => {
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
  ])('with %s is retried with backoff', async (status, type) => {
    server.fail({ kind: 'status', status }, 2);
    await expect(client().embed(['text'], 'document')).resolves.toHaveLength(1);
    expect(waits).toEqual([375, 750]);
    expect(costs.map(({ errorType }) => errorType)).toEqual([type, type, undefined]);
  });

  test('is not retried after the last attempt', async () => {
    server.fail({ kind: 'status', status: 500 });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type: 'server_error' });
    expect(server.requests).toHaveLength(endpointLimits.attemptsMax);
  });

  test('is retried after the time of Retry-After, within a limit', async () => {
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
  ])('with %s is not retried', async (status, type) => {
    server.fail({ kind: 'status', status });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type });
    expect(server.requests).toHaveLength(1);
  });

  test('is not retried for a query', async () => {
    server.fail({ kind: 'status', status: 503 });
    await expect(client().embed(['text'], 'query')).rejects.toMatchObject({ type: 'server_error' });
    expect(server.requests).toHaveLength(1);
  });

  test('that cannot be reached is a connection error', async () => {
    await expect(client('http://127.0.0.1:1/v1/embeddings').embed(['text'], 'query')).rejects.toMatchObject({
      type: 'connection',
    });
  });

  test.each([
    ['no JSON', '<html>'],
    ['no vectors', '{"data":[]}'],
    ['a vector without direction', '{"data":[{"index":0,"embedding":[0,0]}]}'],
    ['vectors of other texts', '{"data":[{"index":1,"embedding":[1]}]}'],
    ['strings for numbers', '{"data":[{"index":0,"embedding":["1"]}]}'],
  ])('by answering %s is an invalid response', async (_what, body) => {
    server.fail({ kind: 'body', body });
    await expect(client().embed(['text'], 'document')).rejects.toMatchObject({ type: 'invalid_response' });
  });

  test.each([401, 500])('with %s reveals neither the key nor its response', async (status) => {
    server.fail({ kind: 'status', status });
    const failure = await client()
      .embed(['text'], 'query')
      .catch((error: unknown) => error);
    const text = failure instanceof Error ? `${failure.message} ${failure.stack} ${String(failure.cause)}` : '';
    expect(text).toContain('the embeddings service');
    expect(text).not.toMatch(/never-shown|secret of the upstream/);
  });

  test('that redirects is not followed, since the key would be sent elsewhere', async () => {
    await using elsewhere = await startEmbeddingsServer();
    server.fail({ kind: 'status', status: 307, location: elsewhere.url });
    await expect(client().embed(['text'], 'query')).rejects.toMatchObject({ name: 'EmbeddingsError' });
    expect(elsewhere.requests).toEqual([]);
  });
});

/** What `hestia doctor` says of Chroma and of a service for embeddings, each asked over HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { freePort } from '../support/hub/hub-process.ts';
import { runCommand } from '../support/programs/command-run.ts';
import { startEmbeddingsServer } from '../support/servers/embeddings-server.ts';

/** The finding of a check, with an environment. No hub runs. */
async function examine(check: string, environment: Record<string, string>) {
  const all = { HESTIA_DATA_DIR: '/no/such/folder', OTEL_SDK_DISABLED: 'true', ...environment };
  const config = loadConfig({ environment: all, workingDirectory: '/no/such/folder' });
  const words = ['doctor', '--url', `http://127.0.0.1:${await freePort()}`, '--key', 'none'];
  const ended = await runCommand(words, { configuration: () => ({ file: 'x', config }), environment: all });
  return ended.lines().find((line) => line.check === check);
}

/** A server that answers paths with JSON, and all others with 404. */
async function answering(answers: Record<string, unknown>) {
  const server = createServer((request, response) => {
    const body = answers[(request.url ?? '').replace(/\?.*/, '')];
    response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const chroma = {
  '/api/v2/heartbeat': { 'nanosecond heartbeat': 1 },
  '/api/v2/version': '1.0.0',
  '/api/v2/tenants/default_tenant/databases/default_database/collections': [
    { name: 'hestia-tools-0123456789abcdef' },
    { name: 'other' },
  ],
};

test('Chroma is asked for its heartbeat, its version and the collections of hubs', async () => {
  await using server = await answering(chroma);
  expect(await examine('chroma', { HESTIA_CHROMA_URL: server.url })).toEqual({
    check: 'chroma',
    state: 'ok',
    found: `Chroma 1.0.0 answers at ${server.url}; collections of hubs: hestia-tools-0123456789abcdef`,
  });
});

test.each([
  ['answers otherwise', { '/api/v2/heartbeat': {} as unknown, '/': 1 }, 'lists no collections'],
  ['is something else', {}, 'answers with status 404'],
])('Chroma that %s fails the check', async (_, answers, found) => {
  await using server = await answering(answers);
  const finding = await examine('chroma', { HESTIA_CHROMA_URL: server.url });
  expect(finding).toMatchObject({ state: 'failed', found: expect.stringContaining(found) });
  expect(finding?.mend).toContain('HESTIA_CHROMA_URL');
});

test('Chroma that is unavailable fails the check', async () => {
  const HESTIA_CHROMA_URL = `http://127.0.0.1:${await freePort()}`;
  expect(await examine('chroma', { HESTIA_CHROMA_URL })).toMatchObject({
    state: 'failed',
    found: `${HESTIA_CHROMA_URL} cannot be reached (ECONNREFUSED)`,
  });
});

test('an embeddings service is asked for a vector, with its key', async () => {
  await using service = await startEmbeddingsServer();
  const environment = { HESTIA_EMBEDDINGS_URL: service.url, HESTIA_EMBEDDINGS_MODEL: 'm', HESTIA_EMBEDDINGS_KEY: 'k' };
  expect(await examine('embeddings', environment)).toMatchObject({
    state: 'ok',
    found: expect.stringMatching(/^m at http.*\/v1\/embeddings has \d+ dimensions$/),
  });
  expect(service.requests).toMatchObject([{ authorization: 'Bearer k', model: 'm', input: ['hestia doctor'] }]);
});

test.each([
  [401, 'HESTIA_EMBEDDINGS_KEY'],
  [404, 'HESTIA_EMBEDDINGS_MODEL'],
  [429, 'limits of the key'],
  [500, 'HESTIA_EMBEDDINGS_URL'],
])('an embeddings service that answers %i fails the check, with what mends it', async (status, mend) => {
  await using service = await startEmbeddingsServer();
  service.fail({ kind: 'status', status });
  const environment = { HESTIA_EMBEDDINGS_URL: service.url, HESTIA_EMBEDDINGS_MODEL: 'm' };
  expect(await examine('embeddings', environment)).toMatchObject({
    state: 'failed',
    found: expect.stringContaining(`answers with status ${status}, asked for m`),
    mend: expect.stringContaining(mend),
  });
});

test('an embeddings service that answers otherwise fails the check', async () => {
  await using service = await startEmbeddingsServer();
  service.fail({ kind: 'body', body: 'no JSON' });
  const environment = { HESTIA_EMBEDDINGS_URL: service.url, HESTIA_EMBEDDINGS_MODEL: 'm' };
  expect(await examine('embeddings', environment)).toMatchObject({ state: 'failed', mend: expect.any(String) });
});

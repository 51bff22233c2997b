/** Connections to servers of protocol 2026-07-28, over stdio and over HTTP. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { startModernHttpServer } from '../support/servers/modern-server.ts';
import { httpServer, supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  quickLimits,
  textOf,
  until,
  untilState,
  type Watched,
  watchedConnection,
} from '../support/servers/upstream-connection.ts';

const owned: AsyncDisposable[] = [];
afterEach(async () => {
  for (const owner of owned.splice(0).reverse()) await owner[Symbol.asyncDispose]();
});

async function started(port?: number) {
  const server = await startModernHttpServer(port);
  owned.push(server);
  return server;
}

async function connected(server: Parameters<typeof watchedConnection>[0], limits?: Config['limits']): Promise<Watched> {
  const watched = watchedConnection(server, limits);
  owned.push(watched.connection);
  await watched.connection.connect();
  expect(watched.connection.status()).toMatchObject({ state: 'connected', protocolVersion: '2026-07-28' });
  return watched;
}

const transports = {
  stdio: async () => supportServer('modern-server.ts'),
  http: async () => httpServer((await started()).url),
};

describe.each(['stdio', 'http'] as const)('a 2026 server over %s', (transport) => {
  test('lists its tools and answers calls intact', async () => {
    const { connection } = await connected(await transports[transport]());
    expect(connection.tools().map(({ toolName }) => toolName)).toContain('structured');
    expect(await callTool(connection, 'structured')).toMatchObject({
      content: [],
      structuredContent: { sum: 3 },
      isError: false,
      meta: { 'example.com/kept': true },
    });
  });

  test('passes progress on, in order', async () => {
    const { connection } = await connected(await transports[transport]());
    const seen: number[] = [];
    await callTool(connection, 'count', {}, { onProgress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3]);
  });

  test('learns that a call was cancelled', async () => {
    const { connection } = await connected(await transports[transport]());
    const before: string[] = JSON.parse(textOf(await callTool(connection, 'ended')));
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await callTool(connection, 'ended');
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    await until(async () => {
      const after: string[] = JSON.parse(textOf(await callTool(connection, 'ended')));
      expect(after).toHaveLength(before.length + 1);
    });
  });

  test('refuses arguments with a code', async () => {
    const { connection } = await connected(await transports[transport]());
    const result = await callTool(connection, 'echo', { region: 7 }).catch((error: unknown) => error);
    expect(result).toSatisfy(
      (answer: { isError?: boolean; errorType?: string }) =>
        answer.isError === true || answer.errorType === 'upstream_error',
    );
  });

  test('answers health checks', async () => {
    const { statuses } = await connected(await transports[transport](), quickLimits({ healthCheckIntervalMs: 100 }));
    const before = performance.now();
    await until(() => expect(performance.now() - before).toBeGreaterThan(350));
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected']);
  });
});

describe('a 2026 server over HTTP', () => {
  test('gets arguments mirrored as headers where the tool asks for it, and the trace context', async () => {
    const server = await started();
    const { connection } = await connected(httpServer(server.url));
    const traceparent = '00-11111111111111111111111111111111-2222222222222222-01';
    const answer = await callTool(connection, 'echo', { region: 'eu-1' }, { meta: { traceparent } });
    expect(JSON.parse(textOf(answer))).toMatchObject({ region: 'eu-1', meta: { traceparent } });
    const headers = server.requests.at(-1)?.headers;
    expect(headers?.get('mcp-param-region')).toBe('eu-1');
    expect(headers?.get('mcp-name')).toBe('echo');
    expect(headers?.get('traceparent')).toBe(traceparent);
  });

  test('is told of no cancelled call but by the end of its stream', async () => {
    const server = await started();
    const { connection } = await connected(httpServer(server.url));
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await until(() => expect(server.requests.at(-1)?.headers.get('mcp-name')).toBe('hang'));
    const requestsCount = server.requests.length;
    const [request] = server.requests.slice(-1);
    controller.abort();
    await hanging;
    await until(() => expect(request?.signal.aborted).toBe(true));
    expect(server.requests).toHaveLength(requestsCount);
  });

  test('is followed when its tools change, also after the server was gone', async () => {
    const server = await started();
    const { connection } = await connected(httpServer(server.url), quickLimits({ healthCheckIntervalMs: 60_000 }));
    const before = connection.tools().length;
    await until(() =>
      expect(server.requests.some((request) => request.headers.get('mcp-method') === 'subscriptions/listen')).toBe(
        true,
      ),
    );
    server.grow();
    await until(() => expect(connection.tools()).toHaveLength(before + 1));
    await server[Symbol.asyncDispose]();
    await untilState(connection, 'reconnecting');
    const again = await started(server.port);
    await untilState(connection, 'connected');
    again.grow();
    await until(() => expect(connection.tools()).toHaveLength(before + 2));
  });
});

describe('a 2026 server over stdio', () => {
  test('is followed when its tools change', async () => {
    const { connection } = await connected(supportServer('modern-server.ts'));
    const before = connection.tools().length;
    await callTool(connection, 'grow');
    await until(() => expect(connection.tools().length).toBeGreaterThan(before));
  });
});

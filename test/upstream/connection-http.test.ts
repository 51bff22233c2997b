/** Connections over Streamable HTTP to a 2025 server that misbehaves, goes away and comes back. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { type FaultyHttpServer, startFaultyHttpServer } from '../support/servers/faulty-http-server.ts';
import { httpServer } from '../support/servers/support-server.ts';
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

async function started(port?: number): Promise<FaultyHttpServer> {
  const server = await startFaultyHttpServer(port);
  owned.push(server);
  return server;
}

async function connected(server: FaultyHttpServer, limits?: Config['limits']): Promise<Watched> {
  const watched = watchedConnection(httpServer(server.url, { authorization: 'Bearer configured' }), limits);
  owned.push(watched.connection);
  await watched.connection.connect();
  expect(watched.connection.status().state).toBe('connected');
  return watched;
}

describe('a connected server', () => {
  test('gets the configured headers with each request, and the trace context of a call as a header too', async () => {
    const server = await started();
    const { connection } = await connected(server);
    const traceparent = '00-11111111111111111111111111111111-2222222222222222-01';
    await callTool(connection, 'echo', {}, { meta: { traceparent } });
    await callTool(connection, 'echo', {}, { meta: { traceparent: 'forged\r\nx: y' } });
    expect(new Set(server.received.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer configured']),
    );
    const calls = server.received.filter(({ method }) => method === 'tools/call');
    expect(calls.map(({ headers }) => headers.traceparent)).toEqual([traceparent, undefined]);
    expect(calls[0]?.params).toMatchObject({ _meta: { traceparent } });
  });

  test('announces changed tools', async () => {
    const server = await started();
    const { connection } = await connected(server);
    await until(() => {
      server.announce(['echo']);
      expect(connection.tools().map(({ toolName }) => toolName)).toEqual(['echo']);
    });
  });

  test('loses its session when disconnected', async () => {
    const server = await started();
    const { connection } = await connected(server);
    await connection.disconnect();
    expect(server.deleted).toEqual(['session-1']);
  });
});

describe('a call', () => {
  test.each(['echo', 'stream'])('is answered (%s)', async (toolName) => {
    const { connection } = await connected(await started());
    expect(textOf(await callTool(connection, toolName))).toBe(toolName);
  });

  test.each([
    ['stream_broken', 'connection_lost'],
    ['stream_without_answer', 'invalid_response'],
    ['not_json', 'invalid_response'],
    ['not_rpc', 'invalid_response'],
    ['html', 'invalid_response'],
    ['unavailable', 'server_unavailable'],
    ['failing', 'upstream_error'],
    ['rpc_error', 'upstream_error'],
  ])('that meets %s fails as %s, with no text of the server, and the next goes on', async (toolName, errorType) => {
    const { connection, log } = await connected(await started());
    const error = await callFailure(callTool(connection, toolName));
    expect(error.errorType).toBe(errorType);
    expect(JSON.stringify([error.message, error.stack, { ...error }, log.lines])).not.toContain('secret-token');
    expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
    expect(connection.status().state).toBe('connected');
  });

  test.each(['huge_json', 'huge_stream'])(
    'whose response is too large (%s) fails, and the next goes on',
    async (name) => {
      const { connection } = await connected(await started(), quickLimits({ responseBytesMax: 100_000 }));
      expect((await callFailure(callTool(connection, name))).errorType).toBe('response_too_large');
      expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
      expect(connection.status().state).toBe('connected');
    },
  );

  test.each(['huge_json', 'huge_stream'])('is measured where the wire would have let it through (%s)', async (name) => {
    const { connection } = await connected(await started(), quickLimits({ responseBytesMax: 1_900_000 }));
    expect((await callFailure(callTool(connection, name))).errorType).toBe('response_too_large');
  });

  test('that hangs ends when its signal aborts; the server is told and its stream is left', async () => {
    const server = await started();
    const { connection } = await connected(server);
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await until(() => expect(server.openCalls()).toBe(1));
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    await until(() => {
      expect(server.received.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
      expect(server.openCalls()).toBe(0);
    });
  });
});

describe('a server that goes away', () => {
  test('is found lost by the call that finds no session, and connected again', async () => {
    const server = await started();
    const { connection, statuses } = await connected(server);
    server.forgetSessions();
    expect((await callFailure(callTool(connection, 'echo'))).errorType).toBe('connection_lost');
    await until(() => expect(statuses.map(({ state }) => state).slice(2)).toEqual(['reconnecting', 'connected']));
    expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
  });

  test('is found lost by the health check while nobody calls', async () => {
    const server = await started();
    const { statuses } = await connected(server, quickLimits({ healthCheckIntervalMs: 100 }));
    server.forgetSessions();
    await until(() => expect(statuses.map(({ state }) => state).slice(2)).toEqual(['reconnecting', 'connected']));
  });

  test('silently is found lost by the health check', async () => {
    const server = await started();
    const { statuses } = await connected(server, quickLimits({ healthCheckIntervalMs: 100, connectTimeoutMs: 300 }));
    server.silence();
    await until(() => expect(statuses.at(2)).toMatchObject({ state: 'reconnecting', errorType: 'connection_lost' }));
  });

  test('is not held for lost while it is silent over a call', async () => {
    const server = await started();
    const { connection, statuses } = await connected(
      server,
      quickLimits({ healthCheckIntervalMs: 50, connectTimeoutMs: 50 }),
    );
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await until(() => expect(server.openCalls()).toBe(1));
    server.silence();
    const pings = () => server.received.filter(({ method }) => method === 'ping').length;
    await until(() => expect(pings()).toBeGreaterThan(3));
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    controller.abort();
    await hanging;
    await until(() => expect(statuses.at(2)?.state).toBe('reconnecting'));
  });

  test('fails the calls under way, and is connected again when it comes back', async () => {
    const server = await started();
    const { connection } = await connected(server);
    const hanging = callFailure(callTool(connection, 'hang'));
    await until(() => expect(server.openCalls()).toBe(1));
    await server[Symbol.asyncDispose]();
    expect((await hanging).errorType).toBe('connection_lost');
    await untilState(connection, 'reconnecting');
    expect(connection.tools().length).toBeGreaterThan(0);
    expect((await callFailure(callTool(connection, 'echo'))).errorType).toBe('server_unavailable');
    await started(server.port);
    await untilState(connection, 'connected');
    expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
  });

  test('says with which code it could not be reached', async () => {
    const server = await startFaultyHttpServer();
    await server[Symbol.asyncDispose]();
    const { connection, log } = watchedConnection(httpServer(server.url));
    owned.push(connection);
    await connection.connect();
    expect(connection.status()).toMatchObject({
      state: 'reconnecting',
      errorType: 'connect_failed',
      transport: 'http',
    });
    expect(log.lines[0]?.fields).toMatchObject({ error_type: 'connect_failed', system_code: 'ECONNREFUSED' });
  });
});

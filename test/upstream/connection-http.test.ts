/** Connections over Streamable HTTP to a server of protocol 2025-11-25 that misbehaves, stops and restarts. */
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { type FakeClock, useFakeClock } from '../support/fake-clock.ts';
import { type FaultyHttpServer, startFaultyHttpServer } from '../support/servers/faulty-http-server.ts';
import { httpServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  connectTo,
  createTestConnection,
  disposeAfterTest,
  type ObservedConnection,
  quickLimits,
  statesOf,
  textOf,
  untilState,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

async function started(port?: number): Promise<FaultyHttpServer> {
  return disposeAfterTest(await startFaultyHttpServer(port));
}

function connected(server: FaultyHttpServer, limits?: Config['limits']): Promise<ObservedConnection> {
  return connectTo(httpServer(server.url, { authorization: 'Bearer configured' }), limits);
}

const { healthCheckIntervalMs } = quickLimits();
const pingTimeoutMs = 10_000;

/** Advances the clock to the next health check, and then past the timeout of its ping, which the server ignores. */
async function missPing(clock: FakeClock, server: FaultyHttpServer): Promise<void> {
  const pingsCount = () => server.received.filter(({ method }) => method === 'ping').length;
  const before = pingsCount();
  await clock.advance(healthCheckIntervalMs);
  await waitFor(() => expect(pingsCount()).toBe(before + 1));
  await clock.advance(pingTimeoutMs);
}

describe('a connected server', () => {
  test('receives the configured headers with each request, and the trace context of a call as a header', async () => {
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

  test('has its tools listed again after a change notification', async () => {
    const server = await started();
    const { connection } = await connected(server);
    await waitFor(() => {
      server.announce(['echo']);
      expect(connection.tools().map(({ toolName }) => toolName)).toEqual(['echo']);
    });
  });

  test('has its session terminated by a disconnect', async () => {
    const server = await started();
    const { connection } = await connected(server);
    await connection.disconnect();
    expect(server.deleted).toEqual(['session-1']);
  });
});

describe('a call', () => {
  test.each(['echo', 'stream'])('returns its result (%s)', async (toolName) => {
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
    ['code_text', 'invalid_response'],
    ['stream_code_text', 'invalid_response'],
    ['id_wrong', 'invalid_response'],
  ])(
    'that receives %s fails with %s, without text of the server, and the next call succeeds',
    async (toolName, errorType) => {
      const { connection, log } = await connected(await started());
      const error = await callFailure(callTool(connection, toolName));
      expect(error.errorType).toBe(errorType);
      expect(JSON.stringify([error.message, error.stack, { ...error }, log.lines])).not.toContain('secret-token');
      expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
      expect(connection.status().state).toBe('connected');
    },
  );

  test.each([
    ['unavailable', { httpStatus: 503, text: 'secret-token-1' }],
    ['failing', { httpStatus: 500, text: 'secret-token-1' }],
    ['rpc_error', { jsonRpcCode: -32_050, text: 'secret-token-1' }],
    ['not_json', {}],
  ])('that receives %s keeps what the server answered for the caller alone', async (toolName, answer) => {
    const { connection } = await connected(await started());
    expect((await callFailure(callTool(connection, toolName))).answer()).toEqual(answer);
  });

  test.each([
    'gzip_json',
    'gzip_stream',
    'capital_type',
    'no_blank_line',
    'error_null',
    'meta_null',
    'stream_error_null',
    'stream_meta_null',
  ])('returns its result from a response with a deviation (%s)', async (toolName) => {
    const { connection } = await connected(await started());
    expect(await callTool(connection, toolName)).toEqual({
      content: [{ type: 'text', text: toolName }],
      isError: false,
    });
  });

  test('keeps the digits of long integers in the structured content of a stream', async () => {
    const { connection } = await connected(await started());
    const { structuredContent } = await callTool(connection, 'stream_digits');
    expect(JSON.stringify(structuredContent)).toBe('{"n":12345678901234567890}');
  });

  test('whose compressed response is too large when decompressed fails', async () => {
    const { connection } = await connected(await started(), quickLimits({ responseBytesMax: 100_000 }));
    expect((await callFailure(callTool(connection, 'gzip_bomb'))).errorType).toBe('response_too_large');
    expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
  });

  test.each(['huge_json', 'huge_stream'])(
    'whose response is too large (%s) fails, and the next call succeeds',
    async (name) => {
      const { connection } = await connected(await started(), quickLimits({ responseBytesMax: 100_000 }));
      expect((await callFailure(callTool(connection, name))).errorType).toBe('response_too_large');
      expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
      expect(connection.status().state).toBe('connected');
    },
  );

  test.each(['huge_json', 'huge_stream'])(
    'fails if its result is too large within a response that is not (%s)',
    async (name) => {
      const { connection } = await connected(await started(), quickLimits({ responseBytesMax: 1_900_000 }));
      expect((await callFailure(callTool(connection, name))).errorType).toBe('response_too_large');
    },
  );

  test('ends when its signal aborts: the server receives a cancellation, and the stream is closed', async () => {
    const server = await started();
    const { connection } = await connected(server);
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await waitFor(() => expect(server.openCalls()).toBe(1));
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    await waitFor(() => {
      expect(server.received.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
      expect(server.openCalls()).toBe(0);
    });
  });
});

describe('a server behind a redirect', () => {
  test.each([307, 308])(
    'within its origin (%i) is connected and called, with JSON and with streams',
    async (status) => {
      const server = await started();
      server.redirectWith(status);
      const { connection } = await connectTo(httpServer(`http://127.0.0.1:${server.port}/moved`));
      expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
      expect(textOf(await callTool(connection, 'stream'))).toBe('stream');
    },
  );

  test.each(['/moved', 'http://localhost:PORT/mcp', 'http://user:secret@127.0.0.1:PORT/mcp'])(
    'to %s is not connected',
    async (location) => {
      const server = await started();
      server.redirectWith(307, location.replace('PORT', String(server.port)));
      const { connection } = createTestConnection(httpServer(`http://127.0.0.1:${server.port}/moved`));
      await connection.connect();
      expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_failed' });
      expect(server.received).toEqual([]);
    },
  );
});

describe('a server that refuses its client', () => {
  test.each([401, 403, 405])('with status %i is shown with it, and retried rarely', async (status) => {
    const server = await started();
    server.refuseWith(status);
    const { connection, log } = createTestConnection(httpServer(server.url));
    await connection.connect();
    expect(connection.status()).toMatchObject({ errorType: 'connect_failed', failure: { httpStatus: status } });
    expect(log.lines.at(-1)?.fields).toMatchObject({ http_status: status, retry_in_ms: 298_500 });
  });
});

describe('a server that becomes unavailable', () => {
  test.each([404, 400])('so that sessions are unknown (%i) gets one new session under the calls', async (status) => {
    const server = await started();
    const { connection, statuses } = await connected(server);
    server.forgetSessions(status);
    const results = await Promise.all([callTool(connection, 'echo'), callTool(connection, 'stream')]);
    expect(results.map(textOf)).toEqual(['echo', 'stream']);
    expect(statesOf(statuses).slice(2)).toEqual(['reconnecting', 'connected']);
    const initialized = server.received.filter(({ method }) => method === 'initialize');
    expect(initialized).toHaveLength(2);
  });

  test('is detected by the health check when no call is made', async () => {
    const server = await started();
    const { statuses } = await connected(server, quickLimits({ healthCheckIntervalMs: 100 }));
    server.forgetSessions();
    await waitFor(() => expect(statesOf(statuses).slice(2)).toEqual(['reconnecting', 'connected']));
  });

  test('without closing its connections is detected by a ping without a response', async () => {
    using clock = useFakeClock();
    const server = await started();
    const { statuses } = await connected(server);
    server.ignorePings();
    await missPing(clock, server);
    await waitFor(() => expect(statuses.at(2)).toMatchObject({ state: 'reconnecting', errorType: 'connection_lost' }));
  });

  test('for pings is not reported as lost while a call is running', async () => {
    using clock = useFakeClock();
    const server = await started();
    const { connection, statuses } = await connected(server);
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await waitFor(() => expect(server.openCalls()).toBe(1));
    server.ignorePings();
    for (let ping = 1; ping <= 4; ping += 1) await missPing(clock, server);
    expect(statesOf(statuses)).toEqual(['connecting', 'connected']);
    controller.abort();
    await hanging;
    await missPing(clock, server);
    await waitFor(() => expect(statuses.at(2)?.state).toBe('reconnecting'));
  });

  test('fails the running calls, and is reconnected when it has restarted', async () => {
    const server = await started();
    const { connection } = await connected(server);
    const hanging = callFailure(callTool(connection, 'hang'));
    await waitFor(() => expect(server.openCalls()).toBe(1));
    await server[Symbol.asyncDispose]();
    expect((await hanging).errorType).toBe('connection_lost');
    await untilState(connection, 'reconnecting');
    expect(connection.tools().length).toBeGreaterThan(0);
    expect((await callFailure(callTool(connection, 'echo'))).errorType).toBe('server_unavailable');
    await started(server.port);
    await untilState(connection, 'connected');
    expect(textOf(await callTool(connection, 'echo'))).toBe('echo');
  });

  test('is logged with the system code of the failed connection', async () => {
    const server = await startFaultyHttpServer();
    await server[Symbol.asyncDispose]();
    const { connection, log } = createTestConnection(httpServer(server.url));
    await connection.connect();
    expect(connection.status()).toMatchObject({
      state: 'reconnecting',
      errorType: 'connect_failed',
      transport: 'http',
    });
    expect(log.lines[0]?.fields).toMatchObject({ error_type: 'connect_failed', system_code: 'ECONNREFUSED' });
  });
});

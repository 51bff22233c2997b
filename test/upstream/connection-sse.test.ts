/** Connections over HTTP+SSE, the transport of 2024, to a server of the 1.x library. */
import { describe, expect, test } from 'vitest';
import { httpServerSchema } from '../../src/shapes/server.ts';
import { startSseServer } from '../support/servers/sse-server.ts';
import { httpServer } from '../support/servers/support-server.ts';
import {
  callTool,
  connectTo,
  createTestConnection,
  disposeAfterTest,
  quickLimits,
  textOf,
  untilState,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

const started = async (refusedWith?: number) => disposeAfterTest(await startSseServer(refusedWith));
const sse = (url: string) =>
  httpServerSchema.parse({ type: 'sse', url, headers: { authorization: 'Bearer configured' } });

describe('a server of HTTP+SSE', () => {
  test('is connected, listed and called, with the configured headers on each request', async () => {
    const server = await started();
    const { connection } = await connectTo(sse(server.url));
    expect(connection.tools().map(({ toolName }) => toolName)).toEqual(['echo', 'large']);
    expect(textOf(await callTool(connection, 'echo', { text: 'hello' }))).toBe('hello');
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer configured']));
  });

  test('is found behind a URL without a type, and not behind the type "http"', async () => {
    const server = await started();
    const { connection } = await connectTo(httpServer(server.url));
    expect(textOf(await callTool(connection, 'echo', { text: 'hello' }))).toBe('hello');
    const other = createTestConnection(httpServerSchema.parse({ type: 'http', url: server.url }));
    await other.connection.connect();
    expect(other.connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_failed' });
  });

  test('is connected again when its stream has ended', async () => {
    const server = await started();
    const { connection } = await connectTo(sse(server.url));
    server.endStreams();
    await waitFor(() => expect(server.streamsOpened()).toBe(2));
    await untilState(connection, 'connected');
    expect(textOf(await callTool(connection, 'echo', { text: 'again' }))).toBe('again');
  });

  test('that refuses the stream is not connected, and its status has the HTTP status', async () => {
    const server = await started(401);
    const { connection } = createTestConnection(sse(server.url));
    await connection.connect();
    expect(connection.status()).toMatchObject({ errorType: 'connect_failed', failure: { httpStatus: 401 } });
  });

  test('that sends a message over the limit loses its connection, and is connected again', async () => {
    const server = await started();
    const limits = quickLimits({ responseBytesMax: 65_536 });
    const { connection } = await connectTo(sse(server.url), limits);
    await expect(callTool(connection, 'large')).rejects.toThrow();
    await untilState(connection, 'connected');
    expect(textOf(await callTool(connection, 'echo', { text: 'again' }))).toBe('again');
  });
});

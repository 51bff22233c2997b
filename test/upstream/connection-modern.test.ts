/** Connections to servers of protocol 2026-07-28, over stdio and over HTTP. */
import { describe, expect, test } from 'vitest';
import { useFakeClock } from '../support/fake-clock.ts';
import { startModernHttpServer } from '../support/servers/modern-server.ts';
import { httpServer, supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  connectTo,
  disposeAfterTest,
  type ObservedConnection,
  quickLimits,
  statesOf,
  textOf,
  untilState,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

async function started(port?: number) {
  return disposeAfterTest(await startModernHttpServer(port));
}

/** Connects while the clock is stopped, since the probe for the protocol has a timeout that a busy machine exceeds. */
async function connected(...args: Parameters<typeof connectTo>): Promise<ObservedConnection> {
  using _clock = useFakeClock();
  const observed = await connectTo(...args);
  expect(observed.connection.status().protocolVersion).toBe('2026-07-28');
  return observed;
}

const servers = {
  stdio: async () => supportServer('modern-server.ts'),
  http: async () => httpServer((await started()).url),
};

describe.each(['stdio', 'http'] as const)('a 2026 server over %s', (transport) => {
  test('lists its tools and returns results unchanged', async () => {
    const { connection } = await connected(await servers[transport]());
    expect(connection.tools().map(({ toolName }) => toolName)).toContain('structured');
    expect(await callTool(connection, 'structured')).toMatchObject({
      content: [],
      structuredContent: { sum: 3 },
      isError: false,
      _meta: { 'example.com/kept': true },
    });
  });

  test('reports progress in order', async () => {
    const { connection } = await connected(await servers[transport]());
    const seen: number[] = [];
    await callTool(connection, 'count', {}, { onProgress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3]);
  });

  test('is notified of a cancelled call', async () => {
    const { connection } = await connected(await servers[transport]());
    const before: string[] = JSON.parse(textOf(await callTool(connection, 'ended')));
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await callTool(connection, 'ended');
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    await waitFor(async () => {
      const after: string[] = JSON.parse(textOf(await callTool(connection, 'ended')));
      expect(after).toHaveLength(before.length + 1);
    });
  });

  test('refuses invalid arguments with an error result or an error code', async () => {
    const { connection } = await connected(await servers[transport]());
    const result = await callTool(connection, 'echo', { region: 7 }).catch((error: unknown) => error);
    expect(result).toSatisfy(
      (answer: { isError?: boolean; errorType?: string }) =>
        answer.isError === true || answer.errorType === 'upstream_error',
    );
  });

  test('answers health checks', async () => {
    using clock = useFakeClock();
    const limits = quickLimits({ healthCheckIntervalMs: 100 });
    const { connection, statuses } = await connectTo(await servers[transport](), limits);
    const discoveriesCount = async () => Number(textOf(await callTool(connection, 'discoveries_count')));
    const before = await discoveriesCount();
    await waitFor(async () => {
      await clock.advance(limits.healthCheckIntervalMs);
      expect(await discoveriesCount()).toBeGreaterThan(before + 3);
    });
    expect(connection.status().protocolVersion).toBe('2026-07-28');
    expect(statesOf(statuses)).toEqual(['connecting', 'connected']);
  });
});

describe('a 2026 server over HTTP', () => {
  test('receives the trace context, and the arguments that the tool wants mirrored, as headers', async () => {
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

  test('is notified of a cancelled call only by the end of its stream', async () => {
    const server = await started();
    const { connection } = await connected(httpServer(server.url));
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await waitFor(() => expect(server.requests.at(-1)?.headers.get('mcp-name')).toBe('hang'));
    const requestsCount = server.requests.length;
    const [request] = server.requests.slice(-1);
    controller.abort();
    await hanging;
    await waitFor(() => expect(request?.signal.aborted).toBe(true));
    expect(server.requests).toHaveLength(requestsCount);
  });

  test('has its tools listed again when they change, also after a restart', async () => {
    const server = await started();
    const { connection } = await connected(httpServer(server.url), quickLimits({ healthCheckIntervalMs: 60_000 }));
    const before = connection.tools().length;
    await waitFor(() =>
      expect(server.requests.some((request) => request.headers.get('mcp-method') === 'subscriptions/listen')).toBe(
        true,
      ),
    );
    server.grow();
    await waitFor(() => expect(connection.tools()).toHaveLength(before + 1));
    await server[Symbol.asyncDispose]();
    await untilState(connection, 'reconnecting');
    const restarted = await started(server.port);
    await untilState(connection, 'connected');
    restarted.grow();
    await waitFor(() => expect(connection.tools()).toHaveLength(before + 2));
  });
});

describe('a 2026 server over stdio', () => {
  test('has its tools listed again when they change', async () => {
    const { connection } = await connected(supportServer('modern-server.ts'));
    const before = connection.tools().length;
    await callTool(connection, 'grow');
    await waitFor(() => expect(connection.tools().length).toBeGreaterThan(before));
  });
});

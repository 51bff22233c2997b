/** Streams of events that a server over HTTP ends over and over: how often the hub opens them again. */
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { callTool, connectTo, disposeAfterTest } from '../../support/servers/upstream-connection.ts';

const results: Record<string, object> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
  'tools/list': { tools: [{ name: 'plain', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [] },
};

/** A server that ends each stream at once, after it has said when to open it again. */
async function serverThatEndsStreams(retry: string) {
  let streams = 0;
  const server: Server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method === 'GET') {
      streams += 1;
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`id: ${streams}\nretry: ${retry}\ndata:\n\n`);
      return;
    }
    const { id, method } = JSON.parse(text || '{}');
    const result = results[method];
    if (id === undefined) response.writeHead(202).end();
    else {
      const outcome = result === undefined ? { error: { code: -32_601, message: 'Method not found' } } : { result };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  disposeAfterTest({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/mcp`, streams: () => streams };
}

describe('a server that ends each stream of events', () => {
  // The longest delay of a timer is 2^31 - 1 ms; one that is set longer fires at once.
  test.each(['0', '1', '99999999999999'])('and asks for a new one after %s ms is not flooded', async (retry) => {
    const server = await serverThatEndsStreams(retry);
    const { connection } = await connectTo({ url: server.url, headers: {}, autoConnect: true });
    const startedAt = performance.now();
    await delay(1000);
    expect((await callTool(connection, 'plain')).isError).toBe(false);
    // One in 100 ms, the first at once.
    expect(server.streams()).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 100);
  });
});

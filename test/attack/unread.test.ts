/** Clients that call tools with long results and do not read them: what the hub holds for them is bounded, and given back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, type AttackKey, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';

/** More than what the operating system buffers for a connection whose client does not read. */
const resultBytes = 6_000_000;
/** The share of one key that alone has results: one of them. */
const resultBytesHeldMax = 16_000_000;
const clients = 6;

const upstream = createHostileUpstream();
let hub: AttackedHub;
beforeAll(async () => {
  hub = await startAttackedHub({
    file: {
      mcpServers: { loud: upstream.configuration },
      limits: { resultBytesHeldMax, resultReadMsMax: 3000, callTimeoutMs: 60_000 },
    },
  });
  await untilServersConnected(hub, 'loud');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

/** Sends a request, and reads the head of the response at most. */
function requestUnread(key: AttackKey, path: string, body: unknown): Socket {
  const text = JSON.stringify(body);
  const socket = connect(hub.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key.secret}\r\nContent-Type: application/json\r\n` +
      `Accept: application/json, text/event-stream\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  socket.pause();
  return socket;
}

/** What has arrived, and what still does until nothing has for a while. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.resume();
  for (let before = -1; before < text.length; ) {
    before = text.length;
    await delay(500);
  }
  socket.destroy();
  return text;
}

const messageOf = (progressToken?: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'call_mcp_tool',
    arguments: { server_id: 'loud', tool_name: 'run', arguments: { resultBytes } },
    ...(progressToken !== undefined && { _meta: { progressToken } }),
  },
});

describe('clients that do not read their results', () => {
  test.each<[string, string, unknown]>([
    ['of a call over HTTP', '/v1/tools/loud/run/call', { arguments: { resultBytes } }],
    ['of a call over MCP', '/mcp', messageOf()],
    ['in a stream of events', '/mcp', messageOf('token')],
  ])(
    '%s are held as far as the share of their key goes, are disconnected, and leave others alone',
    async (_what, path, body) => {
      const hoarder = await hub.agent('hoarder');
      const modest = await hub.agent('modest');
      const sockets = Array.from({ length: clients }, () => requestUnread(hoarder, path, body));
      const { status, body: answer } = await modest.call('loud', 'run', { resultBytes });
      expect([status, answer.result.content[0].text.length > resultBytes]).toEqual([200, true]);
      // The share is free again once the client whose result is held has been disconnected.
      const call = async () => (await hoarder.call('loud', 'run', { resultBytes })).status;
      await expect.poll(call, { timeout: 60_000, interval: 500 }).toBe(200);
      const answers = await Promise.all(sockets.map(readAll));
      const dropped = answers.filter((text) => text.includes('was dropped'));
      expect(dropped.length).toBeGreaterThanOrEqual(clients / 2);
      expect(answers.filter((text) => text.length > resultBytes)).toEqual([]);
    },
  );

  test('of HTTP+SSE lose their session', async () => {
    const hoarder = await hub.agent('sse-hoarder');
    const stream = connect(hub.port, '127.0.0.1');
    stream.on('error', () => undefined);
    stream.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${hoarder.secret}\r\n\r\n`);
    const [head] = await once(stream, 'data');
    let path = /data: (\S+)/.exec(String(head))?.[1];
    if (path === undefined) path = /data: (\S+)/.exec(String((await once(stream, 'data'))[0]))?.[1];
    stream.pause();
    const post = () => hoarder.fetch(path ?? '', { json: messageOf() });
    for (let count = 0; count < clients; count += 1) expect((await post()).status).toBe(202);
    await expect.poll(async () => (await post()).status, { timeout: 90_000, interval: 2000 }).toBe(404);
    expect((await hoarder.call('loud', 'run', { resultBytes })).status).toBe(200);
    stream.destroy();
  });
});

/** What /mcp answers to requests that no client library would send. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { connectClient, type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
  await untilConnected(hub, 'faulty');
});
afterAll(() => hub[Symbol.asyncDispose]());

const accept = 'application/json, text/event-stream';
const post = (body: string, headers: Record<string, string> = {}) =>
  hub.operator.fetch('/mcp', {
    method: 'POST',
    body,
    headers: { accept, 'content-type': 'application/json', ...headers },
  });
const message = (method: string, params?: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) });

/** The JSON-RPC message of an answer, whether it came as JSON or as one event. */
async function answerOf(response: Response) {
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
}

describe('a message that opens a session or a stream, of which parts are kept while that is open', () => {
  const long = 'x'.repeat(70_000);
  test.each([
    ['initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: long, version: '1' } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: [`hestia://faulty/${long}`] } }],
  ])('is refused if it is too long: %s', async (method, params) => {
    for (const path of ['/mcp', '/mcp/faulty', '/mcp/all']) {
      const headers = { accept, 'content-type': 'application/json' };
      const response = await hub.operator.fetch(path, { method: 'POST', body: message(method, params), headers });
      expect([response.status, await answerOf(response)]).toMatchObject([
        413,
        { id: 1, error: { code: -32602, data: { code: 'PAYLOAD_TOO_LARGE' } } },
      ]);
    }
  });
});

describe('a request that is not valid MCP', () => {
  test.each([
    ['JSON that does not parse', '{', 400, -32700],
    ['an empty body', '', 400, -32700],
    ['JSON that is no message', '7', 400, -32700],
    ['a message without a method', '{"jsonrpc":"2.0","id":1}', 400, -32700],
  ])('%s is refused as JSON-RPC', async (_what, body, status, code) => {
    const response = await post(body);
    const { error } = await answerOf(response);
    expect(response.status).toBe(status);
    expect([code, -32600]).toContain(error.code);
  });

  test('is refused with another content type', async () => {
    expect((await post(message('tools/list'), { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('with an unknown method is not found, and no signal contains the name of the method', async () => {
    const { error } = await answerOf(await post(message('secret/method')));
    expect(error.code).toBe(-32601);
    expect(JSON.stringify(hub.logLines())).not.toContain('secret/method');
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('with the HTTP method %s is not allowed', async (method) => {
    expect((await hub.operator.fetch('/mcp', { method, headers: { accept } })).status).toBe(405);
  });

  test('is refused if its body exceeds the limit', async () => {
    const response = await post(message('tools/call', { name: 'x'.repeat(13_000_000) }));
    expect([response.status, (await json(response)).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  test('is refused from a foreign host or origin', async () => {
    for (const headers of [{ host: 'attacker.example' }, { origin: 'https://attacker.example' }]) {
      expect((await post(message('tools/list'), headers)).status).toBe(403);
    }
  });
});

describe('a 2025-era session', () => {
  test('gets its id at initialize, and requests with any id are served', async () => {
    const initialize = message('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    });
    const response = await post(initialize);
    expect(response.headers.get('mcp-session-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect((await answerOf(response)).result).toMatchObject({
      serverInfo: { name: 'hestia' },
      capabilities: { tools: { listChanged: true } },
    });
    const listed = await answerOf(await post(message('tools/list'), { 'mcp-session-id': 'from another replica' }));
    expect(listed.result.tools.length).toBeGreaterThanOrEqual(11);
  });

  test('cannot have its calls cancelled by another key', async () => {
    const other = await hub.key('other');
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    const headers = { accept, 'content-type': 'application/json', 'mcp-session-id': 'shared' };
    const args = { server_id: 'faulty', tool_name: 'hang', arguments: {}, timeout_ms: 5000 };
    const pending = post(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 99,
        method: 'tools/call',
        params: { name: 'call_mcp_tool', arguments: args },
      }),
      headers,
    );
    await expect.poll(async () => (await client.call('get_mcp_hub_status')).structuredContent.calls_running).toBe(1);
    const cancel = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } });
    expect((await other.fetch('/mcp', { method: 'POST', body: cancel, headers })).status).toBe(202);
    const { result } = await answerOf(await pending);
    expect(result).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'TIMEOUT' } } });
  });
});

describe('a call that its 2025-era client has cancelled', () => {
  test.each([
    ['without progress', {}],
    ['with progress', { progressToken: 1 }],
  ])('gets no answer (%s)', async (_what, _meta) => {
    const headers = { accept, 'content-type': 'application/json', 'mcp-session-id': 'own' };
    const args = { server_id: 'faulty', tool_name: 'hang', arguments: {} };
    const call = {
      jsonrpc: '2.0',
      id: 98,
      method: 'tools/call',
      params: { name: 'call_mcp_tool', arguments: args, _meta },
    };
    const pending = post(JSON.stringify(call), headers);
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    await expect.poll(async () => (await client.call('get_mcp_hub_status')).structuredContent.calls_running).toBe(1);
    await post(
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 98 } }),
      headers,
    );
    const response = await pending;
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain('jsonrpc');
  });
});

describe('a call of a tool whose name would forge a log line', () => {
  test('is refused as unknown, and every line of the log stays valid', async () => {
    const before = hub.logLines().length;
    const name = 'x\n{"level":"info","message":"forged"}\u001b[2J\u202e';
    const { error } = await answerOf(await post(message('tools/call', { name, arguments: {} })));
    expect(error).toMatchObject({ code: -32602, data: { code: 'NOT_FOUND' } });
    for (const line of hub.logLines().slice(before)) expect(line.message).not.toBe('forged');
  });
});

describe('subscriptions to list changes', () => {
  test('beyond the limit are refused with Retry-After until others end', async () => {
    const streams: Response[] = [];
    const open = () =>
      hub.operator.fetch('/mcp', { headers: { accept: 'text/event-stream', 'mcp-session-id': 'any' } });
    let refused = await open();
    for (; refused.status === 200 && streams.length < 1024; refused = await open()) streams.push(refused);
    // Clients of the tests before may still have a stream each.
    expect(streams.length).toBeGreaterThan(1000);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await json(refused)).error).toMatchObject({ data: { code: 'OVERLOADED' } });
    await streams[0]?.body?.cancel();
    expect((await open()).status).toBe(200);
    for (const stream of streams.slice(1)) await stream.body?.cancel();
  });
});

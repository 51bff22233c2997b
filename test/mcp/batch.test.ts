/** Batches of JSON-RPC messages at the MCP endpoints. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

const requestsPerMinute = 200;
let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({
    file: { mcpServers: { faulty: supportServer('faulty-server.ts') }, limits: { requestsPerMinute } },
  });
  await untilConnected(hub, 'faulty');
});
afterAll(() => hub[Symbol.asyncDispose]());

const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const request = (id: number, method: string, params = {}) => ({ jsonrpc: '2.0', id, method, params });
const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
const ping = request(1, 'ping');
const post = (path: string, body: string) => hub.operator.fetch(path, { method: 'POST', body, headers });

describe('a batch of messages', () => {
  test('is answered by one array, in which each request has its response, and no notification has any', async () => {
    const call = { name: 'call_mcp_tool', arguments: { server_id: 'faulty', tool_name: 'pid', arguments: {} } };
    const messages = [
      ping,
      notification,
      request(2, 'tools/call', call),
      request(3, 'prompts/list'),
      request(4, 'no/such/method'),
      { jsonrpc: '2.0', id: 5 },
      request(6, 'tools/call', { ...call, _meta: { progressToken: 1 } }),
    ];
    const response = await post('/mcp', JSON.stringify(messages));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toMatchObject([
      { id: 1, result: {} },
      { id: 2, result: { isError: false } },
      { id: 3, result: { prompts: expect.any(Array) } },
      { id: 4, error: { code: -32601 } },
      { id: 5, error: { code: expect.any(Number) } },
      { id: 6, result: { isError: false } },
    ]);
  });

  test('is answered at the endpoint of a server, too', async () => {
    const response = await post('/mcp/faulty', JSON.stringify([ping, request(2, 'tools/call', { name: 'pid' })]));
    expect(await response.json()).toMatchObject([
      { id: 1, result: {} },
      { id: 2, result: { content: [{}] } },
    ]);
  });

  test('keeps the digits of long integers in arguments', async () => {
    const call =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"last_line","arguments":{"value":9007199254740993}}}';
    expect(await (await post('/mcp/faulty', `[${call}]`)).text()).toContain('9007199254740993');
  });

  test('of notifications has no answer', async () => {
    const response = await post('/mcp', JSON.stringify([notification, notification]));
    expect([response.status, await response.text()]).toEqual([202, '']);
  });

  test.each([
    ['without messages', [], 'a batch must have 1 to 100 messages; this one has 0'],
    ['with too many', Array.from({ length: 101 }, () => ping), 'a batch must have 1 to 100 messages; this one has 101'],
    ['with an initialization', [ping, request(2, 'initialize')], 'initialize must be sent alone, not in a batch'],
  ])('%s is refused', async (_what, messages, message) => {
    for (const path of ['/mcp', '/mcp/faulty']) {
      const response = await post(path, JSON.stringify(messages));
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32600, message } }]);
    }
  });

  test('counts each message as a request of its key, and refuses those beyond the limit', async () => {
    const agent = await hub.key('sender');
    const send = async (count: number) => {
      const messages = Array.from({ length: count }, (_, at) => request(at, 'ping'));
      const response = await agent.fetch('/mcp', { method: 'POST', body: JSON.stringify(messages), headers });
      expect(response.status).toBe(200);
      return json(response);
    };
    expect(await send(100)).toEqual(Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', id, result: {} })));
    expect(await send(60)).toHaveLength(60);
    const last = await send(100);
    expect(last).toHaveLength(100);
    const refused = last.filter(({ error }: { error?: unknown }) => error !== undefined);
    expect(refused).toHaveLength(60);
    expect(refused[0]).toMatchObject({ id: 40, error: { data: { code: 'RATE_LIMITED' } } });
  });
});

describe('a message that is nested too deeply', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const meta = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"x":${deep}}}}}`;
  test.each([
    ['in its parameters', meta],
    ['in a batch', `[${meta}]`],
    ['as a list in a batch', `[${deep}]`],
    ['outside of its parameters', `{"jsonrpc":"2.0","id":1,"method":"ping","x":${deep}}`],
  ])('%s is refused', async (_what, body) => {
    for (const path of ['/mcp', '/mcp/faulty']) {
      const response = await post(path, body);
      const message = 'a message must have at most 200 levels of nesting, its arguments apart';
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32600, message } }]);
    }
  });
});

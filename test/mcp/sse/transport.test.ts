/** The HTTP+SSE transport beyond what every client does (test/mcp/clients.test.ts): its sessions, their limits and their end. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type TestKey } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  sseTransport,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';
import { supportServer } from '../../support/servers/support-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({
    file: { mcpServers: { faulty: supportServer('faulty-server.ts'), everything: realServer('everything') } },
  });
  await untilConnected(hub, 'faulty', 'everything');
});
afterAll(() => hub[Symbol.asyncDispose]());

const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

/** A stream that a test reads by hand. */
async function openStream(key: TestKey) {
  const response = await key.fetch('/sse', { headers: { accept: 'text/event-stream' } });
  if (!response.ok || response.body === null) throw new Error(`${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  const path = /^event: endpoint\ndata: (\S+)\n\n$/.exec(first.value ?? '')?.[1];
  if (path === undefined) throw new Error(`no endpoint event: ${first.value}`);
  return { path, reader };
}

describe('a session of /sse', () => {
  test('begins with the URL for its messages; a message is accepted with 202 and answered on the stream', async () => {
    const { path, reader } = await openStream(hub.operator);
    expect(path).toMatch(/^\/sse\?sessionId=[0-9a-f-]{36}$/);
    expect((await hub.operator.fetch(path, { json: message })).status).toBe(202);
    const { value } = await reader.read();
    expect(value).toMatch(/^event: message\ndata: \{.*\}\n\n$/);
    expect(JSON.parse(value?.split('data: ')[1] ?? '')).toMatchObject({ id: 1, result: { tools: expect.any(Array) } });
    await reader.cancel();
  });

  test('is unknown to another key, and to everyone after its end', async () => {
    const { path, reader } = await openStream(hub.operator);
    const other = await hub.key('other', 'operator');
    expect((await other.fetch(path, { json: message })).status).toBe(404);
    expect((await hub.fetch(path, { json: message })).status).toBe(401);
    await reader.cancel();
    expect((await hub.operator.fetch(path, { json: message })).status).toBe(404);
  });

  test.each([
    ['text that is not JSON', '{'],
    ['JSON that is no message', '[1]'],
  ])('refuses %s at once', async (_what, body) => {
    const { path, reader } = await openStream(hub.operator);
    const response = await hub.operator.fetch(path, { method: 'POST', body });
    expect(response.status).toBe(400);
    expect((await json(response)).error.code).toBe(-32700);
    await reader.cancel();
  });

  test('answers a message that the endpoint refuses under the id of its request', async () => {
    const { path, reader } = await openStream(hub.operator);
    const invalid = { jsonrpc: '1.0', id: 7, method: 'tools/list' };
    expect((await hub.operator.fetch(path, { json: invalid })).status).toBe(202);
    const { value } = await reader.read();
    expect(JSON.parse(value?.split('data: ')[1] ?? '')).toMatchObject({ id: 7, error: { code: expect.any(Number) } });
    await reader.cancel();
  });

  test('sends every step of progress before the result', async () => {
    const { path, reader } = await openStream(hub.operator);
    const call = {
      server_id: 'everything',
      tool_name: 'trigger-long-running-operation',
      arguments: { duration: 0.1, steps: 3 },
    };
    const params = { name: 'call_mcp_tool', arguments: call, _meta: { progressToken: 'p' } };
    await hub.operator.fetch(path, { json: { ...message, method: 'tools/call', params } });
    let text = '';
    while (!text.includes('"result"')) text += (await reader.read()).value ?? '';
    const steps = [...text.matchAll(/"progress":(\d)|"result"/g)].map(([whole, step]) => step ?? whole);
    expect(steps).toEqual(['1', '2', '3', '"result"']);
    await reader.cancel();
  });

  test('sends no answer to a request that was cancelled', async () => {
    const { path, reader } = await openStream(hub.operator);
    const post = (body: object) => hub.operator.fetch(path, { json: { jsonrpc: '2.0', ...body } });
    const clientInfo = { name: 'x', version: '1' };
    await post({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo },
    });
    expect((await reader.read()).value).toContain('"protocolVersion":"2024-11-05"');
    const params = { name: 'call_mcp_tool', arguments: { server_id: 'faulty', tool_name: 'hang' } };
    await post({ id: 2, method: 'tools/call', params });
    await post({ method: 'notifications/cancelled', params: { requestId: 2 } });
    await post({ id: 3, method: 'ping' });
    expect((await reader.read()).value).toContain('"id":3');
    await reader.cancel();
  });

  test('that the client leaves abandons its running calls', async () => {
    const leaver = await hub.key('leaver');
    const client = await connectClient('1.x over HTTP+SSE', hub, leaver);
    const call = client.call('call_mcp_tool', { server_id: 'faulty', tool_name: 'hang' }).catch(() => undefined);
    await using observer = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    await expect
      .poll(async () => (await observer.call('get_mcp_hub_status')).structuredContent.calls_running, {
        timeout: 30_000,
      })
      .toBeGreaterThan(0);
    await client[Symbol.asyncDispose]();
    await call;
    const outcomes = async () => {
      const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'));
      return items.filter((item: { agent_id: string }) => item.agent_id === 'leaver');
    };
    await expect.poll(outcomes, { timeout: 30_000 }).toMatchObject([{ fields: { outcome: 'abandoned' } }]);
  });

  test('ends when its key is revoked', async () => {
    const revoked = await hub.key('revoked');
    const { reader } = await openStream(revoked);
    await hub.operator.fetch(`/v1/keys/${revoked.keyId}`, { method: 'DELETE' });
    expect(await reader.read()).toMatchObject({ done: true });
  });
});

describe('the sessions of /sse', () => {
  test('refuse other methods, and a POST without a session with what to do', async () => {
    expect((await hub.operator.fetch('/sse', { method: 'PUT' })).status).toBe(405);
    const response = await hub.operator.fetch('/sse', { json: message });
    expect(response.status).toBe(400);
    expect((await json(response)).error.message).toContain('GET');
  });
});

describe('a client of HTTP+SSE at /mcp', () => {
  test('is refused with the path to use, and does not wait', async () => {
    const response = await hub.operator.fetch('/mcp', { headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(405);
    expect((await json(response)).error.message).toContain('/sse');
    const transport = sseTransport(hub, hub.operator, '/mcp');
    expect(transport).toBeInstanceOf(SSEClientTransport);
    await expect(transport.start()).rejects.toThrow('405');
  });
});

describe('the transport in front of one server', () => {
  test.each([
    ['/sse/everything', 'get-sum'],
    ['/sse/all', 'everything__get-sum'],
  ])('%s has the tools and prompts of the server, and calls them', async (path, toolName) => {
    const client = new Client({ name: 'old', version: '1' });
    await client.connect(sseTransport(hub, hub.operator, path));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain(toolName);
    expect((await client.listPrompts()).prompts).not.toEqual([]);
    const result = await client.callTool({ name: toolName, arguments: { a: 2, b: 3 } });
    expect(result.content).toEqual([{ type: 'text', text: 'The sum of 2 and 3 is 5.' }]);
    await client.close();
  });

  test('of a server that does not exist refuses each message', async () => {
    const client = new Client({ name: 'old', version: '1' });
    await expect(client.connect(sseTransport(hub, hub.operator, '/sse/nowhere'))).rejects.toThrow(/no such server/);
    await client.close();
  });
});

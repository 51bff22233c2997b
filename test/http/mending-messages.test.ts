/** Messages that say what mends a mistake: where it is, what was found, what to do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type TestKey } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
let auditor: TestKey;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
  await untilConnected(hub, 'faulty');
  auditor = await hub.key('watcher', 'auditor');
});
afterAll(() => hub[Symbol.asyncDispose]());

const jsonType = { 'content-type': 'application/json' };

describe('a body that is not valid JSON', () => {
  test.each([
    ['{"agentId": "bot",}', 'line 1, column 19: found "}"; a comma is not allowed here'],
    [
      '{\n  "agentId": "bot"\n  "role": "agent"\n}',
      'line 3, column 3: found "\\"role\\": \\"agent\\""; a comma is missing',
    ],
    ['{"agentId": bot}', 'line 1, column 13: found "bot}"; a value is missing or not in double quotes'],
    ['{"agentId": "bot"', 'line 1, column 18: found the end; the closing } is missing'],
    ['', 'it is empty'],
  ])('%j is answered with the place', async (body, message) => {
    const response = await hub.operator.fetch('/v1/keys', { method: 'POST', body, headers: jsonType });
    expect(response.status).toBe(400);
    expect((await json(response)).detail).toContain(`the body is not valid JSON: ${message}`);
  });

  test('is answered with the place at the MCP endpoint', async () => {
    const response = await hub.operator.fetch('/mcp', { method: 'POST', body: '{"jsonrpc": 2.0,}', headers: jsonType });
    expect((await json(response)).error).toMatchObject({
      code: -32700,
      message: expect.stringContaining('line 1, column 17: found "}"'),
    });
  });
});

describe('a body of another content type', () => {
  test.each(['application/x-www-form-urlencoded', 'text/plain', undefined])('%s is refused', async (type) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const body = new TextEncoder().encode('{"arguments": {}}');
    const response = await hub.operator.fetch('/v1/tools/faulty/pid/call', { method: 'POST', body, headers });
    expect([response.status, await json(response)]).toMatchObject([
      415,
      { detail: `content-type: found ${type ?? 'none'}; send application/json` },
    ]);
  });

  test('is accepted where it is a kind of JSON, or where there is no body', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const response = await hub.operator.fetch('/v1/tools/faulty/pid/call', { method: 'POST', body: '{}', headers });
    expect(response.status).toBe(200);
    expect((await hub.operator.fetch('/v1/scheduler/run', { method: 'POST' })).status).toBe(200);
  });
});

test('a host that is not allowed is named with the setting', async () => {
  const response = await hub.operator.fetch('/v1/skills', { headers: { host: 'hub.example' } });
  expect([response.status, (await json(response)).detail]).toEqual([
    403,
    'host: the hub does not answer to "hub.example"; add it to policy.allowedHosts',
  ]);
});

describe('a call that a role may not make', () => {
  test('says who may help, and its record names the tool', async () => {
    const response = await auditor.fetch('/v1/tools/faulty/pid/call', { json: {} });
    expect([response.status, (await json(response)).detail]).toEqual([
      403,
      'the role auditor may not do tool.call; ask an operator',
    ]);
    const found = await json(hub.operator.fetch('/v1/audit/events?event=ACCESS_DENIED&tool=faulty/pid'));
    expect(found.items).toMatchObject([{ agent_id: 'watcher', target: 'tool:faulty/pid' }]);
  });
});

test('a tool of a server that is called at the endpoint of the hub is said to be elsewhere', async () => {
  const params = { name: 'pid', arguments: {} };
  const response = await hub.operator.fetch('/mcp', {
    json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    headers: { accept: 'application/json, text/event-stream' },
  });
  expect(await response.text()).toContain(
    'call it through call_mcp_tool with server_id \\"faulty\\", tool_name \\"pid\\", or connect to /mcp/faulty',
  );
});

describe('a question that cannot be meant so', () => {
  test.each([
    ['/v1/audit/events?since=1h&until=2h', 'since: must not be later than until'],
    ['/v1/tools/stats?since=1h&until=2h', 'since: must not be later than until'],
    ['/v1/searches?since=1h&until=2h', 'since: must not be later than until'],
    ['/v1/search-quality?since=1h&until=2h', 'since: must not be later than until'],
    ['/v1/audit/events?traceId=0af76519', 'traceId: must be 32 hexadecimal digits'],
    ['/v1/audit/events?agentId=', 'agentId: '],
    ['/v1/audit/events?tool=memory/delete_*', 'tool: must be the complete name of a tool'],
    ...['skills', 'keys', 'tools', 'searches', 'quarantine', 'audit/events'].map((list) => [
      `/v1/${list}?cursor=xx`,
      'cursor: must be the nextCursor of the page before',
    ]),
  ])('%s is refused and not answered with nothing', async (path, message) => {
    const response = await hub.operator.fetch(path);
    expect([response.status, (await json(response)).detail]).toEqual([400, expect.stringContaining(message)]);
  });
});

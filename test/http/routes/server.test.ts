/** Upstream servers over HTTP and MCP: a misconfigured one is listed and stops nothing, and ids may contain `/`, `@` and `:`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const ids = ['io.github.user/server', '@scope/name', 'plugin:foo:bar'];

let hub: ListeningHub;
beforeAll(async () => {
  const server = supportServer('faulty-server.ts');
  hub = await startListeningHub({
    file: { mcpServers: { ...Object.fromEntries(ids.map((id) => [id, server])), bad: { comand: 'x' } } },
  });
  await untilConnected(hub, ...ids);
});
afterAll(() => hub[Symbol.asyncDispose]());

describe('a misconfigured server', () => {
  const reason = /^hestia\.config\.json:1:\d+: mcpServers\.bad\.comand: unknown key; did you mean "command"\?$/;

  test('is listed with its reason, over HTTP and MCP', async () => {
    const { items } = await json(hub.operator.fetch('/v1/servers'));
    const bad = items.find((item: { serverId: string }) => item.serverId === 'bad');
    expect(bad).toMatchObject({ state: 'misconfigured', toolsCount: 0, reason: expect.stringMatching(reason) });
    await using client = await connectClient('2.x, 2026-07-28', hub, await hub.key('agent'));
    const listed = (await client.call('list_mcp_servers')).structuredContent;
    expect(JSON.stringify(listed)).toContain('"state":"misconfigured"');
    const status = (await client.call('get_mcp_hub_status')).structuredContent;
    expect(status).toMatchObject({ servers: { connected: 3, total: 4, misconfigured: 1 } });
  });

  test('is in the readiness probe, which stays ready', async () => {
    const response = await hub.operator.fetch('/readyz');
    expect(response.status).toBe(200);
    expect((await json(response)).dependencies['server:bad']).toEqual({ state: 'misconfigured', toolsCount: 0 });
  });

  test('has its name in the probe only for who is signed in', async () => {
    const headers = [{}, { authorization: `Bearer ${hub.operator.secret}x` }];
    for (const anonymous of headers) {
      const text = await (await hub.fetch('/readyz', { headers: anonymous })).text();
      expect(text).not.toMatch(/server:|"bad"/);
      expect(JSON.parse(text).dependencies.servers).toEqual({ state: 'degraded', connected: 3, total: 4 });
    }
    const limited = await hub.key('limited', 'agent', 'default', { servers: ['bad'] });
    const { dependencies } = await json(limited.fetch('/readyz'));
    expect(Object.keys(dependencies).filter((name) => name.startsWith('server'))).toEqual(['server:bad']);
  });

  test('is not connected on request, and the answer has the reason', async () => {
    const answer = await json(hub.operator.fetch('/v1/servers/bad/connect', { method: 'POST' }));
    expect(answer).toMatchObject({ state: 'misconfigured', reason: expect.stringMatching(reason) });
  });

  test('makes calls of its tools fail as unavailable, and is named by searches', async () => {
    const call = await hub.operator.fetch('/v1/tools/bad/x/call', { json: { arguments: {} } });
    expect(call.status).toBe(503);
    expect(await json(call)).toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    const search = await json(hub.operator.fetch('/v1/tools/search', { json: { query: 'pid' } }));
    expect(search.serversUnavailable).toEqual(['bad']);
  });
});

describe.each(ids)('a server with the id %s', (id) => {
  const path = encodeURIComponent(id);

  test('is addressed by its encoded id', async () => {
    expect(await json(hub.operator.fetch(`/v1/tools/${path}/pid`))).toMatchObject({ serverId: id, toolName: 'pid' });
    const answer = await hub.operator.fetch(`/v1/tools/${path}/pid/call`, { json: { arguments: {} } });
    expect(answer.status).toBe(200);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=100'));
    const targets = items.map((item: { target: string }) => item.target);
    expect(targets).toContain(`tool:${id.replaceAll('/', '%2F')}/pid`);
  });

  test('is found, inspected and called over MCP', async () => {
    await using client = await connectClient('2.x, 2026-07-28', hub, await hub.key('agent'));
    const found = (await client.call('search_tools', { query: 'pid', server_id: id })).structuredContent;
    expect(found.results[0]).toMatchObject({ server_id: id, tool_name: 'pid' });
    const called = await client.call('call_mcp_tool', { server_id: id, tool_name: 'pid', arguments: {} });
    expect(called.isError ?? false).toBe(false);
  });

  test('is disconnected and connected by its encoded id', async () => {
    const disconnected = await json(hub.operator.fetch(`/v1/servers/${path}/disconnect`, { method: 'POST' }));
    expect(disconnected).toMatchObject({ serverId: id, state: 'disconnected' });
    const connected = await json(hub.operator.fetch(`/v1/servers/${path}/connect`, { method: 'POST' }));
    expect(connected).toMatchObject({ serverId: id, state: 'connected' });
  });
});

describe('a server named as a member that every object has', () => {
  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('%s is not found', async (id) => {
    for (const action of ['connect', 'disconnect', 'login', 'logout']) {
      const response = await hub.operator.fetch(`/v1/servers/${id}/${action}`, { method: 'POST', json: {} });
      expect([action, response.status]).toEqual([action, 404]);
    }
  });
});

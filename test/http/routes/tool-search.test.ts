/** Answers of tool searches: what they say besides the results, over HTTP and MCP. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { json, publishSkill, type TestKey } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const silentServer = { command: process.execPath, args: ['-e', 'setInterval(() => undefined, 1000)'] };

let hub: ListeningHub;
let agent: TestKey;
beforeAll(async () => {
  hub = await startListeningHub({
    file: {
      mcpServers: {
        faulty: supportServer('faulty-server.ts'),
        missing: { command: '/nonexistent/server' },
        silent: silentServer,
        unused: { ...silentServer, autoConnect: false },
      },
      limits: { connectTimeoutMs: 120_000 },
    },
  });
  agent = await hub.key('agent');
  await untilConnected(hub, 'faulty');
  await vi.waitFor(async () => {
    expect((await search({ query: 'pid' })).serversUnavailable).toEqual(['missing', 'unused']);
  });
});
afterAll(() => hub[Symbol.asyncDispose]());

const search = (request: object, key = agent) => json(key.fetch('/v1/tools/search', { json: request }));

describe('a search', () => {
  test('names the servers that are connecting or unavailable, and gives no reasons where a tool fits', async () => {
    const answer = await search({ query: 'pid' });
    expect(answer).toMatchObject({ serversConnecting: ['silent'], serversUnavailable: ['missing', 'unused'] });
    expect(answer.results[0]).toMatchObject({ toolName: 'pid' });
    expect(answer.results[0]).not.toHaveProperty('weakMatch');
    expect(answer).not.toHaveProperty('reasons');
  });

  test('names only the servers that it asks for', async () => {
    expect(await search({ query: 'pid', serverId: 'faulty' })).not.toHaveProperty('serversConnecting');
    expect(await search({ query: 'pid', source: 'skill' })).not.toHaveProperty('serversUnavailable');
    expect(await search({ query: 'pid', serverId: 'silent' })).toMatchObject({
      results: [],
      reasons: ['no_tools', 'servers_connecting'],
      serversConnecting: ['silent'],
    });
  });

  test('for nonsense finds nothing, and says why', async () => {
    expect(await search({ query: 'asdf qwerty' })).toMatchObject({
      results: [],
      reasons: ['no_match', 'servers_connecting', 'servers_unavailable'],
    });
    expect(await search({ query: 'anything', serverId: 'nowhere' })).toMatchObject({
      results: [],
      reasons: ['no_tools'],
    });
  });

  test('says the same over MCP in snake_case', async () => {
    await using client = await connectClient('2.x, 2026-07-28', hub, agent);
    const { structuredContent } = await client.call('search_tools', { query: 'asdf qwerty' });
    expect(structuredContent).toMatchObject({
      reasons: ['no_match', 'servers_connecting', 'servers_unavailable'],
      servers_connecting: ['silent'],
      servers_unavailable: ['missing', 'unused'],
    });
  });

  test('shows auditors and operators, and no agent, how many matches belong to other namespaces', async () => {
    const elsewhere = await hub.key('owner', 'agent', 'elsewhere');
    await publishSkill(elsewhere, 'billing');
    await elsewhere.fetch('/v1/skills/billing/activate', { method: 'POST' });
    const auditor = await hub.key('auditor', 'auditor');
    expect(await search({ query: 'billing' }, agent)).not.toHaveProperty('filteredCount');
    for (const key of [auditor, hub.operator]) {
      expect(await search({ query: 'billing' }, key)).toMatchObject({ filteredCount: 1 });
      expect(await search({ query: 'billing', source: 'upstream' }, key)).not.toHaveProperty('filteredCount');
    }
    expect(await search({ query: 'billing' }, elsewhere)).toMatchObject({ results: [{ toolName: 'skill_billing' }] });
  });
});

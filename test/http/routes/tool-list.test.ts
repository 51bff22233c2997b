/** The list of all tools, and tools that are switched off. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, publishSkill, type TestKey } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const id = '@a/one';

let hub: ListeningHub;
let agent: TestKey;
beforeAll(async () => {
  hub = await startListeningHub({
    file: { mcpServers: { [id]: { ...supportServer('faulty-server.ts'), disabledTools: ['die'] } } },
  });
  agent = await hub.key('agent');
  await untilConnected(hub, id);
});
afterAll(() => hub[Symbol.asyncDispose]());

interface Listed {
  serverId: string;
  toolName: string;
  source: string;
  enabled: boolean;
}

/** All tools, read in pages of two. */
async function listed(key = agent): Promise<Listed[]> {
  const items: Listed[] = [];
  let cursor = '';
  do {
    const page = await json(key.fetch(`/v1/tools?limit=2${cursor && `&cursor=${cursor}`}`));
    items.push(...page.items);
    cursor = page.nextCursor ?? '';
  } while (cursor !== '');
  return items;
}

const path = (toolName: string) => `/v1/tools/${encodeURIComponent(id)}/${toolName}`;
const switchTool = (toolName: string, enabled: boolean, key = hub.operator) =>
  key.fetch(path(toolName), { method: 'PATCH', json: { enabled } });

describe('the list of all tools', () => {
  test('has the tools of servers and of the hub, each once, in pages, and says which are switched off', async () => {
    const tools = await listed();
    const names = tools.map(({ serverId, toolName }) => `${serverId} ${toolName}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(names.toSorted());
    expect(tools).toContainEqual(expect.objectContaining({ serverId: id, toolName: 'pid', enabled: true }));
    expect(tools).toContainEqual(expect.objectContaining({ toolName: 'die', source: 'upstream', enabled: false }));
    expect(tools).toContainEqual(expect.objectContaining({ serverId: 'hestia', source: 'hub', enabled: true }));
  });

  test('has active skills of the namespace of the caller only', async () => {
    await publishSkill(hub.operator, 'listed-skill');
    await hub.operator.fetch('/v1/skills/listed-skill/activate', { method: 'POST', json: {} });
    const skills = (tools: Listed[]) => tools.filter(({ source }) => source === 'skill');
    expect(skills(await listed())).toHaveLength(1);
    expect(skills(await listed(await hub.key('far-away', 'agent', 'elsewhere')))).toHaveLength(0);
  });
});

describe('a tool that is switched off', () => {
  test('does not exist for search, inspection and calls, the server stays connected, and the change is recorded', async () => {
    const call = () => hub.operator.fetch(`${path('pid')}/call`, { json: { arguments: {} } });
    const before = (await json(call())).result;
    expect((await switchTool('pid', false)).status).toBe(204);
    const file = JSON.parse(await readFile(join(hub.folder, 'hestia.config.json'), 'utf8'));
    expect(file.mcpServers[id].disabledTools).toEqual(['die', 'pid']);

    const { results } = await json(agent.fetch('/v1/tools/search', { json: { query: 'pid', serverId: id } }));
    expect(results.map((tool: Listed) => tool.toolName)).not.toContain('pid');
    expect((await agent.fetch(path('pid'))).status).toBe(404);
    expect((await call()).status).toBe(404);
    await using client = await connectClient('2.x, 2026-07-28', hub, agent);
    const called = await client.call('call_mcp_tool', { server_id: id, tool_name: 'pid', arguments: {} });
    expect(called.isError).toBe(true);

    expect((await switchTool('pid', true)).status).toBe(204);
    expect((await json(call())).result).toEqual(before);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SERVER_CHANGED'));
    expect(items).toMatchObject([
      { target: 'tool:@a%2Fone/pid', fields: { tool_name: 'pid', enabled: false, change: 'changed', source: 'api' } },
      { target: 'tool:@a%2Fone/pid', fields: { tool_name: 'pid', enabled: true, change: 'changed', source: 'api' } },
    ]);
  });

  test('may be switched off again without a change, must be known, and is for operators only', async () => {
    const before = await readFile(join(hub.folder, 'hestia.config.json'), 'utf8');
    expect((await switchTool('die', false)).status).toBe(204);
    expect((await switchTool('nothing', false)).status).toBe(404);
    expect((await switchTool('pid', false, agent)).status).toBe(403);
    expect((await hub.operator.fetch(path('pid'), { method: 'PATCH', json: {} })).status).toBe(400);
    expect(await readFile(join(hub.folder, 'hestia.config.json'), 'utf8')).toBe(before);
  });
});

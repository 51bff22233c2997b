/** `/mcp/all`, and prompts and resources of servers at `/mcp`, with real servers behind them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { qualifiedName, qualifiedNameLengthMax, resourceOf } from '../../../src/mcp/server-endpoint/qualified-name.ts';
import { connectEndpoint, eras } from '../../support/hub/endpoint-client.ts';
import { publishSkill } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

const longId = 'io.github.someone/a-server-with-a-long-name-for-a-model';

let hub: ListeningHub;
beforeAll(async () => {
  const mcpServers = { everything: realServer('everything'), [longId]: realServer('memory') };
  hub = await startListeningHub({ file: { mcpServers } });
  await untilConnected(hub, 'everything', longId);
}, 120_000);
afterAll(() => hub[Symbol.asyncDispose]());

describe.each(eras)('a %s client at /mcp/all', (era) => {
  test('lists the tools of all servers under names that every model accepts, and calls them', async () => {
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/all', { era });
    const { client } = connected;
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain('everything__get-sum');
    const readGraph = qualifiedName(longId, 'read_graph');
    expect(names).toContain(readGraph);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    const sum = await client.callTool({ name: 'everything__get-sum', arguments: { a: 2, b: 3 } });
    expect(JSON.stringify(sum.content)).toContain('5');
    expect((await client.callTool({ name: readGraph })).isError ?? false).toBe(false);
    await expect(client.callTool({ name: 'get-sum' })).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
  });

  test('gets prompts and resources of each server, and reads the links in results', async () => {
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/all', { era });
    const { client } = connected;
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toContain('everything__args-prompt');
    const prompt = await client.getPrompt({ name: 'everything__args-prompt', arguments: { city: 'Paris' } });
    expect(JSON.stringify(prompt.messages)).toContain('Paris');
    const { content } = await client.callTool({ name: 'everything__get-resource-links', arguments: { count: 1 } });
    const [uri = ''] = content.flatMap((block) => (block.type === 'resource_link' ? [block.uri] : []));
    expect(uri).toMatch(/^hestia:\/\/everything\/demo:/);
    expect((await client.readResource({ uri })).contents[0]).toMatchObject({ uri });
    const ref = { type: 'ref/prompt', name: 'everything__completable-prompt' } as const;
    const { completion } = await client.complete({ ref, argument: { name: 'department', value: 'E' } });
    expect(completion.values).toContain('Engineering');
  });

  test('sees only what its key may use', async () => {
    const key = await hub.key(`narrow-${era}`, 'agent', 'default', {
      tools: ['everything/echo', 'everything/simple-*'],
    });
    await using connected = await connectEndpoint(hub, key, '/mcp/all', { era });
    const { client } = connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['everything__echo']);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['everything__simple-prompt']);
    await expect(
      client.readResource({ uri: 'hestia://everything/demo://resource/dynamic/text/1' }),
    ).rejects.toMatchObject({
      data: { code: 'NOT_FOUND' },
    });
  });
});

describe.each(eras)('a %s client at /mcp', (era) => {
  test('gets prompts and resources of servers, beside the skills', async () => {
    await publishSkill(hub.operator, `release-${era}`);
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp', { era });
    const { client } = connected;
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toContain('everything__simple-prompt');
    const uris = (await client.listResources()).resources.map(({ uri }) => uri);
    expect(uris).toContain(`skill://release-${era}/SKILL.md`);
    const uri = uris.find((candidate) => candidate.startsWith('hestia://everything/')) ?? '';
    expect((await client.readResource({ uri })).contents).toHaveLength(1);
    expect((await client.readResource({ uri: `skill://release-${era}/SKILL.md` })).contents).toHaveLength(1);
    const call = { server_id: 'everything', tool_name: 'get-resource-links', arguments: { count: 1 } };
    const { content } = await client.callTool({ name: 'call_mcp_tool', arguments: call });
    const [link = ''] = content.flatMap((block) => (block.type === 'resource_link' ? [block.uri] : []));
    expect((await client.readResource({ uri: link })).contents[0]).toMatchObject({ uri: link });
    const templates = (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate);
    expect(templates.every((template) => template.startsWith('hestia://everything/'))).toBe(true);
  });
});

describe('a name of several servers', () => {
  test.each([
    ['github', 'create_issue', 'github__create_issue'],
    ['a', '_b', 'a___b'],
  ])('of %s and %s is %s', (serverId, name, expected) => {
    expect(qualifiedName(serverId, name)).toBe(expected);
  });

  test.each([
    ['io.github.user/server', 'read'],
    ['a__b', 'c'],
    ['a_', 'b'],
    ['x'.repeat(70), 'y'],
    ['a', 'b'.repeat(80)],
  ])('of %s and %s is valid, stable and no other', (serverId, name) => {
    const qualified = qualifiedName(serverId, name);
    expect(qualified).toMatch(/^[a-zA-Z0-9_-]+_[0-9a-f]{8}$/);
    expect(qualified.length).toBeLessThanOrEqual(qualifiedNameLengthMax);
    expect(qualifiedName(serverId, name)).toBe(qualified);
    expect(qualifiedName(`${serverId}2`, name)).not.toBe(qualified);
  });

  test('in a URI is read back, and a URI without one is not', () => {
    expect(resourceOf('hestia://%40scope%2Fx/file:///a/b')).toEqual({ serverId: '@scope/x', uri: 'file:///a/b' });
    for (const uri of ['hestia://x', 'skill://x/y', 'hestia://%/y']) expect(resourceOf(uri)).toBeUndefined();
  });
});

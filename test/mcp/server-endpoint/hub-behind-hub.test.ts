/** A hub as the upstream server of another one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint } from '../../support/hub/endpoint-client.ts';
import { json } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

let inner: ListeningHub;
let outer: ListeningHub;
beforeAll(async () => {
  inner = await startListeningHub({ file: { mcpServers: { everything: realServer('everything') } } });
  await untilConnected(inner, 'everything');
  const headers = { Authorization: `Bearer ${inner.operator.secret}` };
  const at = (path: string) => ({ url: `${inner.url}${path}`, headers });
  const mcpServers = { team: at('/mcp/all'), one: at('/mcp/everything'), search: at('/mcp') };
  outer = await startListeningHub({ file: { mcpServers } });
  await untilConnected(outer, 'team', 'one', 'search');
}, 120_000);
afterAll(async () => {
  await outer[Symbol.asyncDispose]();
  await inner[Symbol.asyncDispose]();
});

const toolsOf = async (serverId: string): Promise<string[]> => {
  const { items } = await json(outer.operator.fetch('/v1/tools?limit=100'));
  const own = items.filter((tool: { serverId: string }) => tool.serverId === serverId);
  return own.map(({ toolName }: { toolName: string }) => toolName);
};

describe('a hub that is the server of another hub', () => {
  test('offers all its tools there by /mcp/all, and those of one server by /mcp/{server}', async () => {
    expect(await toolsOf('team')).toEqual(expect.arrayContaining(['everything__echo', 'everything__get-sum']));
    expect(await toolsOf('one')).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    await using connected = await connectEndpoint(outer, outer.operator, '/mcp/team', { era: 'modern' });
    const { client } = connected;
    const sum = await client.callTool({ name: 'everything__get-sum', arguments: { a: 2, b: 3 } });
    expect(JSON.stringify(sum.content)).toContain('5');
    const failed = await client.callTool({ name: 'everything__get-sum', arguments: { a: [] } });
    expect(failed.isError).toBe(true);
    expect(JSON.stringify(failed.content)).toContain('arguments.b');
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toContain('everything__simple-prompt');
  });

  test('does not offer the search tools of its /mcp there, and the finding names the way that needs no approval', async () => {
    expect(await toolsOf('search')).toEqual([]);
    const { items } = await json(outer.operator.fetch('/v1/quarantine?limit=100'));
    const refused = items.filter((entry: { serverId?: string }) => entry.serverId === 'search');
    expect(refused).toContainEqual(
      expect.objectContaining({
        name: 'search_tools',
        state: 'blocked',
        findings: [expect.objectContaining({ ruleId: 'TSH-04', why: expect.stringContaining('/mcp/all') })],
      }),
    );
  });
});

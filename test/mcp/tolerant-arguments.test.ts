/** Arguments of the hub's tools as models and clients write them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  clientKinds,
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { schemas: supportServer('schema-server.ts') } } });
  await untilConnected(hub, 'schemas');
});
afterAll(() => hub[Symbol.asyncDispose]());

const tool = { server_id: 'schemas', tool_name: 'unknown_type' };
const headers = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
};

/** Sends `tools/call` as it is, on the fast path or, with a progress token, through the SDK. */
async function post(params: object) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const text = await (await hub.operator.fetch('/mcp', { method: 'POST', body, headers })).text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
}

describe('the arguments of call_mcp_tool', () => {
  test.each<[string, unknown, string]>([
    ['an object', { x: 1 }, '{"x":1}'],
    ['JSON text of an object', '{"x":1}', '{"x":1}'],
    ['JSON text with blanks around it', ' {"x": 1}\n', '{"x":1}'],
    ['null', null, '{}'],
    ['JSON text of null', 'null', '{}'],
    ['empty text', '', '{}'],
    ['absent', undefined, '{}'],
  ])('may be %s', async (_what, args, received) => {
    for (const kind of clientKinds) {
      await using client = await connectClient(kind, hub, hub.operator);
      const { content, isError } = await client.call('call_mcp_tool', { ...tool, arguments: args });
      expect([isError ?? false, content[0].text]).toEqual([false, `accepted ${received}`]);
      expect(content).toHaveLength(1);
    }
  });

  test.each([
    ['a list', [1]],
    ['a number', 5],
    ['text that is not JSON', 'x=1'],
    ['JSON text of a list', '[1]'],
  ])('may not be %s', async (_what, args) => {
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    const result = await client.call('call_mcp_tool', { ...tool, arguments: args });
    expect(result).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'INVALID_ARGUMENTS' } } });
    expect(result.content[0].text).toContain('arguments.arguments');
  });

  test.each<[string, object, string]>([
    ['instead of them', { x: 1 }, '{}'],
    ['beside them', { arguments: { x: 1 }, agent_id: 'other', y: 2 }, '{"x":1}'],
    ['called like inherited ones', { arguments: { x: 1 }, constructor: 1 }, '{"x":1}'],
  ])('that stand %s are ignored with a hint', async (_what, args, received) => {
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    const { content } = await client.call('call_mcp_tool', { ...tool, ...args });
    expect(content[0].text).toBe(`accepted ${received}`);
    const ignored = Object.keys(args).filter((name) => name !== 'arguments');
    expect(content[1].text).toBe(
      `Hint of the hub: it ignored ${ignored.map((name) => `"${name}"`).join(', ')}. Arguments for the tool belong in "arguments".`,
    );
  });

  test('that are misplaced get the hint also if the call fails for want of them', async () => {
    const { result } = await post({
      name: 'call_mcp_tool',
      arguments: { server_id: 'schemas', tool_name: 'picky', url: 'a:b' },
    });
    expect(result.isError).toBe(true);
    expect(result.content.map(({ text }: { text: string }) => text)).toEqual([
      expect.stringContaining('arguments.url: is required'),
      expect.stringContaining('it ignored "url"'),
    ]);
  });
});

describe('values of the other tools', () => {
  test.each<[string, string, object]>([
    ['a number as text', 'search_tools', { query: 'pid', limit: '3' }],
    ['a number as text with blanks', 'list_skills', { limit: ' 3 ' }],
    ['a boolean as text', 'search_tools', { query: 'pid', explain: 'true', defer_loading: 'false' }],
    ['null for what is optional', 'search_tools', { query: 'pid', limit: null, source: null, server_id: null }],
  ])('may be %s', async (_what, name, args) => {
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    expect((await client.call(name, { ...args })).isError ?? false).toBe(false);
  });

  test.each<[string, string, object]>([
    ['text that is no number', 'search_tools', { query: 'pid', limit: 'three' }],
    ['a number out of range', 'search_tools', { query: 'pid', limit: '51' }],
    ['null for what is required', 'search_tools', { query: null }],
    ['text that is no boolean', 'search_tools', { query: 'pid', explain: 'perhaps' }],
  ])('may not be %s', async (_what, name, args) => {
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    expect(await client.call(name, { ...args })).toMatchObject({ isError: true });
  });
});

describe('a map that is nil in Go', () => {
  test.each([{}, { _meta: { progressToken: 1 } }, { _meta: null }])('is absent in a request with %j', async (more) => {
    const { result } = await post({ name: 'list_mcp_servers', arguments: null, ...more });
    expect(result.structuredContent.servers).toHaveLength(1);
  });
});

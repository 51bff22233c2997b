/** Definitions of servers that clients would refuse, at `/mcp/all`: they hide no other, and are called. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint, eras } from '../../support/hub/endpoint-client.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const object = { type: 'object' };
const tools = Object.entries({
  annotations: { annotations: { title: 5, readOnlyHint: 'true', idempotentHint: true } },
  absent_annotations: { annotations: { title: null, readOnlyHint: null } },
  icons: { icons: [{ src: 5 }, null, 'x', { src: 'data:image/png;base64,aGk=' }] },
  execution: { execution: { taskSupport: 'maybe' } },
  no_properties: { inputSchema: { type: 'object', properties: null, required: null } },
  list_of_properties: { inputSchema: { type: 'object', properties: [] } },
  other_properties: { inputSchema: { type: 'object', properties: { x: 'string', y: null, z: true, city: object } } },
  required_text: { inputSchema: { type: 'object', required: 'x' } },
  required_numbers: { inputSchema: { type: 'object', properties: { x: {} }, required: [1, null, 'x'] } },
  other_type: { inputSchema: { type: ['object', 'null'] } },
}).map(([name, more]) => ({ name, description: 'Does nothing.', inputSchema: object, ...more }));

const loose = supportServer(
  'loose-server.ts',
  JSON.stringify({
    introduction: { capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} } },
    pages: [{ tools }],
    results: {
      'prompts/list': {
        prompts: [
          {
            name: 'greet',
            title: null,
            description: null,
            arguments: [{ name: 'who', description: null }],
            icons: [5],
          },
          { name: 'plain', arguments: null },
        ],
      },
      'prompts/get': {
        description: null,
        messages: [{ role: 'user', content: { type: 'text', text: 'Hello', annotations: null, _meta: null } }],
      },
      'resources/list': {
        resources: [
          { uri: 'note://a', name: 'a', mimeType: null, size: 'large', annotations: { audience: null } },
          { uri: 'note://b', name: 'b', description: 7 },
        ],
      },
      'resources/read': { contents: [{ uri: 'note://a', mimeType: null, text: 'hearth', _meta: null }] },
      'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'c', mimeType: null }] },
    },
  }),
);

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { loose, other: supportServer('loose-server.ts', '{}') } } });
  await untilConnected(hub, 'loose', 'other');
}, 60_000);
afterAll(() => hub[Symbol.asyncDispose]());

describe.each(eras)('a %s client, where a server has definitions that it would refuse', (era) => {
  test('lists and calls all tools', async () => {
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/all', { era });
    const { client } = connected;
    const listed = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));
    expect([...listed.keys()]).toEqual([...tools.map(({ name }) => `loose__${name}`), 'other__plain'].toSorted());
    expect(listed.get('loose__annotations')?.annotations).toEqual({ idempotentHint: true });
    expect(listed.get('loose__icons')?.icons).toEqual([{ src: 'data:image/png;base64,aGk=' }]);
    expect(listed.get('loose__other_properties')?.inputSchema.properties).toEqual({
      x: {},
      y: {},
      z: {},
      city: object,
    });
    expect(listed.get('loose__required_numbers')?.inputSchema.required).toEqual(['x']);
    for (const name of listed.keys()) {
      const { content } = await client.callTool({
        name,
        arguments: name === 'loose__required_numbers' ? { x: 1 } : {},
      });
      expect(content).toEqual([{ type: 'text', text: 'done' }]);
    }
  });

  test('lists and reads prompts and resources', async () => {
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/loose', { era });
    const { client } = connected;
    const { prompts } = await client.listPrompts();
    expect(prompts).toEqual([{ name: 'greet', arguments: [{ name: 'who' }], icons: [] }, { name: 'plain' }]);
    const { messages } = await client.getPrompt({ name: 'greet' });
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Hello' } }]);
    const { resources } = await client.listResources();
    expect(resources).toEqual([
      { uri: 'note://a', name: 'a', annotations: {} },
      { uri: 'note://b', name: 'b' },
    ]);
    const { contents } = await client.readResource({ uri: 'note://a' });
    expect(contents).toEqual([{ uri: 'note://a', text: 'hearth' }]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates).toEqual([{ uriTemplate: 'note://{id}', name: 'c' }]);
  });
});

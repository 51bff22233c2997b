/** `/mcp/{server}` with the real everything server behind it, for clients of both protocol eras. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint, eras } from '../../support/hub/endpoint-client.ts';
import { json } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  const mcpServers = { everything: realServer('everything'), '@scope/mem.ory': realServer('memory') };
  hub = await startListeningHub({ file: { mcpServers } });
  await untilConnected(hub, 'everything', '@scope/mem.ory');
}, 120_000);
afterAll(() => hub[Symbol.asyncDispose]());

describe.each(eras)('a %s client at the endpoint of a server', (era) => {
  const connect = () => connectEndpoint(hub, hub.operator, '/mcp/everything', { era });

  test('sees the name, the instructions and the capabilities of the server', async () => {
    await using connected = await connect();
    const { client } = connected;
    expect(client.getServerVersion()).toMatchObject({ name: 'mcp-servers/everything' });
    expect(client.getInstructions()).toContain('Everything');
    expect(client.getServerCapabilities()).toMatchObject({ tools: {}, prompts: {}, resources: {}, completions: {} });
  });

  test('lists and calls its tools under their own names', async () => {
    await using connected = await connect();
    const { client } = connected;
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('get-sum');
    expect(tools.find(({ name }) => name === 'get-structured-content')?.outputSchema).toBeDefined();
    const result = await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } });
    expect(JSON.stringify(result.content)).toContain('5');
    const failed = await client.callTool({ name: 'get-sum', arguments: { a: 'x' } });
    expect(failed.isError).toBe(true);
    await expect(client.callTool({ name: 'no-such-tool' })).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
  });

  test('gets prompts, completes their arguments and reads resources, listed ones and those of templates', async () => {
    await using connected = await connect();
    const { client } = connected;
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(expect.arrayContaining(['simple-prompt', 'args-prompt']));
    const prompt = await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Paris' } });
    expect(JSON.stringify(prompt.messages)).toContain('Paris');
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    const { completion } = await client.complete({ ref, argument: { name: 'department', value: 'E' } });
    expect(completion.values).toContain('Engineering');
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.length).toBeGreaterThan(0);
    const listed = await client.readResource({ uri: resources[0]?.uri ?? '' });
    expect(listed.contents).toHaveLength(1);
    const dynamic = await client.readResource({ uri: 'demo://resource/dynamic/text/1' });
    expect(dynamic.contents[0]).toMatchObject({ uri: 'demo://resource/dynamic/text/1', mimeType: 'text/plain' });
  });

  test('reads the links in the results of tools', async () => {
    await using connected = await connect();
    const { client } = connected;
    const { content } = await client.callTool({ name: 'get-resource-links', arguments: { count: 2 } });
    const uris = content.flatMap((block) => (block.type === 'resource_link' ? [block.uri] : []));
    expect(uris).toHaveLength(2);
    for (const uri of uris) expect((await client.readResource({ uri })).contents).toHaveLength(1);
  });

  test('gets the progress of a call', async () => {
    await using connected = await connect();
    const progress: unknown[] = [];
    const call = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } };
    await connected.client.callTool(call, { onprogress: (step) => progress.push(step) });
    expect(progress).toHaveLength(3);
  });

  test('gets the error of the server for a prompt and a resource that it does not have', async () => {
    await using connected = await connect();
    const { client } = connected;
    await expect(client.getPrompt({ name: 'no-such-prompt' })).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
    await expect(client.readResource({ uri: 'demo://nothing' })).rejects.toThrow(/nothing/);
  });

  test('finds a server whose id has other characters, written plainly or with percent-encoding', async () => {
    for (const path of ['/mcp/@scope/mem.ory', `/mcp/${encodeURIComponent('@scope/mem.ory')}`]) {
      await using connected = await connectEndpoint(hub, hub.operator, path, { era });
      expect((await connected.client.listTools()).tools.map(({ name }) => name)).toContain('read_graph');
      const unknown = era === 'modern' ? { status: 404 } : { code: -32601 };
      await expect(connected.client.request({ method: 'prompts/list' })).rejects.toMatchObject(unknown);
    }
  });
});

describe('each request at the endpoint of a server', () => {
  test('is recorded with its agent, its server and its target', async () => {
    await using connected = await connectEndpoint(hub, await hub.key('reader'), '/mcp/everything');
    const { client } = connected;
    await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    await client.getPrompt({ name: 'simple-prompt' });
    await client.readResource({ uri: 'demo://resource/dynamic/text/7' });
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    await client.complete({ ref, argument: { name: 'department', value: '' } });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?agentId=reader&limit=200'));
    const records = items.map(({ event, fields }: { event: string; fields: Record<string, unknown> }) => [
      event,
      fields,
    ]);
    expect(records).toEqual([
      ['TOOL_OUTCOME', expect.objectContaining({ tool_name: 'echo', server_id: 'everything', outcome: 'success' })],
      ['PROMPT_READ', expect.objectContaining({ prompt_name: 'simple-prompt', server_id: 'everything' })],
      ['RESOURCE_READ', expect.objectContaining({ resource_uri: 'demo://resource/dynamic/text/7' })],
      ['COMPLETION_READ', expect.objectContaining({ prompt_name: 'completable-prompt' })],
    ]);
  });
});

describe('a key that is limited to a server', () => {
  test('gets the same answer for another server as for one that does not exist', async () => {
    const key = await hub.key('limited', 'agent', 'default', { servers: ['everything'] });
    const post = async (path: string) => {
      const message = { jsonrpc: '2.0', id: 7, method: 'tools/list' };
      const headers = { accept: 'application/json, text/event-stream' };
      const response = await key.fetch(path, { method: 'POST', json: message, headers });
      const text = await response.text();
      return [response.status, JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)];
    };
    const refused = [404, { jsonrpc: '2.0', id: 7, error: expect.objectContaining({ data: { code: 'NOT_FOUND' } }) }];
    expect(await post('/mcp/@scope/mem.ory')).toEqual(refused);
    expect(await post('/mcp/unknown')).toEqual(refused);
    expect((await post('/mcp/everything'))[0]).toBe(200);
  });

  test('does not find the prompts and resources outside of its tools', async () => {
    const key = await hub.key('narrow', 'agent', 'default', { tools: ['everything/echo', 'everything/simple-*'] });
    await using connected = await connectEndpoint(hub, key, '/mcp/everything');
    const { client } = connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['simple-prompt']);
    expect((await client.listResources()).resources).toEqual([]);
    for (const request of [
      () => client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } }),
      () => client.getPrompt({ name: 'args-prompt', arguments: { city: 'x' } }),
      () => client.readResource({ uri: 'demo://resource/dynamic/text/1' }),
    ]) {
      await expect(request()).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
    }
  });

  test('of an auditor lists, and may not call, get, read, complete or subscribe', async () => {
    const auditor = await hub.key('auditor', 'auditor');
    await using connected = await connectEndpoint(hub, auditor, '/mcp/everything', { era: 'legacy' });
    const { client } = connected;
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
    expect((await client.listResourceTemplates()).resourceTemplates.length).toBeGreaterThan(0);
    const called = await client.callTool({ name: 'echo', arguments: { message: 'x' } });
    expect(called).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'FORBIDDEN' } } });
    const uri = 'demo://resource/dynamic/text/1';
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    for (const request of [
      () => client.getPrompt({ name: 'simple-prompt' }),
      () => client.readResource({ uri }),
      () => client.complete({ ref, argument: { name: 'department', value: '' } }),
      () => client.subscribeResource({ uri }),
    ]) {
      await expect(request()).rejects.toMatchObject({ data: { code: 'FORBIDDEN' } });
    }
  });
});

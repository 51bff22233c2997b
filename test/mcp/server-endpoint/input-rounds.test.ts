/** Clients of 2026-07-28, and of 2025 at `/mcp/all`, asked for input by servers that know the protocols of 2025 only. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Client, ClientOptions } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint, type EndpointClient, type Era } from '../../support/hub/endpoint-client.ts';
import { json, type TestKey } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

const askingServer = fileURLToPath(new URL('../../support/servers/asking-server.ts', import.meta.url));

let hub: ListeningHub;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-roots-'));
  const asking = { command: process.execPath, args: [askingServer] };
  const files = realServer('filesystem', [tmpdir()]);
  const mcpServers = { everything: realServer('everything'), files, asking };
  hub = await startListeningHub({ file: { mcpServers, limits: { clientSessionsPerServerMax: 4 } } });
  await untilConnected(hub, 'everything', 'files', 'asking');
}, 120_000);
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface AskedOptions {
  era?: Era;
  path?: string;
  key?: TestKey;
  options?: ClientOptions;
}

/** A client that answers with its name. */
function askedClient(
  name: string,
  { path = '/mcp/asking', key = hub.operator, era = 'modern', options = {} }: AskedOptions = {},
): Promise<EndpointClient> {
  const prepare = (client: Client) => {
    client.setRequestHandler('sampling/createMessage', ({ params }) => ({
      role: 'assistant',
      model: name,
      content: { type: 'text', text: `${name} answers ${JSON.stringify(params.messages)}` },
    }));
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: { name: `${name}: ${params.message}` },
    }));
  };
  const capabilities = { sampling: {}, elicitation: {} };
  return connectEndpoint(hub, key, path, { era, options: { capabilities, ...options }, prepare });
}

const call = async ({ client }: EndpointClient, name: string, args: Record<string, unknown> = {}) =>
  JSON.stringify((await client.callTool({ name, arguments: args })).content);

describe('a client of 2026-07-28 at the endpoint of a server of 2025', () => {
  test('sees the tools that need its capabilities, answers what the server asks, and each is recorded', async () => {
    const path = '/mcp/everything';
    await using plain = await connectEndpoint(hub, hub.operator, path);
    const names = async ({ client }: EndpointClient) => (await client.listTools()).tools.map(({ name }) => name);
    expect(await names(plain)).not.toContain('trigger-sampling-request');
    await using asked = await askedClient('asked', { path, key: await hub.key('asked') });
    expect(await names(asked)).toEqual(expect.arrayContaining(['trigger-sampling-request', 'get-sum']));
    expect(await call(asked, 'trigger-sampling-request', { prompt: 'hello' })).toMatch(/asked answers .*hello/);
    expect(await call(asked, 'trigger-elicitation-request')).toContain('asked: ');
    expect(await call(asked, 'get-sum', { a: 2, b: 3 })).toContain('5');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?agentId=asked&limit=200'));
    const records = items.map(({ event, fields }: { event: string; fields: Record<string, unknown> }) => [
      event,
      fields.mcp_method ?? fields.tool_name,
      fields.outcome,
    ]);
    expect(records).toEqual([
      ['CLIENT_INPUT_REQUESTED', 'sampling/createMessage', undefined],
      ['TOOL_OUTCOME', 'trigger-sampling-request', 'success'],
      ['CLIENT_INPUT_REQUESTED', 'elicitation/create', undefined],
      ['TOOL_OUTCOME', 'trigger-elicitation-request', 'success'],
      ['TOOL_OUTCOME', 'get-sum', 'success'],
    ]);
  });

  test('gets what belongs to its own calls, while another client of the same key is asked too', async () => {
    const key = await hub.key('shared');
    await using one = await askedClient('one', { key });
    await using other = await askedClient('other', { key });
    for (let round = 0; round < 2; round += 1) {
      const answers = await Promise.all([call(one, 'ask'), call(other, 'ask')]);
      expect(answers).toEqual([expect.stringContaining('one: first'), expect.stringContaining('other: first')]);
    }
  });

  test.each([
    ['/mcp/asking', 'modern'],
    ['/mcp/all', 'modern'],
    ['/mcp/all', 'legacy'],
  ] as const)('is asked repeatedly, for tools, prompts and resources, at %s (%s)', async (path, era) => {
    const isAll = path === '/mcp/all';
    const named = (name: string) => (isAll ? `asking__${name}` : name);
    await using asked = await askedClient('asked', { path, era });
    const { client } = asked;
    await client.listTools();
    expect(JSON.parse(await call(asked, named('ask_twice')))[0].text).toBe('["asked: first","asked: second"]');
    expect(JSON.parse(await call(asked, named('ask_both')))[0].text).toBe('["asked: first","asked: second"]');
    const prompt = await client.getPrompt({ name: named('question') });
    expect(JSON.stringify(prompt.messages)).toContain('asked asked: prompt');
    const uri = isAll ? 'hestia://asking/asking://question' : 'asking://question';
    const { contents } = await client.readResource({ uri });
    expect(contents).toMatchObject([{ uri, text: 'asked asked: resource' }]);
  });

  test('gives its roots to a server, which does not keep them for the next client of the same key', async () => {
    const rooted = (root: string) =>
      connectEndpoint(hub, hub.operator, '/mcp/files', {
        options: { capabilities: { roots: {} } },
        prepare: (client) =>
          client.setRequestHandler('roots/list', () => ({ roots: [{ uri: pathToFileURL(root).href, name: 'root' }] })),
      });
    await using one = await rooted(folder);
    await using other = await rooted(join(folder, '..'));
    expect(await call(one, 'list_allowed_directories')).toContain(folder);
    expect(await call(other, 'list_allowed_directories')).not.toContain(folder);
  });

  test('gets the log messages of the server, if it asks for them', async () => {
    const logs: unknown[] = [];
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/asking', {
      prepare: (client) =>
        client.setNotificationHandler('notifications/message', ({ params }) => void logs.push(params)),
    });
    const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' as const };
    await connected.client.callTool({ name: 'log', _meta });
    expect(logs).toMatchObject([{ level: 'info', data: 'logged' }]);
    await connected.client.callTool({ name: 'log' });
    expect(logs).toHaveLength(1);
  });

  test('ends what an idle session holds when a place is needed, and is refused when all are in use', async () => {
    for (const name of ['idle-1', 'idle-2']) {
      await using idle = await askedClient(name, { key: await hub.key(name) });
      expect(await call(idle, 'ask')).toContain(`${name}: first`);
    }
    await using busy = await manualClient(await hub.key('busy'));
    const begun = [await begin(busy), await begin(busy)];
    expect(begun).toMatchObject([{ resultType: 'input_required' }, { resultType: 'input_required' }]);
    const answers = await Promise.all([begin(busy), begin(busy)]);
    expect(answers).toContainEqual(expect.objectContaining({ isError: true }));
    expect(JSON.stringify(answers)).toContain('clientSessionsPerServerMax');
  });
});

/** A client that sees results which require input, and answers them itself. */
function manualClient(key: TestKey): Promise<EndpointClient> {
  return askedClient('manual', { key, options: { inputRequired: { autoFulfill: false } } });
}

const begin = ({ client }: EndpointClient, params: object = {}) =>
  client.callTool({ name: 'ask', ...params }, { allowInputRequired: true }).then((result): object => result);

const accepted = (name: string) => ({ input_1: { action: 'accept', content: { name } } });

describe('a call that waits for its client', () => {
  test('is asked for again what it does not answer, and refuses an answer that is none', async () => {
    await using manual = await manualClient(await hub.key('again'));
    const first = await begin(manual);
    const { requestState } = Object.assign({ requestState: '' }, first);
    expect(await begin(manual, { requestState, inputResponses: { other: {} } })).toEqual(first);
    await expect(begin(manual, { requestState, inputResponses: { input_1: 'yes' } })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('inputResponses'),
    });
    const done = await begin(manual, { requestState, inputResponses: accepted('Ada') });
    expect(JSON.stringify(done)).toContain('Ada');
    await expect(begin(manual, { requestState, inputResponses: accepted('Ada') })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('requestState'),
    });
  });

  test('belongs to its key and to its tool', async () => {
    const key = await hub.key('owner');
    await using manual = await manualClient(key);
    const { requestState } = Object.assign({ requestState: '' }, await begin(manual));
    const retry = { requestState, inputResponses: accepted('Eve') };
    await using stranger = await manualClient(await hub.key('stranger'));
    await expect(begin(stranger, retry)).rejects.toMatchObject({ code: -32602 });
    await expect(begin(manual, { ...retry, name: 'ask_twice' })).rejects.toMatchObject({ code: -32602 });
    expect(JSON.stringify(await begin(manual, retry))).toContain('Eve');
  });

  test('that the server has ended meanwhile gives its result to the client that comes back', async () => {
    await using manual = await manualClient(await hub.key('late'));
    const { requestState } = Object.assign({ requestState: '' }, await begin(manual, { name: 'answer_late' }));
    const outcomes = async () =>
      (await json(hub.operator.fetch('/v1/audit/events?agentId=late&event=TOOL_OUTCOME'))).items.length;
    await expect.poll(outcomes, { timeout: 30_000 }).toBe(1);
    const done = await begin(manual, { name: 'answer_late', requestState, inputResponses: accepted('late') });
    expect(JSON.stringify(done)).toContain('nobody');
  });

  test('is abandoned when its key is revoked', async () => {
    const key = await hub.key('leaving');
    await using manual = await manualClient(key);
    expect(await begin(manual)).toMatchObject({ resultType: 'input_required' });
    await hub.operator.fetch(`/v1/keys/${key.keyId}`, { method: 'DELETE' });
    const outcome = async () =>
      (await json(hub.operator.fetch('/v1/audit/events?agentId=leaving&event=TOOL_OUTCOME'))).items[0]?.fields.outcome;
    await expect.poll(outcome, { timeout: 30_000 }).toBe('abandoned');
  });
});

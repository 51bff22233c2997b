/** Changes of lists at `/mcp`, `/mcp/{server}` and `/mcp/all`, prompts that are held, and sessions that are idle. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint, type Era, eras } from '../../support/hub/endpoint-client.ts';
import { json, publishSkill, type TestKey } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

const askingServer = fileURLToPath(new URL('../../support/servers/asking-server.ts', import.meta.url));
const asking = { command: process.execPath, args: [askingServer] };
const wait = { timeout: 30_000 };

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { asking, memory: realServer('memory') } } });
  await untilConnected(hub, 'asking', 'memory');
}, 120_000);
afterAll(() => hub[Symbol.asyncDispose]());

/** A client that counts the changes of its lists. */
async function watchingClient(path: string, era: Era, key: TestKey = hub.operator) {
  const counts = { prompts: 0, resources: 0 };
  const counting = (kind: keyof typeof counts) => ({
    autoRefresh: false,
    debounceMs: 0,
    onChanged: () => {
      counts[kind] += 1;
    },
  });
  const listChanged = { prompts: counting('prompts'), resources: counting('resources') };
  const connected = await connectEndpoint(hub, key, path, { era, options: { listChanged } });
  return { ...connected, counts };
}

const grow = () => hub.operator.fetch('/v1/tools/asking/grow/call', { json: { arguments: {} } });
const promptsOf = async (client: Client) => (await client.listPrompts()).prompts.map(({ name }) => name);

describe.each(eras)('a %s client', (era) => {
  test.each(['/mcp', '/mcp/all', '/mcp/asking'])(
    'is told at %s of new prompts and resources, and lists them',
    async (path) => {
      await using watching = await watchingClient(path, era);
      const { client, counts } = watching;
      const before = await promptsOf(client);
      // A stream that has just been opened may miss a change.
      await expect
        .poll(async () => {
          if (counts.prompts === 0 || counts.resources === 0) await grow();
          return Math.min(counts.prompts, counts.resources);
        }, wait)
        .toBeGreaterThan(0);
      await expect.poll(async () => (await promptsOf(client)).length, wait).toBeGreaterThan(before.length);
    },
  );

  test('is told at /mcp of skills, which are resources, and not of servers that its key may not use', async () => {
    const key = await hub.key(`narrow-${era}`, 'agent', 'default', { servers: ['memory'] });
    await using watching = await watchingClient('/mcp', era, key);
    await using wide = await watchingClient('/mcp', era);
    await expect
      .poll(async () => {
        if (wide.counts.prompts === 0) await grow();
        return wide.counts.prompts;
      }, wait)
      .toBeGreaterThan(0);
    let version = 0;
    await expect
      .poll(async () => {
        version += 1;
        if (watching.counts.resources === 0) {
          const name = `told-${era}`;
          const text = `---\nname: ${name}\ndescription: Helps.\n---\n\nVersion ${version}.\n`;
          await publishSkill(hub.operator, name, text);
        }
        return watching.counts.resources;
      }, wait)
      .toBeGreaterThan(0);
    expect(watching.counts.prompts).toBe(0);
  });
});

describe('a prompt that tells a model to reveal a secret', () => {
  test('is held at each endpoint until an operator approves it', async () => {
    const endpoints = { '/mcp': 'asking__hostile', '/mcp/all': 'asking__hostile', '/mcp/asking': 'hostile' };
    for (const [path, name] of Object.entries(endpoints)) {
      await using connected = await connectEndpoint(hub, hub.operator, path);
      const prompts = await promptsOf(connected.client);
      expect(prompts).not.toContain(name);
      expect(prompts).toContain(name.replace('hostile', 'plain'));
      await expect(connected.client.getPrompt({ name })).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
    }
    const { items } = await json(hub.operator.fetch('/v1/quarantine'));
    const held = items.find(({ name }: { name: string }) => name === 'prompts/hostile');
    expect(held).toMatchObject({ serverId: 'asking' });
    const approved = await hub.operator.fetch(`/v1/quarantine/${held.quarantineId}/approve`, { method: 'POST' });
    expect(approved.ok).toBe(true);
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/asking');
    expect(await promptsOf(connected.client)).toContain('hostile');
    expect(await connected.client.getPrompt({ name: 'hostile' })).toHaveProperty('messages');
  });
});

describe('a session without requests and without a stream', () => {
  test('ends, and leaves its place to another', async () => {
    const limits = { clientSessionsMax: 1, clientSessionIdleMs: 1000 };
    await using small = await startListeningHub({ file: { mcpServers: { asking }, limits } });
    await untilConnected(small, 'asking');
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const post = (message: object, headers = {}) => {
      const accept = 'application/json, text/event-stream';
      const body = { jsonrpc: '2.0', id: 1, ...message };
      return small.operator.fetch('/mcp/asking', { method: 'POST', json: body, headers: { accept, ...headers } });
    };
    const initialize = () => post({ method: 'initialize', params });
    const first = await initialize();
    const sessionId = first.headers.get('mcp-session-id') ?? '';
    expect([first.status, (await initialize()).status]).toEqual([200, 503]);
    await expect.poll(async () => (await initialize()).status, wait).toBe(200);
    expect((await post({ method: 'tools/list' }, { 'mcp-session-id': sessionId })).status).toBe(404);
  }, 120_000);
});

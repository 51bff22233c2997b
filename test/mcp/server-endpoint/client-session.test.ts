/** Sessions of 2025-era clients at `/mcp/{server}`: what a server asks of a client reaches that client, and no other. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEndpoint, type EndpointClient } from '../../support/hub/endpoint-client.ts';
import { json, type TestKey } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';

const wait = { timeout: 30_000 };

let hub: ListeningHub;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-roots-'));
  await writeFile(join(folder, 'note.txt'), 'found by its root');
  const mcpServers = { everything: realServer('everything'), files: realServer('filesystem', [tmpdir()]) };
  hub = await startListeningHub({ file: { mcpServers, limits: { clientSessionsPerServerMax: 4 } } });
  await untilConnected(hub, 'everything', 'files');
}, 120_000);
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A 2025-era client that answers sampling with its own name. */
function samplingClient(name: string, key: TestKey = hub.operator): Promise<EndpointClient> {
  const prepare = (client: Client) => {
    client.setRequestHandler('sampling/createMessage', ({ params }) => ({
      role: 'assistant',
      model: name,
      content: { type: 'text', text: `${name} answers ${JSON.stringify(params.messages)}` },
    }));
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name } }));
  };
  const options = { capabilities: { sampling: {}, elicitation: {} } };
  return connectEndpoint(hub, key, '/mcp/everything', { era: 'legacy', options, prepare });
}

function sample({ client }: EndpointClient, prompt: string): Promise<string> {
  const call = { name: 'trigger-sampling-request', arguments: { prompt, maxTokens: 20 } };
  return client.callTool(call).then(({ content }) => JSON.stringify(content));
}

/** The processes of a server whose parent is this process. */
function processesOf(serverFile: string): number[] {
  const pids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return pids.filter((pid) => pid !== '' && commandOf(pid).includes(serverFile)).map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const childrenOf = (serverFile: string) => processesOf(serverFile).length;

describe('a client that declares sampling and elicitation', () => {
  test('sees the tools that need them, which other clients do not', async () => {
    await using plain = await connectEndpoint(hub, hub.operator, '/mcp/everything', { era: 'legacy' });
    const names = async ({ client }: EndpointClient) => (await client.listTools()).tools.map(({ name }) => name);
    expect(await names(plain)).not.toContain('trigger-sampling-request');
    await using sampling = await samplingClient('one');
    expect(await names(sampling)).toEqual(expect.arrayContaining(['trigger-sampling-request', 'get-sum']));
  });

  test('is asked by the server, and what it was asked is recorded', async () => {
    await using asked = await samplingClient('asked', await hub.key('asked'));
    await asked.client.listTools();
    expect(await sample(asked, 'hello')).toContain('asked answers');
    const { content } = await asked.client.callTool({ name: 'trigger-elicitation-request' });
    expect(JSON.stringify(content)).toContain('asked');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?agentId=asked&event=CLIENT_INPUT_REQUESTED'));
    expect(
      items.map(({ fields }: { fields: { mcp_method: string; server_id: string } }) => [
        fields.mcp_method,
        fields.server_id,
      ]),
    ).toEqual([
      ['sampling/createMessage', 'everything'],
      ['elicitation/create', 'everything'],
    ]);
  });

  test('gets its own requests, while another client of the same server gets its own', async () => {
    await using one = await samplingClient('one');
    await using other = await samplingClient('other');
    await Promise.all([one.client.listTools(), other.client.listTools()]);
    const prompts = Array.from({ length: 5 }, (_, at) => at);
    const answers = await Promise.all(
      prompts.flatMap((at) => [sample(one, `one-${at}`), sample(other, `other-${at}`)]),
    );
    for (const at of prompts) {
      expect(answers[2 * at]).toMatch(new RegExp(`one answers .*one-${at}\\b`));
      expect(answers[2 * at + 1]).toMatch(new RegExp(`other answers .*other-${at}\\b`));
    }
  });

  test('has a process of its own, which ends with its session', async () => {
    const before = childrenOf('server-everything');
    const client = await samplingClient('ends');
    await client.client.listTools();
    expect(childrenOf('server-everything')).toBe(before + 1);
    await client[Symbol.asyncDispose]();
    await expect.poll(() => childrenOf('server-everything'), wait).toBe(before);
  });

  test('loses its session and its process when its key is revoked', async () => {
    const key = await hub.key('revoked');
    const before = childrenOf('server-everything');
    const client = await samplingClient('revoked', key);
    await client.client.listTools();
    expect(childrenOf('server-everything')).toBe(before + 1);
    await hub.operator.fetch(`/v1/keys/${key.keyId}`, { method: 'DELETE' });
    await expect.poll(() => childrenOf('server-everything'), wait).toBe(before);
    await expect(client.client.listTools()).rejects.toThrow();
    await client[Symbol.asyncDispose]();
  });

  test('gets another process after its own was killed', async () => {
    await using client = await samplingClient('killed');
    await client.client.listTools();
    const before = new Set(processesOf('server-everything'));
    expect(before.size).toBeGreaterThan(1);
    const newest = Math.max(...before);
    process.kill(newest, 'SIGKILL');
    await expect.poll(() => processesOf('server-everything').includes(newest), wait).toBe(false);
    await expect.poll(() => sample(client, 'again').catch(() => ''), wait).toContain('killed answers');
  });

  test('is refused when the key has its share of the sessions of the server', async () => {
    const key = await hub.key('greedy');
    const clients = await Promise.all([1, 2, 3].map((at) => samplingClient(`greedy-${at}`, key)));
    const listed = await Promise.allSettled(clients.map(({ client }) => client.listTools()));
    expect(listed.some(({ status }) => status === 'rejected')).toBe(true);
    const refused = listed.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ data: { code: 'OVERLOADED' } });
    for (const client of clients) await client[Symbol.asyncDispose]();
  });
});

describe('a client that declares roots', () => {
  test('tells the server its roots, before its first call', async () => {
    const prepare = (client: Client) =>
      client.setRequestHandler('roots/list', () => ({ roots: [{ uri: `file://${folder}`, name: 'own' }] }));
    const options = { capabilities: { roots: { listChanged: true } } };
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/files', { era: 'legacy', options, prepare });
    const { client } = connected;
    const allowed = await client.callTool({ name: 'list_allowed_directories' });
    expect(JSON.stringify(allowed.content)).toContain(folder);
    const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'note.txt') } });
    expect(JSON.stringify(read.content)).toContain('found by its root');
    await using plain = await connectEndpoint(hub, hub.operator, '/mcp/files', { era: 'legacy' });
    const shared = await plain.client.callTool({ name: 'list_allowed_directories' });
    expect(JSON.stringify(shared.content)).not.toContain(folder);
  });
});

describe('log messages and subscriptions', () => {
  test('reach the client that asked for them', async () => {
    const logs: unknown[] = [];
    const updates: string[] = [];
    const prepare = (client: Client) => {
      client.setNotificationHandler('notifications/message', ({ params }) => void logs.push(params));
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
    };
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/everything', { era: 'legacy', prepare });
    const { client } = connected;
    await client.setLoggingLevel('debug');
    await client.callTool({ name: 'toggle-simulated-logging' });
    await expect.poll(() => logs.length, wait).toBeGreaterThan(0);
    const uri = 'demo://resource/dynamic/text/3';
    await client.subscribeResource({ uri });
    await client.callTool({ name: 'toggle-subscriber-updates' });
    await expect.poll(() => updates, wait).toContain(uri);
    await client.unsubscribeResource({ uri });
  });

  test('of one client do not reach another', async () => {
    const updates: string[] = [];
    const prepare = (client: Client) =>
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
    await using watching = await connectEndpoint(hub, hub.operator, '/mcp/everything', { era: 'legacy', prepare });
    await watching.client.subscribeResource({ uri: 'demo://resource/dynamic/text/8' });
    await using other = await connectEndpoint(hub, hub.operator, '/mcp/everything', { era: 'legacy' });
    await other.client.subscribeResource({ uri: 'demo://resource/dynamic/text/9' });
    await other.client.callTool({ name: 'toggle-subscriber-updates' });
    await expect.poll(() => updates, wait).toContain('demo://resource/dynamic/text/8');
    expect(updates).not.toContain('demo://resource/dynamic/text/9');
    await other.client.callTool({ name: 'toggle-subscriber-updates' });
  });
});

describe('a session', () => {
  test('that is unknown, ended or of another key is 404, after which a client initializes again', async () => {
    await using connected = await connectEndpoint(hub, hub.operator, '/mcp/everything', { era: 'legacy' });
    const id = connected.transport.sessionId ?? '';
    const other = await hub.key('other');
    const post = async (key: TestKey, sessionId: string) => {
      const headers = { accept: 'application/json, text/event-stream', 'mcp-session-id': sessionId };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      return (await key.fetch('/mcp/everything', { method: 'POST', json: message, headers })).status;
    };
    expect(await post(hub.operator, id)).toBe(200);
    expect(await post(other, id)).toBe(404);
    expect(await post(hub.operator, 'unknown')).toBe(404);
    await connected.transport.terminateSession();
    expect(await post(hub.operator, id)).toBe(404);
  });
});

/** What a key or an access token has open, after the key was revoked or has expired, and what other namespaces are told. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, skillText } from '../support/hub/hub.ts';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, type AttackKey, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';
import { openStream, openSubscription } from './support/open-streams.ts';

const upstream = createHostileUpstream();
let hub: AttackedHub;

beforeAll(async () => {
  hub = await startAttackedHub({ file: { mcpServers: { slow: upstream.configuration } } });
  await untilServersConnected(hub, 'slow');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

/** Resolves with everything that the stream has sent, once it has ended. */
async function untilEnded(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  return response.text();
}

async function revoke(agentId: string): Promise<void> {
  const { items } = await json(hub.operator.fetch('/v1/keys?limit=200'));
  const found = items.find((item: { agentId: string }) => item.agentId === agentId);
  const response = await hub.operator.fetch(`/v1/keys/${found.keyId}`, { method: 'DELETE' });
  expect(response.status).toBe(204);
}

describe('a key that is revoked', () => {
  test('loses its stream, its subscription and its calls under way at once, and no other key does', async () => {
    const leaver = await hub.agent('leaver');
    const stayer = await hub.agent('stayer');
    const hanging = { commands: [], answers: false };
    const overHttp = leaver.call('slow', 'run', hanging);
    const overMcp = leaver.mcp('tools/call', {
      name: 'call_mcp_tool',
      arguments: { server_id: 'slow', tool_name: 'run', arguments: hanging },
    });
    const kept = new AbortController();
    const staying = await openStream(stayer, kept.signal);
    const streams = [await openStream(leaver), await openSubscription(leaver)];
    await expect
      .poll(
        async () =>
          (await hub.operator.mcp('tools/call', { name: 'get_mcp_hub_status', arguments: {} })).body.result
            .structuredContent.calls_running,
      )
      .toBe(2);
    await revoke('leaver');
    expect(await overHttp).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect((await overMcp).body.result.isError).toBe(true);
    for (const stream of streams) expect(await untilEnded(stream)).not.toContain('list_changed');
    expect((await openStream(leaver)).status).toBe(401);
    await hub.operator.fetch('/v1/skills/after-revocation', {
      method: 'PUT',
      body: skillText('after-revocation'),
      headers: { 'content-type': 'text/markdown' },
    });
    await hub.operator.fetch('/v1/skills/after-revocation/activate', { method: 'POST', json: {} });
    await untilText(staying, 'tools/list_changed');
    kept.abort();
  });
});

/** Reads a stream until it has sent the text. */
async function untilText(response: Response, text: string): Promise<string> {
  const decoder = new TextDecoder();
  let sent = '';
  for await (const chunk of response.body ?? []) {
    sent += decoder.decode(chunk, { stream: true });
    if (sent.includes(text)) return sent;
  }
  throw new Error(`the stream ended without ${text}: ${sent}`);
}

describe('a key that expires', () => {
  test('loses its stream and its calls under way when its time is over', async () => {
    const fewSeconds = 4 / 86_400;
    const created = await hub.operator.fetch('/v1/keys', { json: { agentId: 'guest', expiresInDays: fewSeconds } });
    const { key } = await json(created);
    const guest = (path: string, init: Parameters<AttackKey['fetch']>[1] = {}) =>
      hub.fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });
    const stream = await guest('/mcp', { headers: { 'mcp-session-id': 'any' } });
    const call = guest('/v1/tools/slow/run/call', { json: { arguments: { answers: false } } });
    expect(await untilEnded(stream)).toContain(': open');
    expect((await call).status).toBe(401);
    expect((await guest('/v1/skills')).status).toBe(401);
  });
});

describe('a change of the skills of one namespace', () => {
  test('reaches the streams and subscriptions of that namespace only', async () => {
    const clients = await Promise.all(
      ['red', 'blue'].flatMap((namespace) =>
        (['auto', 'legacy'] as const).map(async (mode) => {
          const agent = await hub.agent(`${namespace}-${mode}`, { namespace });
          const changes: unknown[] = [];
          const client = new Client(
            { name: 'attack', version: '1.0.0' },
            {
              versionNegotiation: { mode },
              listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => changes.push(mode) } },
            },
          );
          const requestInit = { headers: { authorization: `Bearer ${agent.secret}` } };
          await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), { requestInit }));
          return { namespace, agent, client, changes };
        }),
      ),
    );
    const red = clients.filter(({ namespace }) => namespace === 'red');
    const blue = clients.filter(({ namespace }) => namespace === 'blue');
    const activate = async (agent: AttackKey, name: string) => {
      await agent.fetch(`/v1/skills/${name}`, {
        method: 'PUT',
        body: skillText(name),
        headers: { 'content-type': 'text/markdown' },
      });
      await agent.fetch(`/v1/skills/${name}/activate`, { method: 'POST', json: {} });
    };
    const changesOf = (of: typeof clients) => of.map(({ changes }) => changes.length);
    let round = 0;
    // The streams may open a moment after the clients have connected.
    await expect
      .poll(
        async () => {
          round += 1;
          for (const { agent } of red.slice(0, 1)) await activate(agent, `red-skill-${round}`);
          return changesOf(red).every((count) => count > 0);
        },
        { interval: 200 },
      )
      .toBe(true);
    // The change of blue arrives after what red changed: had that been sent to blue, it would be there now.
    expect(changesOf(blue)).toEqual([0, 0]);
    for (const { agent } of blue.slice(0, 1)) await activate(agent, 'blue-skill');
    await expect.poll(() => changesOf(blue)).toEqual([1, 1]);
    await Promise.all(clients.map(({ client }) => client.close()));
  });
});

/** Attacks of an upstream server over stdio: deaths, floods, endless lines and lists, and answers to other calls. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { isRunning } from '../support/is-running.ts';
import { waitFor } from '../support/wait-for.ts';
import { type AttackedHub, startAttackedHub } from './support/attacked-hub.ts';
import { type Command, createHostileUpstream, type HostileUpstream } from './support/hostile-upstream.ts';

/** Of the processor time of the event loop's thread, which a busy machine does not change. The attacks held it for 2.75 and 3.7 s. */
const stallCpuMsMax = 1000;
const deathsMax = 5;

const upstreams = {
  flood: createHostileUpstream(),
  endless: createHostileUpstream(),
  cyclic: createHostileUpstream({ cursors: ['a', 'b', 'c'] }),
  dying: createHostileUpstream({ dieAfterMs: 50 }),
} satisfies Record<string, HostileUpstream>;

let hub: AttackedHub;
beforeAll(async () => {
  const mcpServers = Object.fromEntries(
    Object.entries(upstreams).map(([id, { configuration }]) => [id, configuration]),
  );
  const limits = { reconnectDelayMs: 10, serverDeathsMax: deathsMax, callTimeoutMs: 60_000 };
  hub = await startAttackedHub({ file: { mcpServers, limits } });
  await untilServersConnected(hub, 'flood', 'endless', 'cyclic');
  await hub.probe();
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  for (const upstream of Object.values(upstreams)) upstream[Symbol.dispose]();
});

const status = async (serverId: string) => {
  const servers = z.object({ items: z.array(z.looseObject({ serverId: z.string() })) });
  const { items } = servers.parse(await (await hub.operator.fetch('/v1/servers')).json());
  return items.find((item) => item.serverId === serverId);
};
const run = (serverId: string, commands: Command[], more: object = {}) =>
  hub.operator.call(serverId, 'run', { commands, ...more });

describe('a server that dies soon after each start', () => {
  test('is quarantined after some deaths: its status says until when, and an event is recorded', async () => {
    await waitFor(async () => expect(await status('dying')).toMatchObject({ quarantined: true }));
    const shown = z.object({ state: z.string(), retryAt: z.iso.datetime() }).parse(await status('dying'));
    expect(shown.state).toBe('reconnecting');
    expect(Date.parse(shown.retryAt) - Date.now()).toBeGreaterThan(120_000);
    const starts = upstreams.dying.starts().length;
    expect(starts).toBeLessThanOrEqual(deathsMax + 1);
    const response = await hub.operator.fetch('/v1/audit/events?event=SERVER_CHANGED');
    expect(await response.json()).toMatchObject({
      items: [{ agent_id: 'hestia', fields: { server_id: 'dying', change: 'quarantined', source: 'hub' } }],
    });
    expect(upstreams.dying.starts()).toHaveLength(starts);
  });

  test('is started on request all the same', async () => {
    upstreams.dying.behave({});
    const response = await hub.operator.fetch('/v1/servers/dying/connect', { method: 'POST' });
    const connected = z.looseObject({ state: z.string() }).parse(await response.json());
    expect(connected.state).toBe('connected');
    expect(connected).not.toHaveProperty('quarantined');
  });
});

describe('a server that floods', () => {
  test.each<[string, Command[]]>([
    ['with 2,000 requests', [{ do: 'request', count: 2000, bytes: 2000 }]],
    ['with 2,000 requests of unknown methods', [{ do: 'request', count: 2000, method: 'nobody/knows' }]],
    ['with 20,000 notifications of a changed list', [{ do: 'announce', count: 20_000 }]],
    [
      'with 50,000 notifications of changed prompts',
      [{ do: 'raw', count: 50_000, text: '{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}\n' }],
    ],
    ['with 100,000 lines on standard error', [{ do: 'stderr', count: 100_000, bytes: 100 }]],
    ['with 50,000 lines that are not JSON', [{ do: 'raw', count: 50_000, text: '{"jsonrpc":\n' }]],
    [
      'with 20,000 answers to calls that do not exist',
      [{ do: 'raw', count: 20_000, text: '{"jsonrpc":"2.0","id":987654,"result":{}}\n' }],
    ],
    ['with 20,000 messages of progress', [{ do: 'progress', count: 20_000, bytes: 100 }]],
  ])('%s does not hold the hub, and its calls are answered', async (_what, commands) => {
    const call = run('flood', commands);
    expect((await hub.operator.fetch('/v1/skills')).status).toBe(200);
    // An answer to no call fails the one that it may have been meant for.
    expect([200, 502]).toContain((await call).status);
    await expect.poll(async () => (await run('flood', [])).status).toBe(200);
    expect((await hub.probe()).longestStallCpuMs).toBeLessThan(stallCpuMsMax);
  });
});

describe('a server that writes one line without an end', () => {
  test('loses its connection and its process, and the hub keeps neither memory nor time', async () => {
    const before = await hub.probe();
    const [pid = 0] = upstreams.endless.starts();
    const call = await run('endless', [{ do: 'line' }]);
    expect(call.status).toBe(502);
    await waitFor(() => expect(isRunning(pid)).toBe(false));
    const after = await hub.probe();
    expect(after.longestStallCpuMs).toBeLessThan(stallCpuMsMax);
    expect(after.usedMib - before.usedMib).toBeLessThan(60);
    await untilServersConnected(hub, 'endless');
  });
});

describe('a server whose list never ends', () => {
  test('because its cursors go round has each page listed once', async () => {
    const { body } = await run('cyclic', []);
    const { lists } = z.object({ lists: z.number() }).parse(JSON.parse(body.result.content[0].text));
    expect(lists).toBeLessThanOrEqual(4);
    expect(await status('cyclic')).toMatchObject({ state: 'connected' });
  });
});

describe('a server that answers other calls', () => {
  test('twice, before they were asked, or as text for a number reaches no caller but the right one', async () => {
    const text = (value: string) =>
      `{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"${value}"}]}}\n`;
    const twice = await run('flood', [{ do: 'raw', count: 2, text: text('forged') }], { echo: 'mine' });
    expect(twice.body.result.content[0].text).toBe('forged');
    const calls = Array.from({ length: 50 }, (_, at) =>
      run('flood', [], { echo: `call ${at}`, answerAfterMs: 50 - at }),
    );
    for (const [at, { body }] of (await Promise.all(calls)).entries()) {
      expect(JSON.parse(body.result.content[0].text)).toMatchObject({ echo: `call ${at}` });
    }
  });
});

describe('a server that closes its input or exits within a call', () => {
  test.each<[string, Command]>([
    ['closes its input', { do: 'close-input' }],
    ['exits', { do: 'exit' }],
  ])('and %s fails that call, and the hub goes on', async (_what, command) => {
    const failed = await run('flood', [command], { answers: false, answerAfterMs: 0 });
    // A server that cannot be written to may still be waited for.
    expect([502, 503, 504]).toContain(failed.status);
    await untilServersConnected(hub, 'flood');
    expect((await run('flood', [])).status).toBe(200);
  });
});

describe('a server that asks a client for input over and over', () => {
  test('reaches it with a bounded number of requests, and what it is refused is recorded as a count', async () => {
    const count = 500;
    const { secret } = await hub.agent('asked');
    const client = new Client(
      { name: 'attack', version: '1.0.0' },
      { capabilities: { sampling: {} }, versionNegotiation: { mode: 'legacy' } },
    );
    let asked = 0;
    const answers = Promise.withResolvers<void>();
    client.setRequestHandler('sampling/createMessage', async () => {
      asked += 1;
      await answers.promise;
      return { role: 'assistant', model: 'none', content: { type: 'text', text: 'late' } };
    });
    const requestInit = { headers: { authorization: `Bearer ${secret}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp/flood`), { requestInit }));
    const commands = [{ do: 'request', count, bytes: 100 }];
    const call = client.callTool({ name: 'run', arguments: { commands, answerAfterMs: 3000 } });
    const records = async () => {
      const query = 'agentId=asked&event=CLIENT_INPUT_REQUESTED&limit=200';
      const page = z.object({ items: z.array(z.object({ fields: z.object({ error_type: z.string().optional() }) })) });
      return page.parse(await (await hub.operator.fetch(`/v1/audit/events?${query}`)).json()).items;
    };
    await expect.poll(async () => (await records()).length).toBe(1);
    await call;
    expect(asked).toBe(32);
    expect(await records()).toMatchObject([{ fields: { error_type: 'OVERLOADED' } }]);
    answers.resolve();
    await client.close();
  });
});

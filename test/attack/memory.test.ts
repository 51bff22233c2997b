/** What makes the hub hold memory: measured after garbage collection, from before the attack to its end. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';

const upstream = createHostileUpstream();
let hub: AttackedHub;

beforeAll(async () => {
  hub = await startAttackedHub({ file: { mcpServers: { loud: upstream.configuration } } });
  await untilServersConnected(hub, 'loud');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

describe('progress for a client that does not read', () => {
  test('is dropped but for the last event, and the result is kept', async () => {
    const agent = await hub.agent('sleeper');
    const before = await hub.probe();
    const count = 2500;
    const bytes = 60_000;
    const response = await agent.fetch('/mcp', {
      json: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'call_mcp_tool',
          arguments: {
            server_id: 'loud',
            tool_name: 'run',
            arguments: { commands: [{ do: 'progress', count, bytes }] },
          },
          _meta: { progressToken: 'token' },
        },
      },
      headers: { accept: 'application/json, text/event-stream' },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    // The call has ended in the hub while nobody reads its stream.
    await expect
      .poll(async () => {
        const { body } = await hub.operator.mcp('tools/call', { name: 'get_mcp_hub_status', arguments: {} });
        return body.result.structuredContent.calls_running;
      })
      .toBe(0);
    const during = await hub.probe();
    const text = await response.text();
    const events = text.match(/^data: /gm)?.length ?? 0;
    const figures = { events, grownMib: during.usedMib - before.usedMib, sentMib: (count * bytes) / 1_048_576 };
    console.info('progress', figures);
    expect(text).toContain(`"progress":${count - 1}`);
    expect(text).toContain('"id":1');
    expect(figures.grownMib).toBeLessThan(figures.sentMib / 3);
  });
});

describe('a server with lists that are too long', () => {
  test('is not held: neither descriptions of hundreds of MB, nor lists that change all the time', async () => {
    using huge = createHostileUpstream({ generated: { count: 60, bytes: 400_000 } });
    using wide = createHostileUpstream({ generated: { count: 20, bytes: 150_000 } });
    using restless = createHostileUpstream({ generated: { count: 5000, bytes: 200, changing: true } });
    await using attacked = await startAttackedHub({
      file: {
        mcpServers: { huge: huge.configuration, wide: wide.configuration, restless: restless.configuration },
        limits: { toolsLengthPerServerMax: 2_000_000 },
      },
    });
    await untilServersConnected(attacked, 'huge', 'wide', 'restless');
    const other = await attacked.agent('other');
    const before = await attacked.probe();
    const began = await lists(attacked);
    await attacked.operator.call('restless', 'run', { commands: [{ do: 'announce', everyMs: 5 }] });
    const until = performance.now() + 15_000;
    const durations: number[] = [];
    while (performance.now() < until) {
      const startedAt = performance.now();
      expect((await other.fetch('/v1/skills')).status).toBe(200);
      durations.push(performance.now() - startedAt);
    }
    const after = await attacked.probe();
    const { items } = await json(attacked.operator.fetch('/v1/servers'));
    const figures = {
      usedMib: after.usedMib,
      residentMib: after.residentMib,
      grownMib: after.usedMib - before.usedMib,
      lists: (await lists(attacked)) - began,
      requests: durations.length,
    };
    console.info('lists', figures);
    const counts = Object.fromEntries(
      items.map(({ serverId, toolsCount, toolsRefusedCount }: Record<string, unknown>) => [
        serverId,
        [toolsCount, toolsRefusedCount],
      ]),
    );
    // The tool `run` is accepted of each. Of 20 tools of 150,000 units, 13 fit into the list.
    expect(counts).toMatchObject({ huge: [1, 60], wide: [14, 7] });
    expect(figures.usedMib).toBeLessThan(400);
  });
});

describe('a server with prompts and instructions that are too long, or prompts that always change', () => {
  test('has those within the limits kept, nothing of too long instructions, and does not keep the hub busy', async () => {
    using huge = createHostileUpstream({ prompts: { count: 20, bytes: 400_000 }, instructionsBytes: 5_000_000 });
    using wide = createHostileUpstream({ prompts: { count: 20, bytes: 150_000 } });
    using restless = createHostileUpstream({ prompts: { count: 300, bytes: 200, changing: true } });
    await using attacked = await startAttackedHub({
      file: {
        mcpServers: { huge: huge.configuration, wide: wide.configuration, restless: restless.configuration },
        limits: { toolsLengthPerServerMax: 2_000_000 },
      },
    });
    await untilServersConnected(attacked, 'huge', 'wide', 'restless');
    const requestInit = { headers: { authorization: `Bearer ${attacked.operator.secret}` } };
    const promptsOf = async (serverId: string) => {
      const client = new Client({ name: 'attack', version: '1.0.0' });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${attacked.url}/mcp/${serverId}`), { requestInit }),
      );
      const { prompts } = await client.listPrompts();
      expect(client.getInstructions()).toBeUndefined();
      await client.close();
      return prompts.length;
    };
    expect([await promptsOf('huge'), await promptsOf('wide')]).toEqual([0, 13]);
    await attacked.probe();
    const before = await promptLists(attacked);
    await attacked.operator.call('restless', 'run', { commands: [{ do: 'announce', everyMs: 5, method: 'prompts' }] });
    const other = await attacked.agent('other');
    const until = performance.now() + 5000;
    let answered = 0;
    for (; performance.now() < until; answered += 1) expect((await other.fetch('/v1/skills')).status).toBe(200);
    const after = await attacked.probe();
    const listed = (await promptLists(attacked)) - before;
    console.info('prompts', { listed, answered, usedMib: after.usedMib, stallCpuMs: after.longestStallCpuMs });
    expect(listed).toBeLessThan(40);
    // A rest follows each listing, as long as four of them.
    await expect.poll(() => promptLists(attacked), { timeout: 90_000, interval: 500 }).toBeGreaterThan(before + 1);
    expect(after.usedMib).toBeLessThan(400);
    expect(after.longestStallCpuMs).toBeLessThan(1000);
  });
});

/** How often the prompts of the restless server were listed. */
async function promptLists({ operator }: AttackedHub): Promise<number> {
  const { body } = await operator.call('restless', 'run');
  return JSON.parse(body.result.content[0].text).promptLists;
}

/** How often the restless server was listed. */
async function lists({ operator }: AttackedHub): Promise<number> {
  const { body } = await operator.call('restless', 'run');
  return JSON.parse(body.result.content[0].text).lists;
}

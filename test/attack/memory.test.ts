/** What makes the hub hold memory: measured after garbage collection, from before the attack to its end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    const count = 4000;
    const bytes = 20_000;
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
    expect(figures.grownMib).toBeLessThan(figures.sentMib / 5);
  });
});

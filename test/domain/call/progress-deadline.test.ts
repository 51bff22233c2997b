/** The deadline of a call whose server reports progress. */
import { describe, expect, test } from 'vitest';
import { connectClient, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { realServer } from '../../support/servers/real-server.ts';
import { disposeAfterTest } from '../../support/servers/upstream-connection.ts';

const deadlineMs = 3000;

async function connected() {
  const file = {
    mcpServers: { everything: realServer('everything', ['stdio']) },
    limits: { callTimeoutMs: deadlineMs, callTimeoutMsMax: 60_000 },
  };
  const hub = disposeAfterTest(await startListeningHub({ file }));
  await untilConnected(hub, 'everything');
  return disposeAfterTest(await connectClient('2.x, 2025-11-25', hub, hub.operator));
}

/** Takes twice the deadline, with progress at every sixth of it. */
const long = {
  server_id: 'everything',
  tool_name: 'trigger-long-running-operation',
  arguments: { duration: (2 * deadlineMs) / 1000, steps: 12 },
};

describe('a call that takes longer than the default deadline', () => {
  test('ends with its result while the server reports progress, unless the caller has set a deadline', async () => {
    const client = await connected();
    const steps: unknown[] = [];
    const onprogress = (step: unknown) => steps.push(step);
    const [extended, chosen] = await Promise.all([
      client.call('call_mcp_tool', long, { onprogress }),
      client.call('call_mcp_tool', { ...long, timeout_ms: deadlineMs }, { onprogress }),
    ]);
    expect(extended.isError ?? false).toBe(false);
    expect(steps.length).toBeGreaterThan(12);
    expect(chosen).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'TIMEOUT' } } });
  });
});

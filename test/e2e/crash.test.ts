import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { json } from '../support/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub-process.ts';
import { realServer } from '../support/real-server.ts';

const rounds = 3;
const callersAtOnce = 16;

/** Calls without pause until the hub is gone; answers the ids of the calls that were answered. */
async function callUntilGone(hub: HubProcess, answered: string[]): Promise<void> {
  while (true) {
    try {
      const response = await hub.fetch('/v1/tools/everything/echo/call', { json: { arguments: { message: 'x' } } });
      answered.push((await json(response)).callId);
    } catch {
      return;
    }
  }
}

async function recordedCallIds(hub: HubProcess): Promise<Set<string>> {
  const exported = await (await hub.fetch('/v1/audit/export')).text();
  const records = exported
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return new Set(records.filter((record) => record.event === 'TOOL_OUTCOME').map((record) => record.fields.call_id));
}

describe('a hub that is killed in the midst of calls', () => {
  test('has on record, after a new start, each call that it answered; the chain verifies', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-crash-'));
    const answered: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await using hub = await startHubProcess({
        folder,
        file: { mcpServers: { everything: realServer('everything', ['stdio']) } },
      });
      await hub.ready();
      await untilServersConnected(hub, 'everything');
      const before = answered.length;
      const callers = Array.from({ length: callersAtOnce }, () => callUntilGone(hub, answered));
      await expect.poll(() => answered.length - before, { timeout: 10_000 }).toBeGreaterThan(100);
      hub.child.kill('SIGKILL');
      await Promise.all(callers);
    }
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    const recorded = await recordedCallIds(hub);
    expect(answered.length).toBeGreaterThan(rounds * 100);
    expect(answered.filter((callId) => !recorded.has(callId))).toEqual([]);
    const { items } = await json(hub.fetch('/v1/tools/stats'));
    expect(items).toMatchObject([{ toolName: 'echo', calls: recorded.size }]);
    expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
    await rm(folder, { recursive: true });
  });
});

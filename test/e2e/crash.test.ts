import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { exportedRecords } from '../support/audit-export.ts';
import { json } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { realServer } from '../support/servers/real-server.ts';

/** Durabilities, which all survive a crash of the process, and the number of crashes to test. */
const durabilities = [
  ['normal', 10],
  ['full', 4],
] as const;
const callersAtOnce = 16;

const echo = { tool: 'echo', arguments: { message: 'x' } };
/** A tenth of a second, so that calls are in progress at the upstream when the hub is killed. */
const slow = { tool: 'trigger-long-running-operation', arguments: { duration: 0.1, steps: 1 } };

/** Sends calls without pause until the hub is gone, and collects the ids of the answered calls. */
async function callUntilGone(
  hub: HubProcess,
  { tool, arguments: args }: typeof echo | typeof slow,
  answered: string[],
) {
  while (true) {
    try {
      const response = await hub.fetch(`/v1/tools/everything/${tool}/call`, { json: { arguments: args } });
      answered.push((await json(response)).callId);
    } catch {
      return;
    }
  }
}

async function recordedCallIds(hub: HubProcess): Promise<Set<string>> {
  const records = await exportedRecords(hub);
  return new Set(records.filter((record) => record.event === 'TOOL_OUTCOME').map((record) => record.fields.call_id));
}

/** The ids of calls with a stored outcome, read from the database file. */
function storedCallIds(folder: string): Set<unknown> {
  using database = new DatabaseSync(join(folder, 'data', 'hestia.db'), { readOnly: true });
  const rows = database.prepare('SELECT call_id FROM tool_outcomes').all();
  return new Set(rows.map((row) => row.call_id));
}

describe('a hub that is killed during calls', () => {
  test.each(durabilities)(
    'has a record of each answered call after a restart, with durability %s, and the trail verifies',
    async (durability, rounds) => {
      const folder = await mkdtemp(join(tmpdir(), 'hestia-crash-'));
      const answered: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await using hub = await startHubProcess({
          folder,
          file: { storage: { durability }, mcpServers: { everything: realServer('everything', ['stdio']) } },
        });
        await hub.ready();
        await untilServersConnected(hub, 'everything');
        const before = answered.length;
        const callers = Array.from({ length: callersAtOnce }, (_, index) =>
          callUntilGone(hub, index % 4 === 0 ? slow : echo, answered),
        );
        await expect.poll(() => answered.length - before, { timeout: 60_000 }).toBeGreaterThan(50);
        hub.child.kill('SIGKILL');
        await Promise.all(callers);
      }
      await using hub = await startHubProcess({ folder });
      await hub.ready();
      const recorded = await recordedCallIds(hub);
      expect(answered.length).toBeGreaterThan(rounds * 50);
      expect(answered.filter((callId) => !recorded.has(callId))).toEqual([]);
      expect(storedCallIds(folder)).toEqual(recorded);
      expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
      await rm(folder, { recursive: true });
    },
    600_000,
  );
});

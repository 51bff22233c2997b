import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportedRecords } from '../support/audit-export.ts';
import { json } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { realServer } from '../support/servers/real-server.ts';

/** Durabilities, which all survive a crash of the process, and the number of crashes to test. */
const durabilities = [
  ['normal', 10],
  ['full', 10],
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

const callIdsOf = (records: readonly { event: string; fields: Record<string, unknown> }[]) =>
  records.filter(({ event }) => event === 'TOOL_OUTCOME').map(({ fields }) => fields.call_id);

/** The calls of all outcomes in the views of the trail. */
async function viewedCallIds(hub: HubProcess): Promise<unknown[]> {
  const callIds: unknown[] = [];
  let cursor: string | undefined;
  do {
    const query = `event=TOOL_OUTCOME&limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`;
    const page = await json(hub.fetch(`/v1/audit/events?${query}`));
    callIds.push(...callIdsOf(page.items));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return callIds;
}

describe('a hub that is killed during calls', () => {
  test.each(durabilities)(
    'has one record of each answered call after a restart, in journal and views, with durability %s',
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
      const recorded = callIdsOf(await exportedRecords(hub));
      const distinct = new Set(recorded);
      expect(answered.length).toBeGreaterThan(rounds * 50);
      expect(answered.filter((callId) => !distinct.has(callId))).toEqual([]);
      expect(recorded).toHaveLength(distinct.size);
      expect(await viewedCallIds(hub)).toEqual(recorded);
      expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
      await rm(folder, { recursive: true });
    },
    600_000,
  );
});

/** An operator's key with which the signing key is replaced over and over: the trail verifies, and the hub starts again. */
import { describe, expect, test } from 'vitest';
import { replacedKeysMax } from '../../src/journal/signing-keys.ts';
import { json } from '../support/hub/hub.ts';
import { startHubProcess } from '../support/hub/hub-process.ts';

describe('the signing key replaced a hundred times in a row', () => {
  test('leaves a trail that verifies and a hub that starts, since further rotations are refused', async () => {
    await using hub = await startHubProcess();
    await hub.ready();
    const headers = { authorization: `Bearer ${hub.key()}` };
    const rotate = () => hub.fetch('/v1/audit/key/rotation', { method: 'POST', headers });
    const statuses: number[] = [];
    for (let count = 0; count < 100; count += 1) statuses.push((await rotate()).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(replacedKeysMax);
    expect(await json(rotate())).toMatchObject({
      code: 'CONFLICT',
      detail: expect.stringMatching(
        /^31 replaced keys still sign checkpoints, and at most 31 may; .*audit\.keyOverlapDays/,
      ),
    });
    expect(await json(hub.fetch('/v1/audit/verify', { headers }))).toMatchObject({ intact: true });
    hub.child.kill('SIGTERM');
    await hub.exited;
    await using again = await startHubProcess({ folder: hub.folder });
    await again.ready();
    expect(await json(again.fetch('/v1/audit/verify', { headers }))).toMatchObject({ intact: true });
  });
});

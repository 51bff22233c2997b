/** The soak under attack in its short form, for the kind of faults. `npm run soak -- --hostile --minutes 30` measures it. */
import { expect, test } from 'vitest';
import { describeWith } from '../support/programs/requirements.ts';
import { hostileSoak } from './support/hostile-soak.ts';

describeWith(['linux', 'prlimit'], 'a hub with an abusive agent, two hostile servers and a full disk', () => {
  test('goes on, answers good agents, and has each answered call on record', async () => {
    const found = await hostileSoak({ seconds: 24, capacitySeconds: 2, diskFullSeconds: 4 });
    expect(found).toMatchObject({ crashed: false, trailIntact: true });
    expect(found.callsOffRecord).toBeLessThanOrEqual(found.auditGap);
    expect(found.answered).toBeGreaterThan(0);
    expect(found.abusiveRequests).toBeGreaterThan(0);
    // Machines that run tests are busy: the figures are those of the long form.
    expect(found.answeredShare).toBeGreaterThan(0.9);
  });
});

/** Drills of the alerts on hubs: each fault is made for real, its alert fires, and resolves once the fault is undone. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { faults } from '../../../src/cli/faults/table.ts';
import {
  type DrillStage,
  type FaultLine,
  firedAndResolved,
  startDrillStage,
  statesOf,
} from '../../support/hub/drill.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const drillTimeoutMs = 500_000;
const quietTimeoutMs = 90_000;

/** Alerts that a fault cannot help bringing along. */
const companions: Readonly<Record<string, readonly string[]>> = {
  'tool-timeouts': ['HestiaToolCallAvailabilityBurn'],
  'tool-call-availability-burn': ['HestiaToolTimeouts'],
  'tool-calls-slow': ['HestiaToolCallLatencyBurn'],
  'tool-call-latency-burn': ['HestiaToolCallsSlow'],
  'skill-unregistration-failing': ['HestiaSkillRegistrationFailing'],
  'audit-gap': ['HestiaStorageFailing'],
  'cleanup-failed': ['HestiaStorageFailing'],
  'scheduler-stalled': ['HestiaStorageFailing', 'HestiaCleanupFailed'],
};

const ownFaults = faults.filter(({ place }) => place !== 'collector');

describeWith(['otelcol', 'prometheus'], 'a fault that is made for real', () => {
  let stage: DrillStage;
  let lines: FaultLine[] = [];
  beforeAll(async () => {
    stage = await startDrillStage();
    lines = await stage.drill(ownFaults.map(({ name }) => name));
  }, drillTimeoutMs);
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test.each(ownFaults)('$name lets $alert fire, and undone lets it resolve', ({ name }) => {
    expect(statesOf(lines, name)).toEqual(firedAndResolved);
  });

  test('no other alert fires than those of the faults that are made, and what they bring along', () => {
    const expected = new Map<unknown, readonly unknown[]>();
    for (const { fault, alert, state, alsoFiring = [] } of lines) {
      if (state === 'begun') expected.set(fault, [alert, ...(companions[String(fault)] ?? [])]);
      expect([...expected.values()].flat(), `${fault} ${state}`).toEqual(expect.arrayContaining(Object(alsoFiring)));
    }
  });

  test('all is quiet in the end, also about the hubs that were there for the faults only', async () => {
    await vi.waitFor(async () => expect(await stage.firing()).toEqual([]), { timeout: quietTimeoutMs, interval: 500 });
  }, 100_000);
});

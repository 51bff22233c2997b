/** Drills of the alerts on hubs: each injected fault makes its alert fire, and the alert resolves once the fault is undone. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type AlertThreshold, thresholds } from '../../../grafana/thresholds.ts';
import { type Fault, faultJob } from '../../../src/cli/faults/fault.ts';
import { faults } from '../../../src/cli/faults/table.ts';
import {
  type DrillStage,
  type FaultLine,
  firedAndResolved,
  startDrillStage,
  statesOf,
  timeScale,
} from '../../support/hub/drill.ts';
import type { FiredAlert } from '../../support/programs/fired-alerts.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const drillTimeoutMs = 1_500_000;
const quietTimeoutMs = 180_000;

/** Further alerts that a fault necessarily makes fire. */
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

const hubFaults = faults.filter(({ place }) => place !== 'collector');

/** The label `job` of the hub that the tests start, on which faults of place `hub` are injected. */
const stageJob = 'hestia/hestia';

/**
 * Alerts that a hub can also make fire while it starts, stops or restarts: for seconds it has no connected server, no
 * scheduler or no connection to the collector. Scaled, the minutes that these alerts tolerate last seconds too.
 */
const startAndStopAlerts = new Map<string, AlertThreshold>([
  ['HestiaServerDisconnected', thresholds.serverDisconnected],
  ['HestiaSchedulerNotRunning', thresholds.schedulerNotRunning],
  ['HestiaTelemetryDropped', thresholds.telemetryDropped],
]);

/** Whether the alert belongs to the fault: it is on the hub of the fault, and is its alert or comes with it. */
function belongsTo({ alert, job, firstSeconds }: FiredAlert, fault: Fault, lines: readonly FaultLine[]): boolean {
  const { name, place } = fault;
  if (job !== (place === 'hub' ? stageJob : faultJob(name))) return false;
  const seconds = (state: string) => {
    const line = lines.find((one) => one.fault === name && one.state === state);
    return Date.parse(String(line?.time)) / 1000;
  };
  if (firstSeconds < seconds('begun')) return false;
  if ([fault.alert, ...(companions[name] ?? [])].includes(alert)) return true;
  const startOrStop = startAndStopAlerts.get(alert);
  if (startOrStop === undefined || place === 'hub') return false;
  const conditionSeconds = firstSeconds - startOrStop.forSeconds * timeScale;
  return conditionSeconds < seconds('made') || firstSeconds > seconds('firing');
}

describeWith(['otelcol', 'prometheus'], 'an injected fault', () => {
  let stage: DrillStage;
  let lines: FaultLine[] = [];
  beforeAll(async () => {
    stage = await startDrillStage();
    lines = await stage.drill(hubFaults.map(({ name }) => name));
  }, drillTimeoutMs);
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test.each(hubFaults)('$name makes $alert fire, and $alert resolves once it is undone', ({ name }) => {
    expect(statesOf(lines, name)).toEqual(firedAndResolved);
  });

  test('makes no alert fire on its hub but its own and those that necessarily come with it', async () => {
    const fired = await stage.firedAlerts();
    const isExpected = (one: FiredAlert) => hubFaults.some((fault) => belongsTo(one, fault, lines));
    expect(fired.filter((one) => !isExpected(one))).toEqual([]);
  });

  test('is marked as a drill on every hub that existed for it, so that boards leave it out', async () => {
    const marked = 'group by (job) (last_over_time(target_info{deployment_environment_name="drill"}[2h]))';
    const jobs = (await stage.watched.prometheus.query(marked)).map(({ labels }) => labels.job);
    const expected = hubFaults.filter(({ place }) => place === 'own hub').map(({ name }) => faultJob(name));
    expect(jobs.toSorted()).toEqual(expected.toSorted());
  });

  test('leaves no alert firing, not even about a hub that existed for it only', {
    timeout: drillTimeoutMs,
  }, async () => {
    await vi.waitFor(async () => expect(await stage.firing()).toEqual([]), { timeout: quietTimeoutMs, interval: 500 });
  });
});

/**
 * The stage of drills: a hub, the real collector, and a real Prometheus with the repository's rules, in which minutes last
 * seconds. Faults are made by the command that users have.
 */
import { expect, vi } from 'vitest';
import { alertRules } from '../../../grafana/rules/alert-rules.ts';
import { recordingRules } from '../../../grafana/rules/recording-rules.ts';
import { ruleFile } from '../../../grafana/rules/rule.ts';
import { runCommand } from '../programs/command-run.ts';
import { quickExports } from './hub-observed.ts';
import { startWatchedHub, type WatchedHub } from './hub-watched.ts';

/** A line that the command printed about a fault. */
export type FaultLine = Record<string, unknown>;

/** The stage. Disposing it ends all of it. */
export interface DrillStage extends AsyncDisposable {
  readonly watched: WatchedHub;
  /** Makes the faults, waits for their alerts, undoes them, and waits until the alerts have resolved. */
  drill(faults: readonly string[], words?: readonly string[]): Promise<FaultLine[]>;
  /** Names of the alerts that fire now. */
  firing(): Promise<string[]>;
}

/** The states of a fault whose alert fired and resolved. */
export const firedAndResolved = ['begun', 'made', 'firing', 'undone', 'resolved'];

/** A window of ten minutes lasts ten seconds. */
const timeScale = 1 / 60;
/** This alert looks at a whole day. */
const dayLong = { alert: 'HestiaAuditChainBroken', timeScale: timeScale / 60 };
/** The pair of windows of the objectives that is over soonest; the others take minutes to fire, and to resolve, even so. */
const shortestBurn = '1h';
/** How long an alert may take to fire or to resolve, in seconds; it is waited for and not the time. */
const holdSeconds = 150;

/** Starts it, and waits until Prometheus sees the hub and nothing fires. */
export async function startDrillStage(): Promise<DrillStage> {
  const watched = await startWatchedHub(
    {},
    {
      file: { scheduler: { intervalHours: 24 } },
      rules: drillRules(),
      collectorEnvironment: { COLLECTOR_METRIC_EXPIRATION: '5s' },
    },
  );
  const firing = async () =>
    (await watched.prometheus.alerts()).flatMap(({ state, labels }) =>
      state === 'firing' ? [String(labels.alertname)] : [],
    );
  const soon = { timeout: 20_000, interval: 200 };
  await vi.waitFor(async () => expect(await watched.prometheus.query('hestia_audit_gap')).toHaveLength(1), soon);
  await vi.waitFor(async () => expect(await firing()).toEqual([]), soon);
  return {
    watched,
    firing,
    drill: async (faults, words = []) => {
      const { hub, collector, prometheus } = watched;
      const environment = { ...process.env, ...quickExports, OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl };
      const where = ['--url', hub.url, '--key', hub.key(), '--prometheus', prometheus.url];
      const how = ['--until-resolved', '--hold', String(holdSeconds), '--pace', '250'];
      const command = ['demo', '--faults', faults.join(','), ...where, ...how, ...words];
      return (await runCommand(command, { environment })).lines();
    },
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  };
}

/** The states that a fault went through. */
export function statesOf(lines: readonly FaultLine[], name: string): unknown[] {
  return lines.flatMap(({ fault, state }) => (fault === name ? [state] : []));
}

function drillRules(): Record<string, string> {
  const sooner = alertRules({ timeScale: dayLong.timeScale })
    .flatMap((group) => group.rules)
    .filter(({ alert }) => alert === dayLong.alert);
  const groups = alertRules({ timeScale }).map((group) => ({
    ...group,
    rules: group.rules
      .filter(({ labels }) => labels.long === undefined || labels.long === shortestBurn)
      .map((rule) => sooner.find(({ alert }) => alert === rule.alert) ?? rule),
  }));
  return {
    'recording.yaml': ruleFile('Recorded for drills.', recordingRules({ timeScale })),
    'alerts.yaml': ruleFile('Alerts for drills.', groups),
  };
}

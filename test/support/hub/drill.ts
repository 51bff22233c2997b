/**
 * The setup of alert drills: a hub, the real collector, and a real Prometheus with the rules of the repository.
 * Time is scaled so that minutes last seconds. Faults are injected by `hestia demo --faults`, as users do.
 */
import { expect, vi } from 'vitest';
import { alertRules } from '../../../grafana/rules/alert-rules.ts';
import { recordingRules } from '../../../grafana/rules/recording-rules.ts';
import { ruleFile } from '../../../grafana/rules/rule.ts';
import { runCommand } from '../programs/command-run.ts';
import { activeAlerts, type FiredAlert, firedAlerts, unexplainedAlerts } from '../programs/fired-alerts.ts';
import { scrapeSecondsDefault } from '../programs/prometheus.ts';
import { quickExports } from './hub-observed.ts';
import { startWatchedHub, type WatchedHub } from './hub-watched.ts';

/** A line that the command prints about a fault. */
export type FaultLine = Record<string, unknown>;

/** The setup of a drill. Disposing it stops all of it. */
export interface DrillStage extends AsyncDisposable {
  readonly watched: WatchedHub;
  /** Injects the faults, waits for their alerts, undoes them, and waits until the alerts have resolved. */
  drill(faults: readonly string[], words?: readonly string[]): Promise<FaultLine[]>;
  /** Every alert that has fired since the setup was complete, without those that a busy machine explains. */
  firedAlerts(): Promise<FiredAlert[]>;
  /** Names of the alerts that fire now, without those that a busy machine explains. */
  firing(): Promise<string[]>;
}

/** The states of a fault whose alert fired and resolved, in order. */
export const firedAndResolved = ['begun', 'made', 'firing', 'undone', 'resolved'];

/** Factor of all times in the rules of a drill: a window of ten minutes lasts ten seconds. */
export const timeScale = 1 / 60;
/** The window of this alert is a day. */
const dayLong = { alert: 'HestiaAuditChainBroken', timeScale: timeScale / 60 };
/** The shortest pair of windows of the objectives. The others take minutes to fire and to resolve, even scaled. */
const shortestBurn = '1h';
/** Limit for an alert to fire or to resolve, in seconds. A drill waits for the alert, not for this time. */
const holdSeconds = 300;

/**
 * Metric exports as often as Prometheus scrapes. More of them only load the machine: a hub with hundreds of tools has
 * thousands of series.
 */
const drillExports = { ...quickExports, OTEL_METRIC_EXPORT_INTERVAL: `${scrapeSecondsDefault * 1000}` };

/** Starts the setup, and waits until Prometheus has metrics of the hub and no alert fires. */
export async function startDrillStage(): Promise<DrillStage> {
  const watched = await startWatchedHub(
    {},
    {
      file: { scheduler: { intervalHours: 24 } },
      environment: drillExports,
      rules: drillRules(),
      collectorEnvironment: { COLLECTOR_METRIC_EXPIRATION: '10s' },
    },
  );
  const { prometheus } = watched;
  const firing = async () =>
    (await unexplainedAlerts(prometheus, await activeAlerts(prometheus))).map(({ alert }) => alert);
  const poll = { timeout: 60_000, interval: 200 };
  await vi.waitFor(async () => expect(await prometheus.query('hestia_audit_gap')).toHaveLength(1), poll);
  await vi.waitFor(async () => expect(await firing()).toEqual([]), poll);
  const fromSeconds = Date.now() / 1000;
  return {
    watched,
    firing,
    firedAlerts: async () => {
      const fired = await firedAlerts(prometheus, { fromSeconds, toSeconds: Date.now() / 1000 });
      return unexplainedAlerts(prometheus, fired);
    },
    drill: async (faults, words = []) => {
      const { hub, collector } = watched;
      const environment = { ...process.env, ...drillExports, OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl };
      const where = ['--url', hub.url, '--key', hub.key(), '--prometheus', prometheus.url];
      const how = ['--until-resolved', '--hold', String(holdSeconds), '--pace', '250'];
      const command = ['demo', '--faults', faults.join(','), ...where, ...how, ...words];
      return (await runCommand(command, { environment })).lines();
    },
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  };
}

/** The states of a fault, in order. */
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
    'recording.yaml': ruleFile('Recording rules for drills.', recordingRules({ timeScale })),
    'alerts.yaml': ruleFile('Alerts for drills.', groups),
  };
}

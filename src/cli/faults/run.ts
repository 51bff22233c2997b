/**
 * Runs one fault: injects it, holds it until its alert fires or a timeout, and undoes it.
 * Optionally waits until the alert resolves. The fault is undone even if an error occurs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandSurroundings } from '../command-context.ts';
import type { HubClient } from '../hub-client.ts';
import type { AlertWatch } from './alert-watch.ts';
import { type CollectorCommands, type Fault, type FaultContext, faultJob, hubStarter } from './fault.ts';

/** The state of a fault. `missed`: the alert did not fire, or did not resolve, in time. */
export type FaultState = 'made' | 'firing' | 'undone' | 'resolved' | 'missed';

/** One state change of a fault. `alsoFiring` names the other alerts that fire at that moment. */
export interface FaultReport {
  fault: string;
  alert: string;
  state: FaultState;
  alsoFiring?: readonly string[];
}

/** How faults are run. */
export interface FaultRunOptions {
  hub: HubClient;
  surroundings: CommandSurroundings;
  /** Reports whether alerts fire. Without it, a fault is held for `holdMs`. */
  watch: AlertWatch | undefined;
  commands: CollectorCommands;
  paceMs: number;
  /** How long to wait for an alert to fire, and again for it to resolve. */
  holdMs: number;
  /** Whether to wait for the alert to resolve. Alerts over an hour or a day take that long. */
  untilResolved: boolean;
  onReport: (report: FaultReport) => void;
}

/** How long a hub takes to appear in Prometheus at default intervals: one metric export and two scrapes. */
const seenMsDefault = 45_000;

/** Runs one fault. Rejects if it cannot be injected or is interrupted; it is undone even then. */
export async function runFault(fault: Fault, options: FaultRunOptions): Promise<void> {
  const { surroundings, watch, untilResolved, onReport } = options;
  const holdMs = Math.max(options.holdMs, (fault.holdSecondsMin ?? 0) * 1000);
  const alert = { name: fault.alert, job: fault.place === 'own hub' ? faultJob(fault.name) : undefined };
  const { signal } = surroundings;
  const report = (state: FaultState, alsoFiring?: readonly string[]) =>
    onReport({ fault: fault.name, alert: fault.alert, state, ...(alsoFiring !== undefined && { alsoFiring }) });
  await using parts = new AsyncDisposableStack();
  const context = faultContext(fault, options, parts);
  {
    await using _made = await fault.make(context);
    report('made');
    if (watch === undefined) await delay(holdMs, undefined, { signal });
    else await reportWhen(watch.untilFiring(alert, holdMs), 'firing', report);
  }
  report('undone');
  if (watch !== undefined && untilResolved) await reportWhen(watch.untilResolved(alert, holdMs), 'resolved', report);
}

async function reportWhen(
  waiting: Promise<readonly string[] | undefined>,
  state: 'firing' | 'resolved',
  report: (state: FaultState, alsoFiring?: readonly string[]) => void,
): Promise<void> {
  const others = await waiting;
  if (others === undefined) report('missed');
  else report(state, others);
}

function faultContext(
  { name }: Fault,
  { hub, surroundings, watch, commands, paceMs, holdMs }: FaultRunOptions,
  parts: AsyncDisposableStack,
): FaultContext {
  const { signal, environment } = surroundings;
  return {
    hub,
    commands,
    paceMs,
    signal,
    otlpUrl: environment.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318',
    startHub: hubStarter(surroundings, { name, parts }),
    untilSeen: ({ instance }) =>
      watch === undefined ? delay(seenMsDefault, undefined, { signal }) : watch.untilSeen(instance, holdMs),
  };
}

/**
 * One fault from its making to its end: made, held until the alert fires or the time is over, undone, and watched until the
 * alert resolves, where that is asked for. What was made is undone whatever happens.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandSurroundings } from '../command-context.ts';
import type { HubClient } from '../hub-client.ts';
import type { AlertWatch } from './alert-watch.ts';
import { type CollectorCommands, type Fault, type FaultContext, faultJob, hubStarter } from './fault.ts';

/** Where a fault stands. `missed`: the alert did not fire, or did not resolve, in time. */
export type FaultState = 'made' | 'firing' | 'undone' | 'resolved' | 'missed';

/** One step of a fault. `alsoFiring` names other alerts that fire at the time. */
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
  /** Whom to ask whether alerts fire; without it a fault is held for `holdMs`. */
  watch: AlertWatch | undefined;
  commands: CollectorCommands;
  paceMs: number;
  /** How long a fault is held at most, and how long its resolving is waited for. */
  holdMs: number;
  /** Whether to wait for the alert to resolve; those that look at an hour or a day take as long. */
  untilResolved: boolean;
  onReport: (report: FaultReport) => void;
}

/** What a hub needs to be seen where nobody can be asked: one export of metrics and two scrapes, at their usual pace. */
const seenMsDefault = 45_000;

/** Runs one fault. Rejects where it cannot be made, or is interrupted; it is undone then too. */
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
    else await told(watch.untilFiring(alert, holdMs), 'firing', report);
  }
  report('undone');
  if (watch !== undefined && untilResolved) await told(watch.untilResolved(alert, holdMs), 'resolved', report);
}

async function told(
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

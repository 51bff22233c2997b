/** The fault interface: injects the condition of an alert on purpose, and undoes it. Also helpers that faults share. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandSurroundings } from '../command-context.ts';
import type { HubClient } from '../hub-client.ts';
import { type FaultHub, type FaultHubOptions, startFaultHub } from './hub.ts';

/** Target of a fault: the hub that the command names, a hub that the demo starts for it, or the collector. */
export type FaultPlace = 'hub' | 'own hub' | 'collector';

/** A fault. */
export interface Fault {
  /** The name of the alert in kebab-case, without Hestia. */
  name: string;
  /** The alert that should fire. */
  alert: string;
  place: FaultPlace;
  /** What the fault does, as the predicate of a sentence. */
  does: string;
  /** The minimum time until its alert can fire, if that is longer than usual. */
  holdSecondsMin?: number;
  /** Injects the fault and maintains it until the result is disposed, which undoes it. Rejects if it cannot be injected. */
  make(context: FaultContext): Promise<AsyncDisposable>;
}

/** What a fault can use. */
export interface FaultContext {
  /** The hub that the command names, with an operator key. */
  hub: HubClient;
  /** Starts a hub for this fault. It runs until the fault is undone. */
  startHub(options?: Omit<FaultHubOptions, 'instance'>): Promise<FaultHub>;
  /** Waits until Prometheus has metrics of this hub with its server connected. */
  untilSeen(hub: FaultHub): Promise<void>;
  /** Shell commands that stop and start the collector and its backends. */
  commands: CollectorCommands;
  /** The OTLP endpoint of this process's environment. */
  otlpUrl: string;
  /** Pause between two rounds of a repeated fault, in milliseconds. */
  paceMs: number;
  signal: AbortSignal;
}

/** Shell commands by purpose. */
export interface CollectorCommands {
  collectorStop: string;
  collectorStart: string;
  backendsStop: string;
  backendsStart: string;
}

/**
 * Repeats `work` until the result is disposed. Waits for the first round, so that a fault that cannot be injected rejects.
 * Later rounds may fail, because the fault itself may cause that.
 */
export async function repeat(work: () => Promise<unknown>, { paceMs, signal }: FaultContext): Promise<AsyncDisposable> {
  await work();
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const rounds = async () => {
    while (!until.aborted) {
      await delay(paceMs, undefined, { signal: until }).catch(() => undefined);
      if (!until.aborted) await work().catch(() => undefined);
    }
  };
  const running = rounds();
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await running;
    },
  };
}

/** A disposable that runs `undo`. */
export function undoing(undo: () => Promise<void> | void): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => undo() };
}

/** The `service.instance.id` of a hub that is started for a fault. */
export function faultInstance(name: string): string {
  return `demo-${name}`;
}

/** The label `job` of a hub that is started for a fault. */
export function faultJob(name: string): string {
  return `${faultInstance(name)}/hestia`;
}

/** Starts hubs for one fault. They are disposed with `parts`. */
export function hubStarter(
  surroundings: CommandSurroundings,
  { name, parts }: { name: string; parts: AsyncDisposableStack },
): FaultContext['startHub'] {
  return async (options = {}) =>
    parts.use(await startFaultHub(surroundings, { instance: faultInstance(name), ...options }));
}

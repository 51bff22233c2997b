/** A fault: a condition that an alert is for, made on purpose and undone. What faults are given, and what they share. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandSurroundings } from '../command-context.ts';
import type { HubClient } from '../hub-client.ts';
import { type FaultHub, type FaultHubOptions, startFaultHub } from './hub.ts';

/** Where a fault is made: on the hub that the command names, on one that the demo starts for it, or at the collector. */
export type FaultPlace = 'hub' | 'own hub' | 'collector';

/** A fault by name. */
export interface Fault {
  /** The alert's name in kebab-case, without Hestia. */
  name: string;
  /** The alert that should fire. */
  alert: string;
  place: FaultPlace;
  /** What is done, in a sentence that goes on after "It". */
  does: string;
  /** The least time it must last for its alert, where that is longer than usual. */
  holdSecondsMin?: number;
  /** Makes it, and goes on making it until what it answers is disposed, which undoes it. Rejects where it cannot be made. */
  make(context: FaultContext): Promise<AsyncDisposable>;
}

/** What a fault works with. */
export interface FaultContext {
  /** The hub that the command names, with an operator's key. */
  hub: HubClient;
  /** Starts a hub of the demo's own; it lives until the fault is undone. */
  startHub(options?: Omit<FaultHubOptions, 'instance'>): Promise<FaultHub>;
  /** Waits until whoever watches has seen this hub as it should be. */
  untilSeen(hub: FaultHub): Promise<void>;
  /** Shell commands that end and start the collector and what is behind it. */
  commands: CollectorCommands;
  /** Where this process's environment says that OTLP is taken. */
  otlpUrl: string;
  /** Time between two rounds of a fault that is made over and over, in milliseconds. */
  paceMs: number;
  signal: AbortSignal;
}

/** Shell commands, by what they do. */
export interface CollectorCommands {
  collectorStop: string;
  collectorStart: string;
  backendsStop: string;
  backendsStart: string;
}

/**
 * Does `work` round after round until it is disposed; waits for the first round, so that what cannot be done is told.
 * Later rounds may fail: what they meet is what the fault is about.
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

/** Something to undo. */
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

/** Makes hubs for one fault: each is ended with `parts`. */
export function hubStarter(
  surroundings: CommandSurroundings,
  { name, parts }: { name: string; parts: AsyncDisposableStack },
): FaultContext['startHub'] {
  return async (options = {}) =>
    parts.use(await startFaultHub(surroundings, { instance: faultInstance(name), ...options }));
}

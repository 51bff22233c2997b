/**
 * Child processes, each in a process group of its own. A signal to the group reaches the processes that the child has
 * started too. Groups that still run when the hub exits are killed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { settledWithin } from '../../flow/time-limit.ts';

/** A child process with pipes for its input, output and standard error. */
export type PipedProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** The program to start. */
export interface Program {
  command: string;
  args: readonly string[];
  /** Its complete environment. */
  env: Record<string, string>;
  cwd?: string | undefined;
}

/** The ids of the groups that may still have processes. */
const groupsRunning = new Set<number>();

/** Starts a program as the leader of a new process group. Errors are reported by the event `error` of the process. */
export function startProcessGroup({ command, args, env, cwd }: Program): PipedProcess {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  if (child.pid === undefined) return child;
  if (groupsRunning.size === 0) process.on('exit', killGroups);
  groupsRunning.add(child.pid);
  return child;
}

/** Sends a signal to all processes of the group. Returns false if there are none. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    // ESRCH: no process is left. EPERM: those that are left have changed their user, and cannot be signalled.
    return false;
  }
}

/** Kills all processes of the group. None can survive, so it is not killed again when the hub exits. */
export function killGroup(pid: number): void {
  signalGroup(pid, 'SIGKILL');
  forgetGroup(pid);
}

const pollMs = 10;

/** Waits until no process of the group is left, at most `timeoutMs` milliseconds. Returns whether none is left. */
export async function groupEnded(pid: number, timeoutMs: number): Promise<boolean> {
  const timeUp = new AbortController();
  const ended = await settledWithin(timeoutMs, untilGroupEnded(pid, timeUp.signal));
  timeUp.abort();
  if (ended) forgetGroup(pid);
  return ended;
}

/** Polls, since the system reports only the end of a child itself, not that of other processes of its group. */
async function untilGroupEnded(pid: number, timeUp: AbortSignal): Promise<void> {
  while (signalGroup(pid, 0) && !timeUp.aborted) await delay(pollMs);
}

function forgetGroup(pid: number): void {
  if (groupsRunning.delete(pid) && groupsRunning.size === 0) process.off('exit', killGroups);
}

function killGroups(): void {
  for (const pid of groupsRunning) signalGroup(pid, 'SIGKILL');
}

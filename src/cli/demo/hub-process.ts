/** A hub as a child process of a command: starts it, waits until it is ready, stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandSurroundings } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** How the process is started. */
export interface HubProcessOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Its working directory; that of this process by default. */
  folder?: string;
  /** `inherit`: it prints on the terminal of this process. */
  stderr: 'pipe' | 'inherit';
}

/** The wait for a hub: where it listens, and how an error names it. */
export interface HubWait {
  url: string;
  name: string;
  signal: AbortSignal;
}

/** A limit for a hub that hangs at startup. On a busy machine, a start takes many seconds. */
export const startTimeoutMs = 120_000;
/** The pause between two polls of a hub that starts. */
export const pollMs = 50;
/** How long one poll waits for an answer. */
const pollTimeoutMs = 5000;

/** Starts the process. Whoever starts it stops it. */
export function spawnHub(
  { hubFile }: Pick<CommandSurroundings, 'hubFile'>,
  { environment, folder, stderr }: HubProcessOptions,
): ChildProcess {
  return spawn(process.execPath, ['--disable-sigusr1', '--disable-warning=ExperimentalWarning', hubFile], {
    ...(folder !== undefined && { cwd: folder }),
    // A process group of its own: Ctrl-C interrupts the command only, which then stops this hub.
    detached: true,
    stdio: ['ignore', 'ignore', stderr],
    env: environment,
  });
}

/** Waits until the hub is ready. An error names only the hub's error line, because other lines may contain its key. */
export async function untilReady(child: ChildProcess, { url, name, signal }: HubWait): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors = `${errors}${chunk}`.slice(-2000);
  });
  const deadline = performance.now() + startTimeoutMs;
  let reason = `not ready after ${startTimeoutMs / 1000} s`;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null) {
      reason = 'its process ended';
      break;
    }
    if (await isReady(url)) return;
    await delay(pollMs);
  }
  throw new CommandError(exitCodes.failed, `${name} did not start: ${/^hestia: (.+)$/m.exec(errors)?.[1] ?? reason}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(pollTimeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Sends the signal if the process still runs, and waits for its exit. Resumes a suspended process first. */
export async function stopHub(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGCONT');
  child.kill(signal);
  await ended;
}

/** The wanted port of this machine, or any free one. @throws CommandError if there is none */
export async function freePort(wanted = 0): Promise<number> {
  const port = (await listenedPort(wanted)) ?? (await listenedPort(0));
  if (port === undefined) throw new CommandError(exitCodes.failed, 'no port is free');
  return port;
}

/** The port at which a server could listen; undefined if it could not. */
async function listenedPort(wanted: number): Promise<number | undefined> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => resolve(true));
  });
  if (!isListening) return undefined;
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === 'string' ? undefined : address.port;
}

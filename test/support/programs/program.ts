/** Starts a third-party server program for a test, waits until it is ready, and stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { waitFor } from '../wait-for.ts';

/** A running program. Disposing it stops it. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Its standard output and standard error so far. */
  output(): string;
  /** Sends a signal, SIGTERM by default, and waits for the exit. Does nothing if the program has already exited. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** How a program is started. */
export interface ProgramOptions {
  command: string;
  args: string[];
  environment?: Record<string, string>;
  /** Polled until `isReady` accepts the response, by default any 2xx. */
  readyUrl: string;
  isReady?: (response: Response) => boolean;
}

const readyTimeoutMs = 120_000;

/**
 * Starts a program and waits until it is ready.
 * @throws Error with its output if it exits first, or is not ready after 120 s. It is then no longer running.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { command, args, environment, readyUrl, isReady = ({ ok }) => ok } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let output = '';
  const append = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (isRunning()) child.kill(signal);
    await exited;
  };
  try {
    await waitFor(async () => {
      if (!isRunning()) return;
      const response = await fetch(readyUrl, { signal: AbortSignal.timeout(readyTimeoutMs) });
      await response.body?.cancel();
      if (!isReady(response)) throw new Error(`${command} is not ready`);
    }, readyTimeoutMs);
    if (!isRunning()) throw new Error(`${command} exited at startup`);
  } catch (cause) {
    await stop('SIGKILL');
    throw new Error(`${command} did not start: ${output.slice(-4000)}`, { cause });
  }
  return { child, output: () => output, stop, [Symbol.asyncDispose]: () => stop('SIGKILL') };
}

/** A server program of others, started for a test: its output, its end, and whether it is ready. */
import { type ChildProcess, spawn } from 'node:child_process';
import { waitFor } from '../wait-for.ts';

/** A running program. Disposing it ends it. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it has printed, both streams. */
  output(): string;
  /** Sends a signal (SIGTERM unless told) and waits for the end; one that has ended is left alone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** How a program is started. */
export interface ProgramOptions {
  command: string;
  args: string[];
  environment?: Record<string, string>;
  /** Answers 2xx once the program is ready, unless `isReady` says something else. */
  readyUrl: string;
  isReady?: (response: Response) => boolean;
}

const readyTimeoutMs = 20_000;

/**
 * Starts a program and waits until it is ready.
 * @throws Error with its output where it ends before, or is not ready after 20 s; nothing is left running then.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { command, args, environment, readyUrl, isReady = ({ ok }) => ok } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (isRunning()) child.kill(signal);
    await ended;
  };
  try {
    await waitFor(async () => {
      if (!isRunning()) return;
      const response = await fetch(readyUrl, { signal: AbortSignal.timeout(readyTimeoutMs) });
      await response.body?.cancel();
      if (!isReady(response)) throw new Error(`${command} is not ready`);
    }, readyTimeoutMs);
    if (!isRunning()) throw new Error(`${command} ended at its start`);
  } catch (cause) {
    await stop('SIGKILL');
    throw new Error(`${command} did not start: ${output.slice(-4000)}`, { cause });
  }
  return { child, output: () => output, stop, [Symbol.asyncDispose]: () => stop('SIGKILL') };
}

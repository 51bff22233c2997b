/** Starts the hub as a separate process, as users run it, with its own folder and port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';
import { readLines } from './hub.ts';

/** How a process is started. */
export interface HubProcessOptions {
  file?: Record<string, unknown>;
  environment?: Record<string, string>;
  /** A folder with the data of an earlier process. It is not removed. */
  folder?: string;
  port?: number;
  /** The script and its arguments; src/main.ts by default. */
  entry?: readonly [string, ...string[]];
}

/** A process under test. Disposing it kills it, and removes its folder unless the caller provided it. */
export interface HubProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code, or null if a signal terminated the process. */
  readonly exited: Promise<number | null>;
  /** The operator key. */
  key(): string;
  fetch(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
  logLines(): Record<string, unknown>[];
  /**
   * Resolves when the hub is ready. Rejects with its standard error if it exits first, or is not ready after `timeoutMs`
   * (120 s). It is then no longer running.
   */
  ready(timeoutMs?: number): Promise<void>;
}

/** The options of Node with which `npm start` and the image start the hub. */
const hubOptions = ['--disable-sigusr1', '--disable-warning=ExperimentalWarning'];
const mainFile = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** How long one answer of a starting hub may take. Without it, a hub that accepts connections and is stuck is waited for without end. */
const answerTimeoutMs = 30_000;

/** A port that is currently free. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** Starts the process. When this resolves, the hub may not be ready yet, or may refuse to start. */
export async function startHubProcess(options: HubProcessOptions = {}): Promise<HubProcess> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hestia-process-')));
  if (options.file !== undefined) await writeFile(join(folder, 'hestia.config.json'), JSON.stringify(options.file));
  const port = options.port ?? (await freePort());
  const child = spawn(process.execPath, [...hubOptions, ...(options.entry ?? [mainFile])], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      HESTIA_PORT: String(port),
      OTEL_SDK_DISABLED: 'true',
      ...options.environment,
    },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${port}`;
  const key = () => readFileSync(join(folder, 'data', 'operator.key'), 'utf8').trim();
  const logFile = join(folder, 'data', 'hestia.log');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url,
    port,
    folder,
    child,
    exited,
    key,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logLines: () => (existsSync(logFile) ? readLines(logFile) : []),
    fetch: (path, { json, headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        method: json === undefined ? 'GET' : 'POST',
        ...init,
        headers: {
          authorization: `Bearer ${key()}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      }),
    ready: async (timeoutMs) => {
      try {
        await untilReady({ url, child, timeoutMs });
      } catch (cause) {
        await kill();
        throw new Error(`the hub did not start: ${output.stderr}`, { cause });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Waiting {
  url: string;
  child: ChildProcess;
  timeoutMs: number | undefined;
}

async function untilReady({ url, child, timeoutMs }: Waiting): Promise<void> {
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  await waitFor(async () => {
    if (hasExited()) return;
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`/readyz answers ${response.status}`);
  }, timeoutMs);
  if (hasExited()) throw new Error('it exited at startup');
}

/** The resident memory of the process, in MiB. Linux only. */
export function residentMiB({ child }: HubProcess): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}

/** Waits until the servers are connected. */
export async function untilServersConnected(hub: HubProcess, ...serverIds: string[]): Promise<void> {
  await waitFor(async () => {
    const { items } = JSON.parse(await (await hub.fetch('/v1/servers')).text());
    const connected = items.filter((item: { state: string }) => item.state === 'connected');
    const missing = serverIds.filter((id) => !connected.some((item: { serverId: string }) => item.serverId === id));
    if (missing.length > 0) throw new Error(`not connected: ${missing.join(', ')}`);
  });
}

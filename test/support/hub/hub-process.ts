/** The hub as a process of its own, as users run it: real start, real signals, a folder and a port of its own. */
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
  /** A folder with an earlier process's data, which is then kept. */
  folder?: string;
  port?: number;
  /** The script that is started, and what it is given; the hub's own entry unless told. */
  entry?: readonly [string, ...string[]];
}

/** A process under test. Disposing it kills it and removes its folder, unless that was given. */
export interface HubProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code once it has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** The operator's key. */
  key(): string;
  fetch(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
  logLines(): Record<string, unknown>[];
  /** Resolves when it is ready; rejects with its standard error where it ends before. */
  ready(): Promise<void>;
}

const mainFile = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** Starts the process; it may not be ready, or may refuse to start, when this resolves. */
export async function startHubProcess(options: HubProcessOptions = {}): Promise<HubProcess> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hestia-process-')));
  if (options.file !== undefined) await writeFile(join(folder, 'hestia.config.json'), JSON.stringify(options.file));
  const port = options.port ?? (await freePort());
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...(options.entry ?? [mainFile])], {
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
    ready: () => untilReady(url, child, () => output.stderr),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, child: ChildProcess, stderr: () => string): Promise<void> {
  await waitFor(async () => {
    if (child.exitCode !== null) throw new Error(`the hub ended at its start: ${stderr()}`);
    const response = await fetch(`${url}/readyz`);
    if (!response.ok) throw new Error('not ready yet');
  });
}

/** Memory that the process holds now, as Linux counts it, in MiB. */
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

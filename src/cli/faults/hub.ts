/**
 * A hub that is there to be harmed: a process of its own with a folder, a port and a `service.instance.id` of its own, which
 * sends its telemetry where this process's environment says. Ending it removes everything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { JsonObject } from '../../shapes/json.ts';
import type { CommandSurroundings } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { createHubClient, type HubClient } from '../hub-client.ts';
import { faultServer, faultServerId } from './server.ts';

/** How such a hub differs from a plain one. */
export interface FaultHubOptions {
  /** Its `service.instance.id`, and its `service.namespace`: what alerts add up by deployment, they add up for it alone. */
  instance: string;
  /** What its configuration file holds besides, or instead of, its one server. */
  file?: JsonObject;
  /** Variables besides those of this process. */
  environment?: Record<string, string>;
}

/** The hub. Disposing it ends it, however it is, and removes its folder. */
export interface FaultHub extends AsyncDisposable {
  readonly hub: HubClient;
  readonly instance: string;
  readonly folder: string;
  readonly databaseFile: string;
  /** Starts it again after {@link stop} or {@link kill}; `file` replaces the configuration. */
  start(file?: JsonObject): Promise<void>;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
  /** SIGKILL, SIGSTOP or SIGCONT. */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
}

/** What is needed of the process. */
export type FaultHubSurroundings = Pick<CommandSurroundings, 'environment' | 'hubFile' | 'signal'>;

const startTimeoutMs = 30_000;
const pollMs = 50;
/** The longest interval: what faults do to cleanups, they do themselves. */
const quietScheduler = { intervalHours: 24 };
/** How often it sends metrics, in milliseconds, unless the environment says otherwise: whoever watches it waits less. */
const metricIntervalMsDefault = '5000';

/** Starts one and waits until it is ready and its server connected. @throws CommandError with its own last line */
export async function startFaultHub(surroundings: FaultHubSurroundings, options: FaultHubOptions): Promise<FaultHub> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-demo-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const start = async (file = options.file ?? {}) => {
    const configuration = { mcpServers: { [faultServerId]: faultServer() }, scheduler: quietScheduler, ...file };
    await writeFile(join(folder, 'hestia.config.json'), JSON.stringify(configuration));
    const child = spawnHub(surroundings, options, { folder, url });
    try {
      await untilReady(child, url, surroundings.signal);
      return child;
    } catch (error) {
      await endedBy(child, 'SIGKILL');
      throw error;
    }
  };
  let child: ChildProcess;
  try {
    child = await start();
    const key = (await readFile(join(folder, 'operator.key'), 'utf8')).trim();
    const hub = createHubClient({ url, key });
    await untilConnected(hub, surroundings.signal);
    return {
      hub,
      instance: options.instance,
      folder,
      databaseFile: join(folder, 'hestia.db'),
      start: async (file) => {
        child = await start(file);
      },
      stop: () => endedBy(child, 'SIGTERM'),
      kill: (signal) => void child.kill(signal),
      [Symbol.asyncDispose]: async () => {
        await endedBy(child, 'SIGTERM');
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function spawnHub(
  { environment, hubFile }: FaultHubSurroundings,
  options: FaultHubOptions,
  { folder, url }: { folder: string; url: string },
): ChildProcess {
  const inherited = Object.entries(environment).filter(([name]) => !name.startsWith('HESTIA_'));
  const { instance } = options;
  const own = `service.namespace=${instance},service.instance.id=${instance}`;
  const attributes = [environment.OTEL_RESOURCE_ATTRIBUTES, own];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', hubFile], {
    cwd: folder,
    // A group of its own: Ctrl-C ends the demo, which ends this hub in its own time.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      OTEL_METRIC_EXPORT_INTERVAL: metricIntervalMsDefault,
      ...Object.fromEntries(inherited),
      OTEL_RESOURCE_ATTRIBUTES: attributes.filter((text) => text !== undefined && text !== '').join(','),
      HESTIA_PORT: new URL(url).port,
      HESTIA_DATA_DIR: folder,
      ...options.environment,
    },
  });
  return child;
}

/** Resolves at the first answer of readiness. Only a line that the hub wrote for people is told: others may hold its key. */
async function untilReady(child: ChildProcess, url: string, signal: AbortSignal): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors = `${errors}${chunk}`.slice(-2000);
  });
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await isReady(url)) return;
    await delay(pollMs);
  }
  const line = /^hestia: (.+)$/m.exec(errors)?.[1] ?? 'it was not ready in time';
  throw new CommandError(exitCodes.failed, `the demo's own hub did not start: ${line}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

const serversSchema = z.object({ items: z.array(z.object({ state: z.string() })) });

async function untilConnected(hub: HubClient, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const { items } = await hub.ask('/v1/servers', serversSchema, { signal });
    if (items.every(({ state }) => state === 'connected')) return;
    await delay(pollMs);
  }
  throw new CommandError(exitCodes.failed, "the demo's own server did not connect");
}

/** Sends the signal where it still runs, and waits for its end; one that is stopped goes on first. */
async function endedBy(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGCONT');
  child.kill(signal);
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new CommandError(exitCodes.failed, 'no port is free');
  return address.port;
}

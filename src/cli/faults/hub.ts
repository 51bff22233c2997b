/**
 * A disposable hub process for faults, with its own folder, port and `service.instance.id`.
 * It sends telemetry to the endpoint of this process's environment. Disposing it removes all its data.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../shapes/json.ts';
import { serverListViewSchema } from '../../shapes/server.ts';
import { drillEnvironment } from '../../telemetry/names.ts';
import type { CommandSurroundings } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { freePort, pollMs, spawnHub, startTimeoutMs, stopHub, untilReady } from '../demo/hub-process.ts';
import { createHubClient, type HubClient } from '../hub-client.ts';
import { faultServer, faultServerId } from './server.ts';

/** How the hub differs from a default one. */
export interface FaultHubOptions {
  /** Its `service.instance.id` and `service.namespace`. Alerts that aggregate by deployment then evaluate it alone. */
  instance: string;
  /** Keys of its configuration file, in addition to or instead of its one server. */
  file?: JsonObject;
  /** Variables in addition to those of this process. */
  environment?: Record<string, string>;
}

/** A hub for faults. Disposing it stops the process, whatever its state, and removes its folder. */
export interface FaultHub extends AsyncDisposable {
  readonly hub: HubClient;
  readonly instance: string;
  readonly folder: string;
  readonly databaseFile: string;
  /** Restarts it after {@link stop} or {@link kill}. `file` replaces the configuration. */
  start(file?: JsonObject): Promise<void>;
  /** Shuts it down with SIGTERM. */
  stop(): Promise<void>;
  /** Sends SIGKILL, SIGSTOP or SIGCONT. */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
}

/** What the hub needs of this process. */
export type FaultHubSurroundings = Pick<CommandSurroundings, 'environment' | 'hubFile' | 'signal'>;

/** The longest interval, so that only faults trigger cleanups. */
const quietScheduler = { intervalHours: 24 };
/** Default metric export interval, in milliseconds. Shorter than usual, so that alerts fire sooner. */
const metricIntervalMsDefault = '5000';

/** Starts a hub, and waits until it is ready and its server is connected. @throws CommandError with the error line of the hub */
export async function startFaultHub(surroundings: FaultHubSurroundings, options: FaultHubOptions): Promise<FaultHub> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-demo-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const start = async (file = options.file ?? {}) => {
    const configuration = { mcpServers: { [faultServerId]: faultServer() }, scheduler: quietScheduler, ...file };
    await writeFile(join(folder, 'hestia.config.json'), JSON.stringify(configuration));
    const environment = hubEnvironment(surroundings, options, { folder, url });
    const child = spawnHub(surroundings, { environment, folder, stderr: 'pipe' });
    try {
      await untilReady(child, { url, name: 'the hub for the fault', signal: surroundings.signal });
      return child;
    } catch (error) {
      await stopHub(child, 'SIGKILL');
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
      stop: () => stopHub(child, 'SIGTERM'),
      kill: (signal) => void child.kill(signal),
      [Symbol.asyncDispose]: async () => {
        await stopHub(child, 'SIGTERM');
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function hubEnvironment(
  { environment }: FaultHubSurroundings,
  options: FaultHubOptions,
  { folder, url }: { folder: string; url: string },
): Record<string, string | undefined> {
  const inherited = Object.entries(environment).filter(([name]) => !name.startsWith('HESTIA_'));
  const { instance } = options;
  const own = `service.namespace=${instance},service.instance.id=${instance},deployment.environment.name=${drillEnvironment}`;
  const attributes = [environment.OTEL_RESOURCE_ATTRIBUTES, own];
  return {
    OTEL_METRIC_EXPORT_INTERVAL: metricIntervalMsDefault,
    ...Object.fromEntries(inherited),
    OTEL_RESOURCE_ATTRIBUTES: attributes.filter((text) => text !== undefined && text !== '').join(','),
    HESTIA_PORT: new URL(url).port,
    HESTIA_DATA_DIR: folder,
    ...options.environment,
  };
}

async function untilConnected(hub: HubClient, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const { items } = await hub.request('/v1/servers', serverListViewSchema, { signal });
    if (items.every(({ state }) => state === 'connected')) return;
    await delay(pollMs);
  }
  throw new CommandError(exitCodes.failed, 'the server of the hub for the fault did not connect');
}

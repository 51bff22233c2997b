/** `hestia look`: a hub to look around in, with the demo running, and no other service. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { systemErrorCode } from '../../flow/system-error.ts';
import { serverListViewSchema } from '../../shapes/server.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { wholeNumber } from '../command-options.ts';
import { createHubClient, type HubClient } from '../hub-client.ts';
import { freePort, pollMs, spawnHub, stopHub, untilReady } from './hub-process.ts';
import { type DemoRun, runDemoTraffic } from './traffic.ts';

interface LookOptions {
  data?: string;
  config?: string;
  port?: number;
  agents: number;
}

/** A hub that runs. */
interface LookHub {
  url: string;
  folder: string;
  child: ChildProcess;
}

const agentsDefault = 4;
const agentsMax = 20;
/** The duration of one run of the demo. Each run has other choices, and its agents have new keys. */
const roundMs = 600_000;
const roundStepsMax = 100_000;
/** The longest wait for servers before the agents begin. One that never connects is worth seeing, too. */
const serversWaitMsMax = 30_000;

/** Adds the command. */
export function addLookCommand(program: Command, context: CommandContext): void {
  program
    .command('look')
    .description('run a hub to look around in: with the demo, in a temporary folder, until Ctrl-C')
    .option('--config <file>', 'the configuration of the hub; by default as of serve')
    .option('--data <folder>', 'the data of the hub, which is kept; by default a temporary folder, which is removed')
    .option('--port <number>', 'where it listens; by default as of serve, or a free port', wholeNumber(1, 65_535))
    .option('--agents <count>', 'number of concurrent agents', wholeNumber(1, agentsMax), agentsDefault)
    .action((options: LookOptions) => runLook(context, options));
}

async function runLook(context: CommandContext, options: LookOptions): Promise<void> {
  const folder = resolve(options.data ?? (await mkdtemp(join(tmpdir(), 'hestia-look-'))));
  const isKept = options.data !== undefined;
  try {
    await withHub(context, { ...options, folder }, async (hub, signal) => {
      const { output } = context;
      const { url } = hub;
      output.record({ kind: 'hub', url, dataDirectory: folder, operatorKeyFile: keyFileOf(hub) }, [
        `Hestia runs at ${url}/ with its data in ${folder}.`,
        `${options.agents} agents work with its tools. Ctrl-C stops them and the hub${isKept ? '' : ', and removes the data'}.`,
      ]);
      await sendTraffic(hub, { agents: options.agents, signal, environment: context.environment });
    });
  } finally {
    if (!isKept) await rm(folder, { recursive: true, force: true });
  }
  const state = isKept ? `Its data is in ${folder}.` : 'Its data is removed.';
  context.output.record({ kind: 'end', dataDirectory: isKept ? folder : null }, ['', `The hub has stopped. ${state}`]);
}

/** Runs a hub while `work` runs, and stops it whatever happens. A closed terminal is an interruption, too. */
async function withHub(
  context: CommandContext,
  options: LookOptions & { folder: string },
  work: (hub: LookHub, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { folder } = options;
  const port = await listenPort(options.port, context);
  const url = `http://127.0.0.1:${port}`;
  const closed = new AbortController();
  const signal = AbortSignal.any([context.signal, closed.signal]);
  // The hub prints the sign-in link itself, on a terminal only: what is printed elsewhere is kept in a log.
  const stderr = context.output.isTerminal ? 'inherit' : 'pipe';
  const child = spawnHub(context, { environment: hubEnvironment(context, { ...options, port }), stderr });
  const onHangUp = () => closed.abort();
  // A second Ctrl-C exits at once. Without a hub that would be left behind.
  const onExit = () => child.kill('SIGKILL');
  process.once('SIGHUP', onHangUp);
  process.once('exit', onExit);
  try {
    await untilReady(child, { url, name: 'the hub', signal });
    await work({ url, folder, child }, signal);
  } finally {
    await stopHub(child, 'SIGTERM');
    process.off('SIGHUP', onHangUp);
    process.off('exit', onExit);
  }
}

/** The given port, or that of this environment if it is free, or another. @throws CommandError if the given one is in use */
async function listenPort(given: number | undefined, { defaults }: CommandContext): Promise<number> {
  const port = await freePort(given ?? Number(new URL(defaults.url).port));
  // Another hub there would be taken for this one.
  if (given !== undefined && port !== given)
    throw new CommandError(exitCodes.failed, `--port: ${given} is in use or not permitted; any other from 1 to 65535`);
  return port;
}

function hubEnvironment(
  { environment, configuration }: CommandContext,
  { config, folder, port }: LookOptions & { folder: string; port: number },
): Record<string, string | undefined> {
  const { file } = configuration(config === undefined ? undefined : resolve(config));
  return {
    ...environment,
    HESTIA_HOST: '127.0.0.1',
    HESTIA_PORT: String(port),
    HESTIA_DATA_DIR: folder,
    HESTIA_LOG_FILE: join(folder, 'hestia.log'),
    // Without a file the hub has the defaults, and no servers.
    HESTIA_CONFIG: existsSync(file) ? file : undefined,
  };
}

/** Runs the demo again and again until the interruption. @throws CommandError if the hub does not answer any more */
async function sendTraffic(
  hub: LookHub,
  { agents, signal, environment }: Pick<DemoRun, 'signal' | 'environment'> & { agents: number },
): Promise<void> {
  const operator = createHubClient({ url: hub.url, key: readKey(keyFileOf(hub)) });
  try {
    await untilServersSettled(operator, signal);
    for (let seed = 1; !signal.aborted; seed += agents + 1) {
      const traffic = { agents, durationMs: roundMs, stepsMax: roundStepsMax, seed };
      await runDemoTraffic(operator, traffic, { signal, environment, onStep: () => undefined });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function untilServersSettled(hub: HubClient, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + serversWaitMsMax;
  while (performance.now() < deadline) {
    const { items } = await hub.request('/v1/servers', serverListViewSchema, { signal });
    if (items.every(({ state }) => state !== 'connecting')) return;
    await delay(pollMs, undefined, { signal });
  }
}

function keyFileOf({ folder }: LookHub): string {
  return join(folder, 'operator.key');
}

/** The operator's key. A hub with older data may have none. @throws CommandError */
function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const reason = systemErrorCode(cause) ?? 'unknown reason';
    const message = `--data: cannot read ${file} (${reason}); the hub of this data has its operator key elsewhere`;
    throw new CommandError(exitCodes.failed, message, { cause });
  }
}

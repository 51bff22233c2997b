/**
 * The hub process: loads the configuration, starts telemetry first, then builds and serves the hub. On SIGHUP it reads the
 * servers of the configuration again. On SIGTERM, or another signal that would terminate it, it drains running calls and exits
 * within ten seconds, even if the collector or an upstream server does not respond.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { serve } from '@hono/node-server';
import { configurationSource, loadConfig, version } from './config.ts';
import { restrictFile, writePrivateFile } from './flow/private-file.ts';
import { systemErrorCode } from './flow/system-error.ts';
import type { Config } from './shapes/configuration/config.ts';
import { ConfigurationError } from './shapes/configuration/configuration-error.ts';
import { printable } from './shapes/text.ts';
import { type Log, type OpenedLog, openLog } from './telemetry/log.ts';
import { startTelemetry, type Telemetry } from './telemetry/start.ts';
import { createHub, type Hub } from './wiring/hub.ts';

/** The longest duration of a shutdown; after it the process kills itself. */
const shutdownMsMax = 9500;

interface Running {
  config: Config;
  log: OpenedLog;
  telemetry: Telemetry;
  hub: Hub;
  server: Server;
}

async function run(): Promise<void> {
  const sources = { environment: process.env, workingDirectory: process.cwd() };
  const config = loadConfig(sources);
  prepareDirectories(config);
  const log = await openLog({ ...config.log, standardOutput: process.stdout.isTTY ? 'readable' : 'ndjson' });
  for (const warning of config.warnings)
    log.warn('The configuration has a part that is ignored or adapted', { warning });
  for (const { serverId, reason } of config.misconfiguredServers) {
    log.error('A server is misconfigured and is not started', { server_id: serverId, reason });
  }
  const telemetry = await startTelemetry({ configuration: config.telemetry, log });
  const hub = await createHub({ config, configurationSource: configurationSource(sources), version, log, telemetry });
  const server = await listen(config, hub);
  await writeFirstKey(config, hub);
  shutDownOnSignals({ config, log, telemetry, hub, server });
  exitOnFailure(log);
  await hub.start();
  log.info('Hestia is ready', {
    url: `http://${config.host}:${portOf(server)}`,
    console_path: '/',
    mcp_path: '/mcp',
    docs_path: '/docs',
    version,
  });
  if (process.stderr.isTTY) await printSignInLink(config, hub, portOf(server));
}

/** Prints a link that opens the console as the operator, once. A hub whose operator's key is elsewhere prints none. */
async function printSignInLink({ host, operatorKeyFile }: Config, hub: Hub, port: number): Promise<void> {
  try {
    const code = await hub.access.signIn.createCode(readFileSync(operatorKeyFile, 'utf8').trim());
    const link = `http://${host}:${port}/console/sign-in?code=${code}`;
    process.stderr.write(
      `\nThe console, signed in as the operator; the link works once, within ten minutes:\n\n    ${link}\n\n`,
    );
  } catch {
    process.stderr.write(`\nThe console: http://${host}:${port}/\n\n`);
  }
}

function prepareDirectories(config: Config): void {
  for (const folder of [config.dataDirectory, dirname(config.log.file)]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new ConfigurationError(`HESTIA_DATA_DIR: ${folder} cannot be created or written: ${errorCode(cause)}`, {
        cause,
      });
    }
  }
}

/**
 * Creates the first operator's key if there is none, and writes it to a file that only its owner can read. It is printed on
 * a terminal only: elsewhere, as in a container, the output is kept in a log.
 */
async function writeFirstKey(config: Config, hub: Hub): Promise<void> {
  const file = config.operatorKeyFile;
  restrictFile(file);
  const created = await hub.access.createFirst((secret) => writePrivateFile(file, `${secret}\n`));
  if (created === undefined) return;
  const text = process.stderr.isTTY
    ? `\nThe operator's API key, shown this once and written to ${file}:\n\n    ${created.secret}\n\n`
    : `The operator's API key was written to ${file}\n`;
  process.stderr.write(text);
}

/** The interval of the check for clients that send their request too slowly. */
const connectionsCheckMs = 5000;
/** The most bytes in all headers of a request: enough for a baggage of 8,192 bytes, a trace state and a token. */
const headerBytesMax = 32_768;

function listen(config: Config, hub: Hub): Promise<Server> {
  return new Promise((resolve, reject) => {
    const { headersTimeoutMs, requestTimeoutMs } = config.limits;
    const serverOptions = {
      headersTimeout: headersTimeoutMs,
      requestTimeout: Math.max(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: connectionsCheckMs,
      maxHeaderSize: headerBytesMax,
    };
    const server = serve({ fetch: hub.fetch, hostname: config.host, port: config.port, serverOptions }, () =>
      resolve(asHttpServer(server)),
    );
    server.once('error', (cause) => {
      reject(new ConfigurationError(listenRefusal(config, errorCode(cause)), { cause }));
    });
  });
}

function listenRefusal({ host, port }: Config, code: string): string {
  if (code === 'EADDRINUSE') return `HESTIA_PORT: cannot listen on ${host}:${port}: the port is in use (${code})`;
  if (code === 'EACCES') return `HESTIA_PORT: cannot listen on ${host}:${port}: the port is not permitted (${code})`;
  return `HESTIA_HOST: cannot listen on ${host}:${port}: ${code}`;
}

function asHttpServer(server: ReturnType<typeof serve>): Server {
  if (!('closeIdleConnections' in server)) throw new Error('the server is not an HTTP/1.1 server');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function shutDownOnSignals(running: Running): void {
  let isShuttingDown = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (isShuttingDown) return;
    isShuttingDown = true;
    // SIGKILL, because exit hooks that flush to a full disk could block process.exit.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), shutdownMsMax).unref();
    shutDown(running, signal).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  // The listeners stay: without them a second signal would terminate the process while it drains.
  for (const signal of terminatingSignals) process.on(signal, onSignal);
  // On a terminal SIGHUP means that it was closed. A service is sent it to read its configuration again.
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY;
  const onHangUp = () => {
    running.log.reopen();
    void running.hub.reload();
  };
  process.on('SIGHUP', isOnTerminal ? onSignal : onHangUp);
  // Sent after a rotation of logs. Together with `--disable-sigusr1` the listener keeps Node from opening its inspector.
  process.on('SIGUSR1', running.log.reopen);
  // With a listener, a write beyond the limit of file sizes fails, as on a full disk.
  process.on('SIGXFSZ', () => undefined);
}

/** The signals that terminate a process by default and that a process may handle, but those of a debugger or a failure. */
const terminatingSignals = [
  ...['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGXCPU'],
  ...(process.platform === 'linux' ? ['SIGPWR', 'SIGIO', 'SIGSTKFLT'] : []),
] as const;

/** Logs an uncaught error and exits: after a broken invariant the state of the process is unknown. */
function exitOnFailure(log: Log): void {
  const exit = (error: unknown) => {
    log.error('The hub failed and exits', {}, { error });
    log.close().finally(() => process.exit(1));
  };
  process.once('uncaughtException', exit);
  process.once('unhandledRejection', exit);
}

/** Drains the hub: running calls finish or are cancelled. Then closes the HTTP server, the hub, and telemetry last. */
async function shutDown({ log, telemetry, hub, server }: Running, signal: string): Promise<void> {
  log.info('Hestia is shutting down', { signal });
  // The server still accepts connections, so that a load balancer sees readiness and new calls answer 503.
  await hub.drain();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await hub[Symbol.asyncDispose]();
  server.closeAllConnections();
  await closed;
  log.info('Hestia has shut down');
  log.flush();
  await telemetry[Symbol.asyncDispose]();
  await log.close();
}

function errorCode(error: unknown): string {
  return systemErrorCode(error) ?? 'unknown reason';
}

/** The hub has no arguments: what is on the command line is meant for `hestia`. */
function refuseArguments(words: readonly string[]): void {
  if (words.length === 0) return;
  const command = printable(words.join(' '));
  process.stderr.write(
    `hestia: the hub takes no arguments, found ${command}; settings come from the environment and hestia.config.json; for commands: npm run hestia -- ${command}\n`,
  );
  process.exit(2);
}

// `hestia serve` imports this file, and has checked its own arguments.
if (import.meta.main) refuseArguments(process.argv.slice(2));
try {
  await run();
} catch (error) {
  const message = error instanceof Error ? error.message : 'unknown failure';
  process.stderr.write(`hestia: ${printable(message)}\n`);
  process.exit(1);
}

/**
 * The process: reads the configuration, starts telemetry before anything else, builds and serves the hub, and on
 * SIGTERM or SIGINT drains it and ends within ten seconds, whatever the collector or an upstream does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { serve } from '@hono/node-server';
import { ConfigurationError, loadConfig, version } from './config.ts';
import { systemErrorCode } from './flow/system-error.ts';
import type { Config } from './shapes/configuration/config.ts';
import { printable } from './shapes/text.ts';
import { type Log, openLog } from './telemetry/log.ts';
import { startTelemetry, type Telemetry } from './telemetry/start.ts';
import { createHub, type Hub } from './wiring/hub.ts';

/** The longest an end may take, in milliseconds; past it the process leaves without waiting. */
const endMsMax = 9500;

interface Running {
  config: Config;
  log: Log;
  telemetry: Telemetry;
  hub: Hub;
  server: Server;
}

async function run(): Promise<void> {
  const config = loadConfig({ environment: process.env, workingDirectory: process.cwd() });
  prepareDirectories(config);
  const log = await openLog({ ...config.log, standardOutput: process.stdout.isTTY ? 'readable' : 'ndjson' });
  const telemetry = await startTelemetry({ configuration: config.telemetry, log });
  const hub = await createHub({ config, version, log, telemetry });
  const server = await listen(config, hub);
  await writeFirstKey(config, hub);
  endOnSignals({ config, log, telemetry, hub, server });
  endOnFailure(log);
  await hub.start();
  log.info('Hestia is ready', {
    url: `http://${config.host}:${portOf(server)}`,
    mcp_path: '/mcp',
    docs_path: '/docs',
    version,
  });
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

/** The operator's key is shown once and kept in a file that only its owner can read. */
async function writeFirstKey(config: Config, hub: Hub): Promise<void> {
  const keep = (secret: string) => writeFileSync(config.operatorKeyFile, `${secret}\n`, { mode: 0o600 });
  const created = await hub.access.createFirst(keep);
  if (created === undefined) return;
  process.stderr.write(
    `\nThe operator's API key, shown this once and written to ${config.operatorKeyFile}:\n\n    ${created.secret}\n\n`,
  );
}

/** How often connections are looked through for clients that are too slow to send a request, in milliseconds. */
const connectionsCheckMs = 5000;
/** All headers of a request together, in bytes: a baggage of 8,192 with its trace state and a token fit. */
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
  if (!('closeIdleConnections' in server)) throw new Error('an HTTP/1.1 server was asked for');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function endOnSignals(running: Running): void {
  let ending = false;
  const end = (signal: NodeJS.Signals) => {
    if (ending) return;
    ending = true;
    // Not an exit: hooks that flush to a full disk would keep it from happening.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), endMsMax).unref();
    endHub(running, signal).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  // Kept for good: without a listener a second signal would end the process in the midst of draining.
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** What nobody caught: a broken invariant is told once, and the process ends rather than go on in an unknown state. */
function endOnFailure(log: Log): void {
  const end = (error: unknown) => {
    log.error('The hub failed and ends', {}, { error });
    log.close().finally(() => process.exit(1));
  };
  process.once('uncaughtException', end);
  process.once('unhandledRejection', end);
}

/** No new calls; running ones finish or are cancelled; then the door, the upstreams, the database, and telemetry last. */
async function endHub({ log, telemetry, hub, server }: Running, signal: string): Promise<void> {
  log.info('Hestia is ending', { signal });
  // The door stays open meanwhile, so that a load balancer is told: readiness and new calls answer 503.
  await hub.drain();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await hub[Symbol.asyncDispose]();
  server.closeAllConnections();
  await closed;
  log.info('Hestia has ended');
  log.flush();
  await telemetry[Symbol.asyncDispose]();
  await log.close();
}

function errorCode(error: unknown): string {
  return systemErrorCode(error) ?? 'unknown reason';
}

try {
  await run();
} catch (error) {
  const message = error instanceof Error ? error.message : 'unknown failure';
  process.stderr.write(`hestia: ${printable(message)}\n`);
  process.exit(1);
}

/**
 * Starts a real collector with otel-collector.yaml on free ports, and a receiver in place of Tempo and Loki.
 * It differs from docker compose only in its environment: ports, folders and shorter intervals.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../hub/hub-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../telemetry/otlp-receiver.ts';
import { collectorProgram } from './collector-program.ts';
import { type Program, startProgram } from './program.ts';

/** The configuration file, the same as in docker compose. */
export const collectorConfiguration = fileURLToPath(new URL('../../../otel-collector.yaml', import.meta.url));

/** A running collector. Disposing it stops it and its receiver, and removes its queue. */
export interface Collector extends AsyncDisposable {
  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. It survives a restart. */
  readonly otlpUrl: string;
  /** `host:port` at which Prometheus scrapes the metrics of hubs. The path is `/metrics`. */
  readonly hubMetricsTarget: string;
  /** `host:port` at which Prometheus scrapes the metrics of the collector. */
  readonly ownMetricsTarget: string;
  /** Receives what the collector sends to Tempo and Loki. */
  readonly receiver: OtlpReceiver;
  /** Its output since the last start. */
  output(): string;
  /** Stops it and keeps its queue. SIGTERM lets it flush, SIGKILL does not. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Restarts it after a stop. */
  start(): Promise<void>;
  /** Scrapes the metrics of hubs, as OpenMetrics with exemplars. */
  hubMetrics(): Promise<string>;
  /** Scrapes the metrics of the collector. */
  ownMetrics(): Promise<string>;
}

/** `COLLECTOR_…` variables with short intervals, so that tests do not wait for timers. */
const quickCollector = {
  COLLECTOR_DECISION_WAIT: '1s',
  COLLECTOR_RETRY_INTERVAL_MAX: '2s',
  COLLECTOR_SPAN_METRICS_INTERVAL: '1s',
};

const host = '127.0.0.1';

/** Starts a collector and waits until it is ready. `environment` adds to or replaces the `COLLECTOR_…` variables. */
export async function startCollector(environment: Record<string, string> = {}): Promise<Collector> {
  const receiver = await startOtlpReceiver();
  const folder = await mkdtemp(join(tmpdir(), 'hestia-collector-'));
  const ports = { http: await freePort(), grpc: await freePort(), hub: await freePort(), own: await freePort() };
  const variables = {
    COLLECTOR_HEALTH_ADDRESS: `${host}:${await freePort()}`,
    COLLECTOR_OTLP_HTTP_ADDRESS: `${host}:${ports.http}`,
    COLLECTOR_OTLP_GRPC_ADDRESS: `${host}:${ports.grpc}`,
    COLLECTOR_HUB_METRICS_ADDRESS: `${host}:${ports.hub}`,
    COLLECTOR_TELEMETRY_HOST: host,
    COLLECTOR_TELEMETRY_PORT: `${ports.own}`,
    COLLECTOR_QUEUE_DIRECTORY: join(folder, 'queue'),
    COLLECTOR_TEMPO_URL: receiver.url,
    COLLECTOR_LOKI_URL: receiver.url,
    ...quickCollector,
    ...environment,
  };
  const start = () =>
    startProgram({
      command: collectorProgram(),
      args: ['--config', collectorConfiguration],
      environment: variables,
      readyUrl: `http://${variables.COLLECTOR_HEALTH_ADDRESS}/`,
    });
  let program: Program = await start();
  return {
    otlpUrl: `http://${variables.COLLECTOR_OTLP_HTTP_ADDRESS}`,
    hubMetricsTarget: variables.COLLECTOR_HUB_METRICS_ADDRESS,
    ownMetricsTarget: `${host}:${ports.own}`,
    receiver,
    output: () => program.output(),
    stop: (signal) => program.stop(signal),
    start: async () => {
      program = await start();
    },
    hubMetrics: () => scrape(variables.COLLECTOR_HUB_METRICS_ADDRESS),
    ownMetrics: () => scrape(`${host}:${ports.own}`),
    [Symbol.asyncDispose]: async () => {
      await program.stop('SIGKILL');
      await receiver.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function scrape(target: string): Promise<string> {
  const response = await fetch(`http://${target}/metrics`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
  });
  if (!response.ok) throw new Error(`${target} answered ${response.status}`);
  return response.text();
}

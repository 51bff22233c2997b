/**
 * A real collector that runs the repository's otel-collector.yaml, on free ports, with a receiver that plays Tempo
 * and Loki. The environment alone makes the difference to docker compose: ports, folders, and shorter waits.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../hub/hub-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../telemetry/otlp-receiver.ts';
import { collectorProgram } from './collector-program.ts';
import { type Program, startProgram } from './program.ts';

/** The file that docker compose gives to the collector. */
export const collectorConfiguration = fileURLToPath(new URL('../../../otel-collector.yaml', import.meta.url));

/** A collector. Disposing it ends it and its receiver, and removes its queue. */
export interface Collector extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. Stays the same when it is stopped and started. */
  readonly otlpUrl: string;
  /** `host:port` of the hubs' metrics, for Prometheus; the path is `/metrics`. */
  readonly hubMetricsTarget: string;
  /** `host:port` of its own metrics. */
  readonly ownMetricsTarget: string;
  /** What reached Tempo and Loki. */
  readonly receiver: OtlpReceiver;
  /** What it has printed since it was last started. */
  output(): string;
  /** Ends it; its queue stays. SIGTERM lets it finish, SIGKILL does not. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again after a stop. */
  start(): Promise<void>;
  /** The hubs' metrics as Prometheus would get them, OpenMetrics with exemplars. */
  hubMetrics(): Promise<string>;
  /** Its own metrics. */
  ownMetrics(): Promise<string>;
}

/** What `COLLECTOR_…` variables are set to besides ports and folders: tests wait for signals and not for timers. */
const quickCollector = {
  COLLECTOR_DECISION_WAIT: '1s',
  COLLECTOR_RETRY_INTERVAL_MAX: '2s',
  COLLECTOR_SPAN_METRICS_INTERVAL: '1s',
};

const host = '127.0.0.1';

/** Starts a collector and waits until it takes signals. `environment` adds to or replaces the `COLLECTOR_…` variables. */
export async function startCollector(environment: Record<string, string> = {}): Promise<Collector> {
  const receiver = await startOtlpReceiver();
  const folder = await mkdtemp(join(tmpdir(), 'hestia-collector-'));
  const ports = { http: await freePort(), grpc: await freePort(), hub: await freePort(), own: await freePort() };
  const health = `${host}:${await freePort()}`;
  const variables = {
    COLLECTOR_HEALTH_ADDRESS: health,
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
      readyUrl: `http://${health}/`,
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

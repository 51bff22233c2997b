/** Starts the monitoring stack for a test: a hub process, a real collector, and a Prometheus that scrapes the collector. */
import { type Collector, startCollector } from '../programs/collector.ts';
import { type Prometheus, type PrometheusOptions, startPrometheus } from '../programs/prometheus.ts';
import { quickExports } from './hub-observed.ts';
import { type HubProcess, type HubProcessOptions, startHubProcess, untilServersConnected } from './hub-process.ts';

/** A monitored hub. Disposing it stops all three processes. */
export interface WatchedHub extends AsyncDisposable {
  readonly hub: HubProcess;
  readonly collector: Collector;
  readonly prometheus: Prometheus;
}

/** Settings of the hub, the collector and Prometheus. */
export interface WatchedHubOptions extends Pick<HubProcessOptions, 'file' | 'environment'> {
  /** `COLLECTOR_…` variables of the collector. */
  collectorEnvironment?: Record<string, string>;
  rules?: NonNullable<PrometheusOptions['rules']>;
}

/** Starts all three, and waits until they are ready and the hub's servers are connected. */
export async function startWatchedHub(
  mcpServers: Record<string, unknown>,
  { file, environment, collectorEnvironment, rules }: WatchedHubOptions = {},
): Promise<WatchedHub> {
  await using parts = new AsyncDisposableStack();
  const collector = parts.use(await startCollector(collectorEnvironment));
  const targets = { hestia: [collector.hubMetricsTarget], 'otel-collector': [collector.ownMetricsTarget] };
  const prometheus = parts.use(await startPrometheus({ targets, ...(rules !== undefined && { rules }) }));
  const hub = parts.use(
    await startHubProcess({
      file: { ...file, mcpServers },
      environment: { ...quickExports, OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl, ...environment },
    }),
  );
  await hub.ready();
  await untilServersConnected(hub, ...Object.keys(mcpServers));
  const kept = parts.move();
  return { hub, collector, prometheus, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

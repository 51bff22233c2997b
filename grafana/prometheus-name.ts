/**
 * Prometheus names of the hub's metrics and labels, by the rules of the collector's `prometheus` exporter.
 * Rules and dashboards use only these names, so that none of them queries a series that does not exist.
 */
import { attributes, metricNames } from '../src/telemetry/names.ts';

/** The kind of an instrument. An up-down counter and a gauge differ only in the suffix of a ratio. */
export type MetricKind = 'counter' | 'upDownCounter' | 'gauge' | 'histogram';

/** The kind and the unit of a metric. Units are UCUM: `{thing}` for a count of things, empty for a plain number. */
export interface MetricShape {
  kind: MetricKind;
  unit: string;
}

/** A metric of the hub, by its key in `src/telemetry/names.ts`. */
export type MetricKey = keyof typeof metricNames;

const duration = { kind: 'histogram', unit: 's' } as const;
const counter = { kind: 'counter', unit: '' } as const;
const gauge = { kind: 'gauge', unit: '' } as const;
const seconds = { kind: 'gauge', unit: 's' } as const;

/** The shape of each metric. A test compares them with the metrics that a hub sends. */
export const metricShapes: Readonly<Record<MetricKey, MetricShape>> = {
  mcpServerOperationDuration: duration,
  mcpClientOperationDuration: duration,
  httpServerRequestDuration: duration,
  skillOperationDuration: duration,
  skillsActive: { kind: 'upDownCounter', unit: '' },
  toolOutcomes: counter,
  searchDuration: duration,
  securityEvents: counter,
  schedulerRuns: counter,
  schedulerRunDuration: duration,
  schedulerLastSuccessTime: seconds,
  cleanupDeleted: counter,
  argumentChecks: counter,
  serverCalls: counter,
  serversConnected: gauge,
  serversWanted: gauge,
  auditRecords: counter,
  auditGap: gauge,
  auditUncovered: gauge,
  auditWitnessSubmissions: counter,
  projectorLag: seconds,
  telemetryDropped: counter,
  telemetryAccepted: counter,
  telemetryExported: counter,
  telemetryQueueSize: gauge,
  telemetryQueueCapacity: gauge,
  labelOverflow: counter,
  callsRunning: gauge,
  ending: gauge,
  schedulerRunning: gauge,
  schedulerInterval: seconds,
  storageFailures: counter,
  searchReciprocalRank: { kind: 'histogram', unit: '1' },
  searchesFollowed: counter,
  searchResultsShown: counter,
  searchFallbacks: counter,
  chromaUp: gauge,
  chromaBacklog: gauge,
  chromaOperationDuration: duration,
  embeddingsRequestDuration: duration,
  embeddingsTokens: counter,
  embeddingsTexts: counter,
  eventLoopDelayP99: seconds,
  eventLoopUtilization: { kind: 'gauge', unit: '1' },
  memoryUsage: { kind: 'upDownCounter', unit: 'By' },
  cpuTime: { kind: 'counter', unit: 's' },
  uptime: seconds,
};

/** The name suffix of each unit. A count of things has none. */
const unitWords: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes' };

/**
 * The Prometheus name of a metric: words joined by `_`, the unit unless the name contains it, `_ratio` for a gauge of
 * unit 1, `_total` for a counter. The series of a histogram add `_bucket`, `_sum` and `_count`.
 * Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility", metric metadata.
 */
export function prometheusName(name: string, { kind, unit }: MetricShape): string {
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '' && !(kind === 'counter' && word === 'total'));
  const unitWord = unitWords[unit] ?? (kind === 'gauge' && unit === '1' ? 'ratio' : undefined);
  if (unitWord !== undefined && !words.includes(unitWord)) words.push(unitWord);
  if (kind === 'counter') words.push('total');
  return words.join('_');
}

/** The Prometheus name of each metric of the hub. */
export const series = mapValues(metricNames, (name, key) => prometheusName(name, metricShapes[key]));

/** The Prometheus label of each attribute of the hub. `namespace` and `security_event` are unchanged. */
export const labels = mapValues(attributes, (name) => name.replaceAll(/[^a-zA-Z0-9_]/g, '_'));

function mapValues<Key extends string>(
  values: Readonly<Record<Key, string>>,
  change: (value: string, key: Key) => string,
): Readonly<Record<Key, string>> {
  const result: Record<Key, string> = { ...values };
  for (const key in values) result[key] = change(values[key], key);
  return result;
}

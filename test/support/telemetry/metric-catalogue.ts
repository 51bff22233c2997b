/**
 * All series that queries may use, with their labels.
 * They come from the hub, the span metrics, the collector, Prometheus and the recording rules.
 */
import {
  type CollectorCounter,
  collectorCounter,
  collectorGauges,
  collectorItems,
  collectorUptime,
} from '../../../grafana/dashboards/collector-metrics.ts';
import { spanLabels, spanSeries } from '../../../grafana/dashboards/span-metrics.ts';
import { labels, type MetricKey, metricShapes, series } from '../../../grafana/prometheus-name.ts';
import { recordingRules } from '../../../grafana/rules/recording-rules.ts';

const operation = [labels.mcpMethodName, labels.genAiToolName, labels.errorType];
const bySignal = [labels.signal];
const bySource = [labels.searchSource];

/** The labels of each of the hub's metrics besides `job` and `instance`. */
export const hubLabels: Readonly<Record<MetricKey, readonly string[]>> = {
  mcpServerOperationDuration: operation,
  mcpClientOperationDuration: [...operation, labels.serverId],
  httpServerRequestDuration: [
    labels.httpRequestMethod,
    labels.urlScheme,
    labels.httpResponseStatusCode,
    labels.httpRoute,
  ],
  skillOperationDuration: [labels.skillOperation, labels.errorType],
  skillsActive: ['namespace'],
  toolOutcomes: [labels.outcome, labels.serverId, labels.genAiToolName],
  argumentChecks: [labels.argumentCheck, labels.serverId],
  searchDuration: bySource,
  securityEvents: [labels.securityEvent],
  schedulerRuns: [labels.jobName, labels.jobResult],
  schedulerRunDuration: [labels.jobName],
  schedulerLastSuccessTime: [labels.jobName],
  cleanupDeleted: [labels.cleanupKind],
  serverCalls: [labels.serverId, labels.errorType],
  serversConnected: [labels.serverId],
  serversWanted: [labels.serverId],
  auditRecords: [],
  auditGap: [],
  auditUncovered: [],
  auditWitnessSubmissions: [labels.witness, labels.errorType],
  projectorLag: [],
  telemetryDropped: bySignal,
  telemetryAccepted: bySignal,
  telemetryExported: bySignal,
  telemetryQueueSize: bySignal,
  telemetryQueueCapacity: bySignal,
  labelOverflow: [labels.labelName],
  callsRunning: [],
  ending: [],
  schedulerRunning: [],
  schedulerInterval: [],
  storageFailures: [labels.errorType],
  searchReciprocalRank: bySource,
  searchesFollowed: bySource,
  searchResultsShown: [labels.searchMoved],
  searchFallbacks: [labels.searchFallback],
  chromaUp: [],
  chromaBacklog: [],
  chromaOperationDuration: [labels.chromaOperation, labels.errorType],
  embeddingsRequestDuration: [labels.embeddingPurpose, labels.errorType],
  embeddingsTokens: [labels.embeddingPurpose],
  embeddingsTexts: [labels.embeddingCached],
  eventLoopDelayP99: [],
  eventLoopUtilization: [],
  memoryUsage: [],
  cpuTime: [],
  uptime: [],
};

const spanMetricLabels = [
  ...Object.values(spanLabels),
  labels.genAiToolName,
  labels.serverId,
  labels.mcpMethodName,
  labels.outcome,
  labels.securityEvent,
];

/** The labels of alerts that dashboards use. */
const alertLabels = ['alertname', 'severity', 'board', 'outcome', 'job', 'instance', labels.serverId];

/** Series by name, with the labels that each may have. */
export const catalogue: ReadonlyMap<string, readonly string[]> = new Map([
  ...hubSeries(),
  ...histogram(spanSeries.duration, [...spanMetricLabels, 'job', 'instance']),
  [spanSeries.calls, [...spanMetricLabels, 'job', 'instance']],
  ...collectorSeries(),
  ...recordedSeries(),
  ['up', ['job', 'instance']],
  ['scrape_samples_scraped', ['job', 'instance']],
  ['target_info', ['job', 'instance', 'deployment_environment_name']],
  ['ALERTS', [...alertLabels, 'alertstate']],
  ['ALERTS_FOR_STATE', alertLabels],
]);

function* hubSeries(): Generator<[string, string[]]> {
  for (const [key, own] of Object.entries(hubLabels)) {
    const [name, shape] = [valueAt(series, key), valueAt(metricShapes, key)];
    const all = [...own, 'job', 'instance'];
    if (shape.kind === 'histogram') yield* histogram(name, all);
    else yield [name, all];
  }
}

function* histogram(name: string, own: readonly string[]): Generator<[string, string[]]> {
  yield [`${name}_bucket`, [...own, 'le']];
  yield [`${name}_sum`, [...own]];
  yield [`${name}_count`, [...own]];
}

function* collectorSeries(): Generator<[string, string[]]> {
  const own = ['job', 'instance'];
  const makers = {
    receiver_accepted: 'receiver',
    receiver_refused: 'receiver',
    exporter_sent: 'exporter',
    exporter_send_failed: 'exporter',
    exporter_enqueue_failed: 'exporter',
  } satisfies Record<CollectorCounter, string>;
  for (const counter of keysOf(makers)) {
    for (const signal of keysOf(collectorItems)) yield [collectorCounter(counter, signal), [...own, makers[counter]]];
  }
  yield [collectorGauges.queueSize, [...own, 'exporter', 'data_type']];
  yield [collectorGauges.queueCapacity, [...own, 'exporter', 'data_type']];
  yield [collectorGauges.memory, own];
  yield [collectorUptime, own];
}

/** The series of recording rules. The level in a rule's name determines its labels. */
function* recordedSeries(): Generator<[string, string[]]> {
  const levels: Readonly<Record<string, string[]>> = {
    job: ['job'],
    job_instance: ['job', 'instance'],
    job_server: ['job', labels.serverId],
    instance_failure: ['job', 'instance', 'failure'],
  };
  for (const { record } of recordingRules({ timeScale: 1 }).flatMap(({ rules }) => rules)) {
    yield [record, valueAt(levels, record.split(':')[0] ?? '')];
  }
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  const keys: Key[] = [];
  for (const key in record) keys.push(key);
  return keys;
}

function valueAt<Value>(record: Readonly<Record<string, Value>>, key: string): Value {
  const value = record[key];
  if (value === undefined) throw new Error(`no such metric or level: ${key}`);
  return value;
}

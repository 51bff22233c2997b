/** The section "Metrics" of the reference, from the instruments that the hub creates. */
import { series } from '../../../grafana/prometheus-name.ts';
import { cleanupKindSchema, jobNameSchema } from '../../../src/shapes/scheduler.ts';
import { storageErrorTypes } from '../../../src/shapes/storage.ts';
import { argumentCheckSchema, toolSourceSchema } from '../../../src/shapes/tool.ts';
import { createMetrics, witnessFailures } from '../../../src/telemetry/metrics.ts';
import {
  attributes,
  httpDurationBounds,
  localDurationBounds,
  mcpDurationBounds,
  metricNames,
  reciprocalRankBounds,
} from '../../../src/telemetry/names.ts';
import { observeRuntime } from '../../../src/telemetry/runtime.ts';
import { createVectorMetrics } from '../../../src/telemetry/vector-metrics.ts';
import { hubLabels } from '../../support/telemetry/metric-catalogue.ts';
import { type CreatedInstrument, recordInstruments } from '../../support/telemetry/recorded-instruments.ts';
import { codes, described, type Row, table } from './markdown.ts';

/** The section, with its heading. */
export function metricsSection(): string {
  return `## Metrics

Names are those of OpenTelemetry; the last column has the Prometheus spelling of the collector, where a histogram's series add \`_bucket\`, \`_sum\` and \`_count\`.
Labels come from closed or bounded sets: never an agent, a session, a request or free text. Tool names beyond 200 and namespaces beyond 50 are folded into \`_other\`, which
\`${metricNames.labelOverflow}\` counts. Series that alerts need exist from the start, with the value 0. \`error.type\` is absent on success.

${table(['metric', 'type', 'unit', 'meaning', 'attributes', 'Prometheus'], metricRows())}

Bucket bounds in seconds. \`mcp.*\`: ${mcpDurationBounds.join(', ')}. \`http.*\` and \`hestia.embeddings.*\`: ${httpDurationBounds.join(', ')}.
\`${metricNames.searchReciprocalRank}\`, without a unit: ${reciprocalRankBounds.join(', ')}. Others: ${localDurationBounds.join(', ')}.

### Attribute values

${table(['attribute', 'values'], valueRows())}
`;
}

function metricRows(): Row[] {
  const created = createdInstruments();
  return Object.entries(metricNames).map(([key, name]) => {
    const { type, unit, description } = described(created, name);
    return [
      `\`${name}\``,
      type,
      unit,
      description,
      codes(described(hubLabels, key).map(attributeOf)),
      `\`${described(series, key)}\``,
    ];
  });
}

/** Everything that the hub measures, by name. */
function createdInstruments(): Record<string, CreatedInstrument> {
  return recordInstruments(() => {
    createMetrics().observe({
      auditGap: () => 0,
      auditUncovered: () => 0,
      projectorLag: () => 0,
      servers: () => [],
      lastSuccess: () => [],
      scheduler: () => ({ isRunning: false, intervalHours: 1 }),
      callsRunning: () => 0,
      isEnding: () => false,
      telemetry: () => ({ traces: noDelivery, logs: noDelivery, metrics: noDelivery }),
    });
    createVectorMetrics().observeChroma({ isUp: () => false, backlog: () => 0 });
    observeRuntime()[Symbol.dispose]();
  });
}

const noDelivery = { accepted: 0, exported: 0, dropped: 0, queueSize: 0, queueCapacity: 0 };

/** An attribute by its Prometheus label. */
function attributeOf(label: string): string {
  return Object.values(attributes).find((name) => name.replaceAll(/[^a-zA-Z0-9_]/g, '_') === label) ?? label;
}

function valueRows(): Row[] {
  const source = codes([...toolSourceSchema.options, 'all']);
  return [
    [attributes.securityEvent, '[security events](#security-events)'],
    [attributes.outcome, '[tool outcomes](#tool-outcomes)'],
    [
      attributes.argumentCheck,
      `${codes(argumentCheckSchema.options)}: whether the arguments fit the input schema; \`warned\` if they do not but the server may accept them, \`unchecked_…\` if they could not be checked`,
    ],
    [attributes.jobName, codes(jobNameSchema.options)],
    [attributes.jobResult, codes(['success', 'failure', 'skipped'])],
    [attributes.cleanupKind, codes(cleanupKindSchema.options)],
    [attributes.skillOperation, codes(['activate', 'deactivate', 'publish', 'delete', 'retire', 'sync'])],
    [attributes.searchSource, source],
    [attributes.searchFallback, codes(['away', 'late', 'failed'])],
    [attributes.searchMoved, `${codes(['true', 'false'])}: whether learning moved the result`],
    [attributes.embeddingPurpose, codes(['query', 'document'])],
    [attributes.embeddingCached, codes(['true', 'false'])],
    [attributes.chromaOperation, codes(['query', 'upsert', 'delete', 'get'])],
    [attributes.labelName, codes(['tool_name', 'namespace'])],
    [attributes.signal, codes(['traces', 'logs', 'metrics'])],
    [attributes.witness, 'the names of the keys of `audit.witnesses`'],
    [attributes.serverId, 'the names of `mcpServers`, and `hestia` for skills'],
    [
      attributes.errorType,
      `of tool calls as in [tool outcomes](#tool-outcomes); of MCP requests the JSON-RPC code, \`tool_error\` or \`_OTHER\`; of skills the error code; of \`${metricNames.storageFailures}\` ${codes(storageErrorTypes)}; of \`${metricNames.auditWitnessSubmissions}\` ${codes(witnessFailures)}`,
    ],
  ].map(([name = '', values = '']) => [`\`${name}\``, values]);
}

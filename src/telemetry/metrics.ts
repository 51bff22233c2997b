/**
 * The hub's instruments, one method for each thing worth counting. Label values are bounded here; series that
 * alerts need are created with zero at start, so that the first event is an increase.
 */
import { metrics } from '@opentelemetry/api';
import { type Outcome, outcomeSchema, type SecurityEvent, securityEventSchema } from '../shapes/event.ts';
import { type CleanupKind, cleanupKindSchema, type JobName, jobNameSchema } from '../shapes/scheduler.ts';
import { createLabelLimit, overflowLabel } from './label.ts';
import {
  attributes,
  httpDurationBounds,
  localDurationBounds,
  mcpDurationBounds,
  metricNames,
  scopeName,
} from './names.ts';

/** Labels of one MCP operation; `errorType` undefined means success. */
export interface McpOperation {
  method: string;
  toolName?: string | undefined;
  errorType?: string | undefined;
}

/** What the hub measures. Durations are in seconds. */
export interface Metrics {
  mcpServerOperation(seconds: number, operation: McpOperation): void;
  mcpClientOperation(seconds: number, operation: McpOperation & { serverId: string }): void;
  httpServerRequest(seconds: number, labels: Record<string, string | number>): void;
  skillOperation(seconds: number, operation: string, errorType: string | undefined): void;
  skillsActive(change: number, namespace: string): void;
  toolOutcome(outcome: Outcome, serverId: string, toolName: string): void;
  search(seconds: number, source: string): void;
  securityEvent(name: SecurityEvent): void;
  schedulerRun(seconds: number, job: JobName, result: 'success' | 'failure' | 'skipped'): void;
  cleanupDeleted(count: number, kind: CleanupKind): void;
  auditRecord(): void;
  /** The gauges are read at each collection. */
  observe(sources: MetricSources): void;
}

/** Where the gauges get their values from. Times are Unix milliseconds. */
export interface MetricSources {
  auditGap(): number;
  serversConnected(): readonly { serverId: string; connected: boolean }[];
  lastSuccess(): readonly { job: JobName; time: number }[];
  telemetryDropped(): Readonly<Record<'traces' | 'logs' | 'metrics', number>>;
}

/** Distinct tool names a metric keeps; beyond them `_other`. The SDK's own limit is 2,000 series an instrument. */
const toolNamesMax = 200;
/** Distinct namespaces a metric keeps. */
const namespacesMax = 50;

/** Creates the instruments on the global meter provider; call after telemetry has started. */
export function createMetrics(): Metrics {
  const meter = metrics.getMeter(scopeName);
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  const serverOperations = seconds(metricNames.mcpServerOperationDuration, 'MCP requests served', mcpDurationBounds);
  const clientOperations = seconds(
    metricNames.mcpClientOperationDuration,
    'MCP requests to upstream servers',
    mcpDurationBounds,
  );
  const httpRequests = seconds(metricNames.httpServerRequestDuration, 'HTTP requests served', httpDurationBounds);
  const skillOperations = seconds(metricNames.skillOperationDuration, 'Skill operations', localDurationBounds);
  const searches = seconds(metricNames.searchDuration, 'Tool searches', localDurationBounds);
  const runDurations = seconds(metricNames.schedulerRunDuration, 'Runs of scheduled jobs', localDurationBounds);
  const skillsActive = meter.createUpDownCounter(metricNames.skillsActive, {
    description: 'Skills that are active now',
  });
  const outcomes = meter.createCounter(metricNames.toolOutcomes, { description: 'Finished tool calls by outcome' });
  const securityEvents = meter.createCounter(metricNames.securityEvents, { description: 'Security events by name' });
  const runs = meter.createCounter(metricNames.schedulerRuns, { description: 'Runs of scheduled jobs by result' });
  const deleted = meter.createCounter(metricNames.cleanupDeleted, { description: 'What cleanups deleted, by kind' });
  const auditRecords = meter.createCounter(metricNames.auditRecords, { description: 'Audit records written' });
  const toolLabel = createLabelLimit(toolNamesMax);
  const namespaceLabel = createLabelLimit(namespacesMax);
  const operationLabels = ({ method, toolName, errorType }: McpOperation) => ({
    [attributes.mcpMethodName]: method,
    ...(toolName !== undefined && { [attributes.genAiToolName]: toolLabel(toolName) }),
    ...(errorType !== undefined && { [attributes.errorType]: errorType }),
  });

  zeroInitialise();
  return {
    mcpServerOperation: (duration, operation) => serverOperations.record(duration, operationLabels(operation)),
    mcpClientOperation: (duration, operation) =>
      clientOperations.record(duration, { ...operationLabels(operation), [attributes.serverId]: operation.serverId }),
    httpServerRequest: (duration, labels) => httpRequests.record(duration, labels),
    skillOperation: (duration, operation, errorType) =>
      skillOperations.record(duration, {
        [attributes.skillOperation]: operation,
        ...(errorType !== undefined && { [attributes.errorType]: errorType }),
      }),
    skillsActive: (change, namespace) => skillsActive.add(change, { namespace: namespaceLabel(namespace) }),
    toolOutcome: (outcome, serverId, toolName) =>
      outcomes.add(1, {
        [attributes.outcome]: outcome,
        [attributes.serverId]: serverId,
        [attributes.genAiToolName]: toolLabel(toolName),
      }),
    search: (duration, source) => searches.record(duration, { [attributes.searchSource]: source }),
    securityEvent: (name) => securityEvents.add(1, { [attributes.securityEvent]: name }),
    schedulerRun: (duration, job, result) => {
      runs.add(1, { [attributes.jobName]: job, [attributes.jobResult]: result });
      if (result !== 'skipped') runDurations.record(duration, { [attributes.jobName]: job });
    },
    cleanupDeleted: (count, kind) => deleted.add(count, { [attributes.cleanupKind]: kind }),
    auditRecord: () => auditRecords.add(1),
    observe: observeGauges,
  };

  function zeroInitialise(): void {
    for (const name of securityEventSchema.options) securityEvents.add(0, { [attributes.securityEvent]: name });
    for (const job of jobNameSchema.options) {
      for (const result of ['success', 'failure', 'skipped']) {
        runs.add(0, { [attributes.jobName]: job, [attributes.jobResult]: result });
      }
    }
    for (const kind of cleanupKindSchema.options) deleted.add(0, { [attributes.cleanupKind]: kind });
    auditRecords.add(0);
    skillsActive.add(0, { namespace: namespaceLabel('default') });
  }

  function observeGauges(sources: MetricSources): void {
    meter
      .createObservableGauge(metricNames.auditGap, { description: 'Operations counted but not on record; must be 0' })
      .addCallback((result) => result.observe(sources.auditGap()));
    meter
      .createObservableGauge(metricNames.serversConnected, {
        description: '1 while an upstream server is connected, else 0',
      })
      .addCallback((result) => {
        for (const { serverId, connected } of sources.serversConnected()) {
          result.observe(connected ? 1 : 0, { [attributes.serverId]: serverId });
        }
      });
    meter
      .createObservableGauge(metricNames.schedulerLastSuccessTime, {
        unit: 's',
        description: 'When a job last succeeded, Unix time',
      })
      .addCallback((result) => {
        for (const { job, time } of sources.lastSuccess()) result.observe(time / 1000, { [attributes.jobName]: job });
      });
    meter
      .createObservableCounter(metricNames.telemetryDropped, { description: 'Telemetry items lost, by signal' })
      .addCallback((result) => {
        for (const [signal, count] of Object.entries(sources.telemetryDropped())) {
          result.observe(count, { [attributes.signal]: signal });
        }
      });
    for (const { serverId } of sources.serversConnected()) {
      for (const outcome of outcomeSchema.options) {
        outcomes.add(0, {
          [attributes.outcome]: outcome,
          [attributes.serverId]: serverId,
          [attributes.genAiToolName]: overflowLabel,
        });
      }
    }
  }
}

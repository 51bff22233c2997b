/**
 * The hub's metrics: one method for each measured event, with bounded label values.
 * Series that alerts use start at zero, so that the first event is an increase.
 */
import { type Meter, metrics } from '@opentelemetry/api';
import { type Outcome, outcomeSchema, type SecurityEvent, securityEventSchema } from '../shapes/event.ts';
import { type CleanupKind, cleanupKindSchema, type JobName, jobNameSchema } from '../shapes/scheduler.ts';
import { type StorageErrorType, storageErrorTypes } from '../shapes/storage.ts';
import { type ArgumentCheck, searchSourceSchema, toolErrorTypeSchema } from '../shapes/tool.ts';
import { type GaugeSources, observeGauges } from './gauges.ts';
import { createLabelLimit, overflowLabel } from './label.ts';
import {
  attributes,
  httpDurationBounds,
  localDurationBounds,
  mcpDurationBounds,
  metricNames,
  reciprocalRankBounds,
  scopeName,
} from './names.ts';
import { createTally } from './tally.ts';

/** Labels of one MCP operation; `errorType` undefined means success. */
export interface McpOperation {
  method: string;
  toolName?: string | undefined;
  errorType?: string | undefined;
}

/** The result of a job's run; `skipped` if the previous run was still in progress. */
export type JobResult = 'success' | 'failure' | 'skipped';

/**
 * Why a checkpoint was not cosigned. `ahead`: the witness cosigned more records than the log has. `invalid`: the cosignature
 * does not verify.
 */
export const witnessFailures = ['unreachable', 'refused', 'ahead', 'invalid'] as const;
/** One of {@link witnessFailures}. */
export type WitnessFailure = (typeof witnessFailures)[number];

/** The metrics. Durations are in seconds. */
export interface Metrics {
  mcpServerOperation(seconds: number, operation: McpOperation): void;
  mcpClientOperation(seconds: number, operation: McpOperation & { serverId: string }): void;
  httpServerRequest(seconds: number, labels: Record<string, string | number>): void;
  skillOperation(seconds: number, operation: string, errorType: string | undefined): void;
  skillsActive(change: number, namespace: string): void;
  toolOutcome(outcome: Outcome, serverId: string, toolName: string): void;
  argumentCheck(check: ArgumentCheck, serverId: string): void;
  search(seconds: number, source: string): void;
  /** Records the first call that a search led to, with the tool's place from 1. */
  searchFollowed(source: string, place: number): void;
  /** Counts the results of a search: for each, whether learning changed its place. */
  searchResultsShown(moved: readonly boolean[]): void;
  securityEvent(name: SecurityEvent): void;
  schedulerRun(seconds: number, job: JobName, result: JobResult): void;
  cleanupDeleted(count: number, kind: CleanupKind): void;
  auditRecord(): void;
  storageFailure(type: StorageErrorType): void;
  /** Counts a submission of a checkpoint to a witness; `registered` creates the series of a witness with the value 0. */
  witnessSubmission(witness: string, result: 'registered' | 'cosigned' | WitnessFailure): void;
  /** Creates the series of a server, so that its first failure is an increase. */
  serverAdded(serverId: string): void;
  /** Registers the gauges, which are read at each collection. Call it once. */
  observe(sources: GaugeSources): void;
}

/** The most distinct tool names of a metric, then `_other`. The SDK's limit is 2,000 series for each instrument. */
const toolNamesMax = 200;
/** The most distinct namespaces of a metric. */
const namespacesMax = 50;

const limitedLabels = ['tool_name', 'namespace'] as const;
type LimitedLabel = (typeof limitedLabels)[number];

/** Creates the instruments on the global meter provider. Call it after telemetry has started. */
export function createMetrics(): Metrics {
  const meter = metrics.getMeter(scopeName);
  const histograms = createHistograms(meter);
  const counters = createCounters(meter);
  const overflowing = (label: LimitedLabel) => () => counters.labelOverflow.add(1, { [attributes.labelName]: label });
  const toolLabel = createLabelLimit(toolNamesMax, overflowing('tool_name'));
  const namespaceLabel = createLabelLimit(namespacesMax, overflowing('namespace'));
  const operationLabels = ({ method, toolName, errorType }: McpOperation) => ({
    [attributes.mcpMethodName]: method,
    ...(toolName !== undefined && { [attributes.genAiToolName]: toolLabel(toolName) }),
    ...failure(errorType),
  });
  const toolOutcome = outcomeCounter(counters);
  zeroInitialise(counters);
  return {
    mcpServerOperation: (seconds, operation) => histograms.mcpServer.record(seconds, operationLabels(operation)),
    mcpClientOperation: (seconds, operation) => {
      const { serverId, errorType } = operation;
      histograms.mcpClient.record(seconds, { ...operationLabels(operation), [attributes.serverId]: serverId });
      counters.serverCalls(1, serverId, errorType);
    },
    httpServerRequest: (seconds, labels) => histograms.http.record(seconds, labels),
    skillOperation: (seconds, operation, errorType) =>
      histograms.skill.record(seconds, { [attributes.skillOperation]: operation, ...failure(errorType) }),
    skillsActive: (change, namespace) => counters.skillsActive.add(change, { namespace: namespaceLabel(namespace) }),
    toolOutcome: (outcome, serverId, toolName) => toolOutcome(outcome, serverId, toolLabel(toolName)),
    argumentCheck: (check, serverId) => counters.argumentChecks(1, check, serverId),
    ...searchMetrics(histograms, counters),
    ...schedulerMetrics(histograms, counters),
    securityEvent: (name) => counters.securityEvents.add(1, { [attributes.securityEvent]: name }),
    auditRecord: () => counters.auditRecords(1),
    storageFailure: (type) => counters.storageFailures.add(1, { [attributes.errorType]: type }),
    witnessSubmission: (witness, result) => countSubmission(counters, witness, result),
    serverAdded: (serverId) => createServerSeries(counters, serverId),
    observe: (sources) => {
      observeGauges(meter, sources);
      for (const { serverId } of sources.servers()) createServerSeries(counters, serverId);
    },
  };
}

function countSubmission(
  { witnessSubmissions }: ReturnType<typeof createCounters>,
  witness: string,
  result: 'registered' | 'cosigned' | WitnessFailure,
): void {
  const labels = (errorType: string | undefined) => ({ [attributes.witness]: witness, ...failure(errorType) });
  if (result !== 'registered') witnessSubmissions.add(1, labels(result === 'cosigned' ? undefined : result));
  else for (const errorType of [undefined, ...witnessFailures]) witnessSubmissions.add(0, labels(errorType));
}

function createServerSeries({ outcomes, serverCalls }: ReturnType<typeof createCounters>, serverId: string): void {
  for (const outcome of outcomeSchema.options) outcomes(0, outcome, serverId, overflowLabel);
  for (const errorType of [undefined, ...toolErrorTypeSchema.options]) {
    serverCalls(0, serverId, errorType);
  }
}

/** Counts outcomes. A tool's first outcome creates the series of all four, so that its first failure is an increase. */
function outcomeCounter({ outcomes }: ReturnType<typeof createCounters>) {
  const knownTools = new Set<string>();
  return (outcome: Outcome, serverId: string, toolName: string) => {
    const tool = `${serverId}\n${toolName}`;
    if (!knownTools.has(tool)) {
      knownTools.add(tool);
      for (const other of outcomeSchema.options) outcomes(0, other, serverId, toolName);
    }
    outcomes(1, outcome, serverId, toolName);
  };
}

function searchMetrics(
  histograms: ReturnType<typeof createHistograms>,
  counters: ReturnType<typeof createCounters>,
): Pick<Metrics, 'search' | 'searchFollowed' | 'searchResultsShown'> {
  return {
    search: (seconds, source) => histograms.search.record(seconds, { [attributes.searchSource]: source }),
    searchFollowed: (source, place) => {
      counters.searchesFollowed.add(1, { [attributes.searchSource]: source });
      histograms.reciprocalRank.record(1 / place, { [attributes.searchSource]: source });
    },
    searchResultsShown: (moved) => {
      const movedCount = moved.filter(Boolean).length;
      counters.resultsShown.add(movedCount, { [attributes.searchMoved]: 'true' });
      counters.resultsShown.add(moved.length - movedCount, { [attributes.searchMoved]: 'false' });
    },
  };
}

function schedulerMetrics(
  histograms: ReturnType<typeof createHistograms>,
  counters: ReturnType<typeof createCounters>,
): Pick<Metrics, 'schedulerRun' | 'cleanupDeleted'> {
  return {
    schedulerRun: (seconds, job, result) => {
      counters.runs.add(1, { [attributes.jobName]: job, [attributes.jobResult]: result });
      if (result !== 'skipped') histograms.run.record(seconds, { [attributes.jobName]: job });
    },
    cleanupDeleted: (count, kind) => counters.deleted.add(count, { [attributes.cleanupKind]: kind }),
  };
}

function createHistograms(meter: Meter) {
  const inSeconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  return {
    mcpServer: inSeconds(metricNames.mcpServerOperationDuration, 'MCP requests served', mcpDurationBounds),
    mcpClient: inSeconds(metricNames.mcpClientOperationDuration, 'MCP requests to upstreams', mcpDurationBounds),
    http: inSeconds(metricNames.httpServerRequestDuration, 'HTTP requests served', httpDurationBounds),
    skill: inSeconds(metricNames.skillOperationDuration, 'Skill operations', localDurationBounds),
    reciprocalRank: meter.createHistogram(metricNames.searchReciprocalRank, {
      unit: '1',
      description: 'One divided by the place of the tool that was used after a search',
      advice: { explicitBucketBoundaries: reciprocalRankBounds },
    }),
    search: inSeconds(metricNames.searchDuration, 'Tool searches', localDurationBounds),
    run: inSeconds(metricNames.schedulerRunDuration, 'Runs of scheduled jobs', localDurationBounds),
  };
}

function createCounters(meter: Meter) {
  const counter = (name: string, description: string) => meter.createCounter(name, { description });
  return {
    ...createTallies(meter),
    skillsActive: meter.createUpDownCounter(metricNames.skillsActive, { description: 'Skills that are active now' }),
    securityEvents: counter(metricNames.securityEvents, 'Security events by name'),
    runs: counter(metricNames.schedulerRuns, 'Runs of scheduled jobs by result'),
    deleted: counter(metricNames.cleanupDeleted, 'Entries that cleanups deleted, by kind'),
    searchesFollowed: counter(metricNames.searchesFollowed, 'Searches that led to a call'),
    resultsShown: counter(
      metricNames.searchResultsShown,
      'Results of searches, by whether learning changed their place',
    ),
    storageFailures: counter(metricNames.storageFailures, 'Reads and writes of the database that failed'),
    witnessSubmissions: counter(
      metricNames.auditWitnessSubmissions,
      'Checkpoints submitted to witnesses, by type of failure, if any',
    ),
    labelOverflow: counter(
      metricNames.labelOverflow,
      'Label values replaced because of the limit on distinct values, by label',
    ),
  };
}

/** The counters of every tool call. */
function createTallies(meter: Meter) {
  const counter = (name: string, description: string) => meter.createObservableCounter(name, { description });
  return {
    outcomes: createTally(counter(metricNames.toolOutcomes, 'Finished tool calls by outcome'), outcomeLabels),
    argumentChecks: createTally(
      counter(metricNames.argumentChecks, 'Checks of tool arguments against the input schema, by result'),
      (check: ArgumentCheck, serverId: string) => ({
        [attributes.argumentCheck]: check,
        [attributes.serverId]: serverId,
      }),
    ),
    serverCalls: createTally(
      counter(metricNames.serverCalls, 'Finished calls to upstream servers by type of failure, if any'),
      serverCallLabels,
    ),
    auditRecords: createTally(counter(metricNames.auditRecords, 'Audit records written'), () => ({})),
  };
}

function zeroInitialise(counters: ReturnType<typeof createCounters>): void {
  for (const name of securityEventSchema.options) counters.securityEvents.add(0, { [attributes.securityEvent]: name });
  for (const kind of cleanupKindSchema.options) counters.deleted.add(0, { [attributes.cleanupKind]: kind });
  for (const job of jobNameSchema.options) {
    for (const result of ['success', 'failure', 'skipped'] satisfies JobResult[]) {
      counters.runs.add(0, { [attributes.jobName]: job, [attributes.jobResult]: result });
    }
  }
  for (const type of storageErrorTypes) counters.storageFailures.add(0, { [attributes.errorType]: type });
  for (const label of limitedLabels) counters.labelOverflow.add(0, { [attributes.labelName]: label });
  for (const source of [...searchSourceSchema.options, 'all']) {
    counters.searchesFollowed.add(0, { [attributes.searchSource]: source });
  }
  for (const moved of ['true', 'false']) counters.resultsShown.add(0, { [attributes.searchMoved]: moved });
  counters.auditRecords(0);
  counters.skillsActive.add(0, { namespace: 'default' });
}

function outcomeLabels(outcome: Outcome, serverId: string, toolName: string) {
  return {
    [attributes.outcome]: outcome,
    [attributes.serverId]: serverId,
    [attributes.genAiToolName]: toolName,
  };
}

function serverCallLabels(serverId: string, errorType: string | undefined) {
  return { [attributes.serverId]: serverId, ...failure(errorType) };
}

function failure(errorType: string | undefined) {
  return errorType === undefined ? {} : { [attributes.errorType]: errorType };
}

/**
 * The names of all spans, attributes and metrics that the hub emits.
 * Dashboards, rules and tests import them from here. MCP and GenAI names follow the OpenTelemetry GenAI semantic conventions
 * (development status); `hestia.*` are the hub's own.
 */

/** The instrumentation scope of everything the hub emits. */
export const scopeName = 'hestia';

/** Fixed span names. The others consist of a method and a target (docs/reference.md, "Spans"). */
export const spanNames = {
  skillActivate: 'skill.activate',
  skillDeactivate: 'skill.deactivate',
  skillScan: 'skill.scan',
  skillRead: 'skill.read',
  skillSync: 'skill.sync',
  toolSearch: 'tool.search',
  toolRank: 'tool.rank',
  toolAdmit: 'tool.admit',
  auditCheckpoint: 'audit.checkpoint',
  schedulerStart: 'scheduler.start',
  schedulerStop: 'scheduler.stop',
  schedulerCleanup: 'scheduler.cleanup',
} as const;

/** Names of span events. */
export const spanEventNames = {
  /** The record of a call is in the audit trail, or could not be written; on the span of the call. */
  outcomeRecord: 'outcome.record',
} as const;

/** Attribute keys on spans and metrics. */
export const attributes = {
  /** Name of a security event (closed list); span, log and counter. */
  securityEvent: 'security_event',
  /** Name of a scheduler event (closed list); span and log. */
  monitoringEvent: 'monitoring_event',
  /** Class of a failure, closed list; absent on success. */
  errorType: 'error.type',
  httpRequestMethod: 'http.request.method',
  httpResponseStatusCode: 'http.response.status_code',
  httpRoute: 'http.route',
  urlPath: 'url.path',
  urlScheme: 'url.scheme',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  clientAddress: 'client.address',
  userAgent: 'user_agent.original',
  mcpMethodName: 'mcp.method.name',
  mcpProtocolVersion: 'mcp.protocol.version',
  jsonrpcRequestId: 'jsonrpc.request.id',
  rpcStatusCode: 'rpc.response.status_code',
  networkTransport: 'network.transport',
  genAiOperationName: 'gen_ai.operation.name',
  genAiToolName: 'gen_ai.tool.name',
  genAiToolType: 'gen_ai.tool.type',
  genAiToolArguments: 'gen_ai.tool.call.arguments',
  genAiToolResult: 'gen_ai.tool.call.result',
  /** The key's agent; span and log only, never a metric label. */
  genAiAgentId: 'gen_ai.agent.id',
  /** Upstream server, bounded by configuration. */
  serverId: 'hestia.server.id',
  namespace: 'hestia.namespace',
  callId: 'hestia.call.id',
  /** `success`, `error`, `timeout` or `abandoned`. */
  outcome: 'hestia.outcome',
  latencyMs: 'hestia.latency_ms',
  /** How the arguments of a call compare with the input schema of the tool: `fits`, `warned`, `refused` or `unchecked_…`. */
  argumentCheck: 'hestia.argument_check',
  searchId: 'hestia.search.id',
  /** The search that learns from the outcome of a call, quoted or not. */
  creditedSearchId: 'hestia.search.credited_id',
  /** `skill`, `hub`, `upstream` or `all`. */
  searchSource: 'hestia.search.source',
  searchResults: 'hestia.search.results',
  /** `activate`, `deactivate`, `publish`, `delete`, `sync` or `read`. */
  skillOperation: 'hestia.skill.operation',
  skillId: 'hestia.skill.id',
  skillName: 'hestia.skill.name',
  skillVersion: 'hestia.skill.version',
  skillDigest: 'hestia.skill.digest',
  activationId: 'hestia.skill.activation_id',
  activeMs: 'hestia.skill.active_ms',
  jobName: 'hestia.job.name',
  /** `success`, `failure` or `skipped`. */
  jobResult: 'hestia.job.result',
  cleanupDeleted: 'hestia.cleanup.deleted',
  /** `searches`, `audit_records` or `activations`. */
  cleanupKind: 'hestia.cleanup.kind',
  /** `traces`, `logs` or `metrics`. */
  signal: 'otel.signal',
  /** Why a search used words alone: `away`, `late` or `failed`; metric only. */
  searchFallback: 'hestia.search.fallback',
  /** The purpose of an embedding: `query` or `document`; metric only. */
  embeddingPurpose: 'hestia.embeddings.purpose',
  /** Whether a text's vector was cached; metric only. */
  embeddingCached: 'hestia.embeddings.cached',
  /** `query`, `upsert`, `delete` or `get`; metric only. */
  chromaOperation: 'hestia.chroma.operation',
  /** Whether learning changed the place of a search result; metric only. */
  searchMoved: 'hestia.search.moved',
  /** The name of a witness's key, bounded by configuration. */
  witness: 'hestia.witness',
  /** The label whose limit on distinct values was exceeded: `tool_name` or `namespace`. */
  labelName: 'hestia.label.name',
} as const;

/** The span attribute of each event field that has one; other fields go to spans as `hestia.event.<field>`. */
export const eventFieldAttributes: Readonly<Record<string, string>> = {
  agent_id: attributes.genAiAgentId,
  namespace: attributes.namespace,
  skill_id: attributes.skillId,
  skill_name: attributes.skillName,
  version: attributes.skillVersion,
  activation_id: attributes.activationId,
  duration_ms: attributes.activeMs,
  tool_name: attributes.genAiToolName,
  server_id: attributes.serverId,
  outcome: attributes.outcome,
  latency_ms: attributes.latencyMs,
  search_id: attributes.searchId,
  credited_search_id: attributes.creditedSearchId,
  call_id: attributes.callId,
  error_type: attributes.errorType,
  deleted_count: attributes.cleanupDeleted,
};

/** Metric names (docs/reference.md, "Metrics"). */
export const metricNames = {
  mcpServerOperationDuration: 'mcp.server.operation.duration',
  mcpClientOperationDuration: 'mcp.client.operation.duration',
  httpServerRequestDuration: 'http.server.request.duration',
  skillOperationDuration: 'hestia.skill.operation.duration',
  skillsActive: 'hestia.skills.active',
  toolOutcomes: 'hestia.tool.outcomes',
  argumentChecks: 'hestia.tool.argument_checks',
  searchDuration: 'hestia.search.duration',
  securityEvents: 'hestia.security.events',
  schedulerRuns: 'hestia.scheduler.runs',
  schedulerRunDuration: 'hestia.scheduler.run.duration',
  schedulerLastSuccessTime: 'hestia.scheduler.last_success.time',
  cleanupDeleted: 'hestia.cleanup.deleted',
  serverCalls: 'hestia.server.calls',
  serversConnected: 'hestia.servers.connected',
  serversWanted: 'hestia.servers.wanted',
  auditRecords: 'hestia.audit.records',
  auditGap: 'hestia.audit.gap',
  auditUncovered: 'hestia.audit.uncovered',
  auditWitnessSubmissions: 'hestia.audit.witness.submissions',
  projectorLag: 'hestia.projector.lag',
  telemetryDropped: 'hestia.telemetry.dropped',
  telemetryAccepted: 'hestia.telemetry.accepted',
  telemetryExported: 'hestia.telemetry.exported',
  telemetryQueueSize: 'hestia.telemetry.queue.size',
  telemetryQueueCapacity: 'hestia.telemetry.queue.capacity',
  labelOverflow: 'hestia.telemetry.label_overflow',
  callsRunning: 'hestia.calls.running',
  ending: 'hestia.ending',
  schedulerRunning: 'hestia.scheduler.running',
  schedulerInterval: 'hestia.scheduler.interval',
  storageFailures: 'hestia.storage.failures',
  searchReciprocalRank: 'hestia.search.reciprocal_rank',
  searchesFollowed: 'hestia.search.followed',
  searchResultsShown: 'hestia.search.results.shown',
  searchFallbacks: 'hestia.search.fallbacks',
  chromaUp: 'hestia.chroma.up',
  chromaBacklog: 'hestia.chroma.backlog',
  chromaOperationDuration: 'hestia.chroma.operation.duration',
  embeddingsRequestDuration: 'hestia.embeddings.request.duration',
  embeddingsTokens: 'hestia.embeddings.tokens',
  embeddingsTexts: 'hestia.embeddings.texts',
  eventLoopDelayP99: 'nodejs.eventloop.delay.p99',
  eventLoopUtilization: 'nodejs.eventloop.utilization',
  memoryUsage: 'process.memory.usage',
  cpuTime: 'process.cpu.time',
  uptime: 'process.uptime',
} as const;

/** The `deployment.environment.name` of hubs that exist for a fault drill. Dashboards leave them out. */
export const drillEnvironment = 'drill';

/**
 * Bucket bounds in seconds: those that the GenAI conventions advise for MCP operations, and finer ones below, because most
 * calls take milliseconds. From 10 to 100 ms, a bound is at most twice the one before.
 */
export const mcpDurationBounds = [
  0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];

/** Bucket bounds in seconds, as the HTTP conventions advise for request durations. */
export const httpDurationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Bucket bounds of 1/rank for the places that agents use: 1, 1/2, 1/3, 1/4, 1/5, 1/10, 1/50. */
export const reciprocalRankBounds = [0.02, 0.1, 0.2, 0.25, 0.34, 0.5, 1];

/** Bucket bounds in seconds for work inside the hub, which takes milliseconds. */
export const localDurationBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

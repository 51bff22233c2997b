/**
 * The only file that constructs. Takes a configuration and gives back the running parts as one owner; disposing it
 * ends them in the reverse of the order they depend on each other.
 */

import { createAccessGuard } from './domain/access-guard.ts';
import { type AccessService, createAccessService } from './domain/access-service.ts';
import { createAccessTokens } from './domain/access-tokens.ts';
import { createAuditParts } from './domain/audit-parts.ts';
import { createAuditService } from './domain/audit-service.ts';
import { createCleanup } from './domain/cleanup.ts';
import { observeHub } from './domain/hub-gauges.ts';
import { createHubStatus } from './domain/hub-status.ts';
import { createKeyedQueue } from './domain/keyed-queue.ts';
import { createOutcomeMemory } from './domain/outcome-memory.ts';
import { createOutcomeReport } from './domain/outcome-report.ts';
import { createQuarantineService } from './domain/quarantine-service.ts';
import { createRateLimits } from './domain/rate-limits.ts';
import { createSchedulerRecord } from './domain/scheduler-record.ts';
import { createSearchLearning } from './domain/search-learning.ts';
import { createServerService } from './domain/server-service.ts';
import { createSkillGate } from './domain/skill-gate.ts';
import { createSkillLifecycle } from './domain/skill-lifecycle.ts';
import { createSkillService } from './domain/skill-service.ts';
import { createSkillSync } from './domain/skill-sync.ts';
import { createSkillTools } from './domain/skill-tools.ts';
import { createToolCall } from './domain/tool-call.ts';
import { createToolGate } from './domain/tool-gate.ts';
import { createSchemaCheck } from './domain/tool-schema.ts';
import { createToolSearch } from './domain/tool-search.ts';
import { createApp } from './http/app.ts';
import { createHubServer } from './mcp/hub-server.ts';
import { createMetaTools } from './mcp/meta-tools.ts';
import { createSchedule } from './schedule.ts';
import type { Config } from './shapes/configuration.ts';
import { hubServerId } from './shapes/server.ts';
import { createAccessStore } from './stores/access-store.ts';
import { lockData } from './stores/data-lock.ts';
import { openDatabase } from './stores/database.ts';
import { createOutcomeStore } from './stores/outcome-store.ts';
import { createQuarantineStore } from './stores/quarantine-store.ts';
import { createSchedulerStore } from './stores/scheduler-store.ts';
import { createSearchStore } from './stores/search-store.ts';
import { createSkillStore } from './stores/skill-store.ts';
import { createLexicalToolIndex } from './stores/tool-index-lexical.ts';
import { createToolPinStore } from './stores/tool-pin-store.ts';
import { createVectors } from './stores/vectors.ts';
import { createWalCheckpointer } from './stores/wal-checkpointer.ts';
import { createEventReport } from './telemetry/event-report.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Telemetry } from './telemetry/start.ts';
import { createVectorMetrics } from './telemetry/vector-metrics.ts';
import { createConnectionPool } from './upstream/connection-pool.ts';
import { createTokenIssuer } from './upstream/token-issuer.ts';

/** What the hub is built from. Telemetry has started; `now` is the clock, in Unix milliseconds. */
export interface HubDeps {
  config: Config;
  version: string;
  log: Log;
  telemetry: Telemetry;
  now?: () => number;
  /** Makes the trail in place of {@link createAuditParts}, so that what it costs can be measured. */
  createAudit?: typeof createAuditParts;
}

/** The running hub. */
export interface Hub extends AsyncDisposable {
  /** Answers HTTP; what it is served by is the caller's choice. */
  fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  app: ReturnType<typeof createApp>;
  access: AccessService;
  /** Restores active skills, connects servers in the background, watches skills and starts the scheduler. */
  start(): Promise<void>;
  /** Takes no new calls and waits for running ones, at most `limits.drainMs`. */
  drain(): Promise<void>;
}

/**
 * Builds the hub; nothing runs before {@link Hub.start}.
 * @throws DatabaseOpenError, or an Error with one line where an embedding model is asked for that is not installed
 */
export async function createHub(deps: HubDeps): Promise<Hub> {
  const base = createBase(deps);
  const tools = await createTools(deps, base);
  const services = await createServices(deps, base, tools);
  const doors = createDoors(deps, base, tools, services);
  observeHub({ ...deps, ...base, ...tools, ...services, isEnding: doors.isDraining });
  const { lifecycle, searchLearning, skillSync, schedule } = services;
  return {
    app: doors.app,
    access: base.access,
    fetch: doors.app.fetch,
    start: async () => {
      tools.vectors.start();
      await searchLearning.rebuild();
      await lifecycle.restore();
      tools.pool.start();
      await skillSync.start();
      await schedule.start();
      await base.startAudit({ configuration: deps.config, version: deps.version });
      base.walCheckpointer.start();
    },
    drain: () => doors.drain(),
    [Symbol.asyncDispose]: async () => {
      await schedule.stop();
      await tools.vectors[Symbol.asyncDispose]();
      await Promise.allSettled([
        doors.hubServer.close(),
        skillSync[Symbol.asyncDispose](),
        tools.pool[Symbol.asyncDispose](),
      ]);
      await base.access.saveUses().catch(() => undefined);
      await base.checkpointer.stop();
      await base.walCheckpointer[Symbol.asyncDispose]();
      await base.database[Symbol.asyncDispose]();
      base.dataLock[Symbol.dispose]();
    },
  };
}

type Base = ReturnType<typeof createBase>;
type Tools = Awaited<ReturnType<typeof createTools>>;
type Services = Awaited<ReturnType<typeof createServices>>;

/** The database, its stores, and what everything else records and guards with. */
function createBase({ config, log, now = Date.now, createAudit = createAuditParts }: HubDeps) {
  const metrics = createMetrics();
  const file = config.databaseFile;
  const database = openDatabase({ file, ...config.storage, onFailure: metrics.storageFailure });
  const walCheckpointer = createWalCheckpointer({
    database,
    file,
    onFailure: (error) => log.error('The database checkpoints itself from now on', {}, { error }),
  });
  const dataLock = lockData({ databaseFile: config.databaseFile });
  const audit = createAudit({
    database,
    keyDirectory: config.dataDirectory,
    report: createEventReport({ log, metrics }),
    settings: { ...config.audit, auditMode: config.policy.auditMode },
    metrics,
    log,
    now,
  });
  const { trail } = audit;
  const guard = createAccessGuard({ trail });
  const { oauth } = config.policy;
  return {
    log,
    metrics,
    database,
    walCheckpointer,
    dataLock,
    ...audit,
    guard,
    now,
    queue: createKeyedQueue(),
    outcomeStore: createOutcomeStore(database),
    searchStore: createSearchStore(database),
    skillStore: createSkillStore(database),
    schedulerStore: createSchedulerStore(database),
    access: createAccessService({
      database,
      accessStore: createAccessStore(database),
      tokens: oauth && createAccessTokens({ issuer: createTokenIssuer(oauth), oauth }),
      trail,
      guard,
      now,
    }),
    quarantineStore: createQuarantineStore(database),
  };
}

/** Where tools come from: the index, the upstream servers, the active skills. */
async function createTools({ config, version }: HubDeps, base: Base) {
  const { log, now } = base;
  const vectors = await createVectors({
    ...base,
    configuration: config.search,
    lexical: createLexicalToolIndex(),
    metrics: createVectorMetrics(),
  });
  const { toolIndex } = vectors;
  const toolGate = createToolGate({
    ...base,
    pinStore: createToolPinStore(base.database),
    policy: config.policy,
    offer: async (serverId, definitions) => {
      const indexed = definitions.map(
        (definition) => ({ source: 'upstream', definition, namespace: undefined }) as const,
      );
      await toolIndex.prepare(indexed);
      toolIndex.replaceServer(serverId, indexed);
    },
  });
  const pool = createConnectionPool({
    servers: config.servers,
    limits: config.limits,
    clientVersion: version,
    log,
    onToolsChanged: toolGate.admit,
    onStateChanged: ({ serverId, state, errorType }) =>
      log.info('Server state changed', { server_id: serverId, state, error_type: errorType }),
  });
  const skillTools = createSkillTools({ toolIndex, now });
  return { vectors, toolIndex, toolGate, pool, skillTools };
}

/** The domain's services. */
async function createServices({ config, version }: HubDeps, base: Base, tools: Tools) {
  const skillGate = createSkillGate({ ...base, policy: config.policy.contentScan });
  const lifecycle = createSkillLifecycle({ ...base, ...tools, skillGate });
  const skills = createSkillService({ ...base, lifecycle, skillGate });
  const skillSync = createSkillSync({ ...config.skills, ...base, skills });
  const { intervalHours, enabled } = config.scheduler;
  const schedulerRecord = await createSchedulerRecord({ ...base, intervalHours });
  const { retention, limits } = config;
  const cleanup = createCleanup({ ...base, lifecycle, schedulerRecord, retention, syncSkills: skillSync.fullPass });
  const memory = createOutcomeMemory();
  const searchLearning = createSearchLearning({ ...base, memory, lessons: tools.vectors.lessons });
  const schemaCheck = createSchemaCheck();
  const toolCall = createToolCall({
    ...base,
    ...tools,
    searchLearning,
    schemaCheck,
    limits,
    captureContent: config.telemetry.captureContent,
  });
  return {
    lifecycle,
    skills,
    skillSync,
    schedulerRecord,
    cleanup,
    toolCall,
    searchLearning,
    toolSearch: createToolSearch({ ...base, ...tools, memory, searchLearning }),
    servers: createServerService({ ...base, ...tools }),
    quarantine: createQuarantineService({ ...base, ...tools }),
    outcomeReport: createOutcomeReport(base),
    audit: createAuditService({ ...base, version }),
    hubStatus: createHubStatus({ ...base, ...tools, version, toolCall, schedulerRecord }),
    schedule: createSchedule({ ...base, cleanup, lifecycle, skillSync, schedulerRecord, intervalHours, enabled }),
  };
}

/** HTTP and MCP over the same services. */
function createDoors({ config, version }: HubDeps, base: Base, tools: Tools, services: Services) {
  const metaTools = createMetaTools(services);
  const hubTools = metaTools.map(({ definition }) => ({ source: 'hub', definition, namespace: undefined }) as const);
  tools.toolIndex.replaceServer(hubServerId, hubTools);
  const hubServer = createHubServer({ ...base, ...tools, ...services, metaTools, version });
  let draining = false;
  const isDraining = () => draining;
  const app = createApp({
    ...base,
    ...services,
    version,
    limits: config.limits,
    mcp: hubServer.handle,
    rateLimits: createRateLimits({ ...base, limits: config.limits }),
    health: {
      checkDatabase: base.database.checkWritable,
      search: tools.vectors.dependencies,
      servers: tools.pool.list,
      isDraining,
    },
    policy: {
      hosts: [config.host, ...config.policy.allowedHosts],
      origins: config.policy.allowedOrigins,
      oauth: config.policy.oauth,
    },
  });
  const drain = async () => {
    draining = true;
    await services.toolCall.drain(config.limits.drainMs);
  };
  return { hubServer, app, drain, isDraining };
}

/**
 * The only file that constructs. Takes a configuration and gives back the running parts as one owner; disposing it
 * ends them in the reverse of the order they depend on each other.
 */

import { createAccessGuard } from './domain/access-guard.ts';
import { type AccessService, createAccessService } from './domain/access-service.ts';
import { createAuditService } from './domain/audit-service.ts';
import { type AuditTrail, createAuditTrail } from './domain/audit-trail.ts';
import { createCleanup } from './domain/cleanup.ts';
import { createHubStatus } from './domain/hub-status.ts';
import { createKeyedQueue } from './domain/keyed-queue.ts';
import { createOutcomeReport } from './domain/outcome-report.ts';
import { createSchedulerRecord } from './domain/scheduler-record.ts';
import { createServerService } from './domain/server-service.ts';
import { createSkillLifecycle } from './domain/skill-lifecycle.ts';
import { createSkillService } from './domain/skill-service.ts';
import { createSkillSync } from './domain/skill-sync.ts';
import { createSkillTools } from './domain/skill-tools.ts';
import { createToolCall } from './domain/tool-call.ts';
import { createSchemaCheck } from './domain/tool-schema.ts';
import { createToolSearch } from './domain/tool-search.ts';
import { createApp } from './http/app.ts';
import { createHubServer } from './mcp/hub-server.ts';
import { createMetaTools } from './mcp/meta-tools.ts';
import { createSchedule } from './schedule.ts';
import type { Config } from './shapes/configuration.ts';
import { hubServerId } from './shapes/server.ts';
import type { IndexedTool, ToolDefinition } from './shapes/tool.ts';
import { createAccessStore } from './stores/access-store.ts';
import { createAuditStore } from './stores/audit-store.ts';
import { type Database, openDatabase } from './stores/database.ts';
import { createOutcomeStore } from './stores/outcome-store.ts';
import { createSchedulerStore } from './stores/scheduler-store.ts';
import { createSkillStore } from './stores/skill-store.ts';
import { createToolIndex, type ToolIndex } from './stores/tool-index.ts';
import { createEventReport } from './telemetry/event-report.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import type { Telemetry } from './telemetry/start.ts';
import { createConnectionPool } from './upstream/connection-pool.ts';

/** What the hub is built from. Telemetry has started; `now` is the clock, in Unix milliseconds. */
export interface HubDeps {
  config: Config;
  version: string;
  log: Log;
  telemetry: Telemetry;
  now?: () => number;
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

/** Builds the hub; nothing runs before {@link Hub.start}. @throws DatabaseOpenError */
export async function createHub({ config, version, log, telemetry, now = Date.now }: HubDeps): Promise<Hub> {
  const metrics = createMetrics();
  const database = openDatabase({ file: config.databaseFile });
  const base = createBase({ database, metrics, log, now });
  const toolIndex = createToolIndex();
  const pool = createConnectionPool({
    servers: config.servers,
    limits: config.limits,
    clientVersion: version,
    log,
    onToolsChanged: (serverId, tools) => toolIndex.replaceServer(serverId, tools.map(upstreamTool)),
    onStateChanged: ({ serverId, state, errorType }) =>
      log.info('Server state changed', { server_id: serverId, state, error_type: errorType }),
  });
  const skillTools = createSkillTools({ toolIndex, now, isTaken: (name) => isTaken(toolIndex, name) });
  const queue = createKeyedQueue();
  const { trail, guard, skillStore, outcomeStore, auditStore, access } = base;
  const lifecycle = createSkillLifecycle({ skillStore, skillTools, trail, guard, metrics, queue, now });
  const skills = createSkillService({ skillStore, lifecycle, trail, guard, metrics, queue, now });
  const skillSync = createSkillSync({ ...config.skills, skills, metrics, log });
  const schedulerRecord = await createSchedulerRecord({
    database,
    schedulerStore: createSchedulerStore(database),
    trail,
    intervalHours: config.scheduler.intervalHours,
    now,
  });
  const cleanup = createCleanup({
    database,
    outcomeStore,
    auditStore,
    lifecycle,
    schedulerRecord,
    trail,
    guard,
    metrics,
    log,
    now,
    syncSkills: () => skillSync.fullPass(),
    retention: config.retention,
  });
  const toolCall = createToolCall({
    pool,
    toolIndex,
    skillTools,
    outcomeStore,
    trail,
    guard,
    metrics,
    now,
    schemaCheck: createSchemaCheck(),
    limits: config.limits,
    captureContent: config.telemetry.captureContent,
  });
  const toolSearch = createToolSearch({ toolIndex, guard, metrics });
  const servers = createServerService({ pool, trail, guard });
  const hubStatus = createHubStatus({ version, pool, toolIndex, skillTools, toolCall, trail, schedulerRecord, guard });
  const metaTools = createMetaTools({ skills, lifecycle, servers, toolSearch, toolCall, cleanup, hubStatus });
  toolIndex.replaceServer(
    hubServerId,
    metaTools.map(({ definition }) => ({ source: 'hub', definition, namespace: undefined })),
  );
  const hubServer = createHubServer({ metaTools, skillTools, toolCall, metrics, log, version });
  const schedule = createSchedule({
    cleanup,
    lifecycle,
    skillSync,
    schedulerRecord,
    metrics,
    log,
    intervalHours: config.scheduler.intervalHours,
  });
  let draining = false;
  const app = createApp({
    skills,
    lifecycle,
    servers,
    toolSearch,
    toolCall,
    cleanup,
    access,
    metrics,
    log,
    version,
    outcomeReport: createOutcomeReport({ outcomeStore, guard }),
    audit: createAuditService({ trail, guard }),
    mcp: hubServer.handle,
    health: { checkDatabase: () => database.checkWritable(), servers: () => pool.list(), isDraining: () => draining },
    policy: {
      hosts: [...localNames, config.host, ...config.policy.allowedHosts],
      origins: [...localNames, ...config.policy.allowedOrigins],
      requestBytesMax: config.limits.requestBytesMax,
    },
  });
  metrics.observe({
    auditGap: () => trail.gap(),
    serversConnected: () => pool.list().map(({ serverId, state }) => ({ serverId, connected: state === 'connected' })),
    lastSuccess: () => schedulerRecord.lastSuccess(),
    telemetryDropped: () => telemetry.dropped(),
  });
  return {
    app,
    access,
    fetch: app.fetch,
    start: async () => {
      await lifecycle.restore();
      pool.start();
      await skillSync.start();
      await schedule.start();
    },
    drain: async () => {
      draining = true;
      await toolCall.drain(config.limits.drainMs);
    },
    [Symbol.asyncDispose]: async () => {
      await schedule.stop();
      await Promise.allSettled([hubServer.close(), skillSync[Symbol.asyncDispose](), pool[Symbol.asyncDispose]()]);
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Names a hub on this machine is called by. */
const localNames = ['localhost', '127.0.0.1', '[::1]'];

/** The stores and what everything else records and guards with. */
function createBase({
  database,
  metrics,
  log,
  now,
}: {
  database: Database;
  metrics: Metrics;
  log: Log;
  now: () => number;
}) {
  const auditStore = createAuditStore(database);
  const trail: AuditTrail = createAuditTrail({
    database,
    auditStore,
    report: createEventReport({ log, metrics }),
    metrics,
    log,
    now,
  });
  const guard = createAccessGuard({ trail });
  return {
    trail,
    guard,
    auditStore,
    outcomeStore: createOutcomeStore(database),
    skillStore: createSkillStore(database),
    access: createAccessService({ accessStore: createAccessStore(database), trail, guard, now }),
  };
}

function upstreamTool(definition: ToolDefinition): IndexedTool {
  return { source: 'upstream', definition, namespace: undefined };
}

/** A skill never takes the name of a tool that agents know already, the hub's own or an upstream's. */
function isTaken(toolIndex: ToolIndex, toolName: string): boolean {
  return toolIndex.list({}).some(({ source, definition }) => source !== 'skill' && definition.toolName === toolName);
}

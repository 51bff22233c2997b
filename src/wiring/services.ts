/** Builds the use cases, and the schedule that runs some of them. */
import { createAuditService } from '../domain/audit-service.ts';
import { createSchemaCheck } from '../domain/call/schema.ts';
import { createCleanup } from '../domain/cleanup.ts';
import { createHubStatus } from '../domain/hub-status.ts';
import { createQuarantineService } from '../domain/quarantine-service.ts';
import { createPublishedSkills } from '../domain/resource/published-skills.ts';
import { createSchedulerService } from '../domain/scheduler-service.ts';
import { createSearchLearning } from '../domain/search/learning.ts';
import { createOutcomeMemory } from '../domain/search/outcome-memory.ts';
import { createServerService } from '../domain/server-service.ts';
import { createSkillLifecycle } from '../domain/skill-lifecycle.ts';
import { createSkillResources } from '../domain/skill-resources.ts';
import { createSkillService } from '../domain/skill-service.ts';
import { createSkillSync } from '../domain/skill-sync.ts';
import { createToolCall } from '../domain/tool-call.ts';
import { createToolSearch } from '../domain/tool-search.ts';
import { createToolStatisticsService } from '../domain/tool-statistics-service.ts';
import { createKeyedQueue } from '../flow/keyed-queue.ts';
import { createSchedule } from '../schedule.ts';
import type { Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import type { Tools } from './tools.ts';

/** What {@link createServices} builds. */
export type Services = Awaited<ReturnType<typeof createServices>>;

/** Builds the use cases. Reads the scheduler's totals from the database. @throws HestiaError STORAGE_FAILED */
export async function createServices(deps: HubDeps, foundation: Foundation, tools: Tools) {
  const { config, version } = deps;
  const { now, trail, guard, metrics, audit, outcomeStore, quarantineStore } = foundation;
  const { pool, toolIndex, skillTools } = tools;
  const skills = createSkillServices(deps, foundation, tools);
  const search = createSearchServices(foundation, tools);
  const scheduling = await createSchedulingServices(deps, foundation, skills);
  const toolCall = createToolCall({
    pool,
    toolIndex,
    skillTools,
    outcomeStore,
    searchLearning: search.searchLearning,
    trail,
    contentDigest: audit.contentDigest,
    guard,
    metrics,
    schemaCheck: createSchemaCheck(),
    limits: config.limits,
    captureContent: config.telemetry.captureContent,
    now,
  });
  return {
    lifecycle: skills.lifecycle,
    skills: skills.skills,
    skillResources: skills.skillResources,
    skillSync: skills.skillSync,
    searchLearning: search.searchLearning,
    toolSearch: search.toolSearch,
    cleanup: scheduling.cleanup,
    schedule: scheduling.schedule,
    schedulerService: scheduling.schedulerService,
    toolCall,
    servers: createServerService({ pool, trail, guard }),
    quarantine: createQuarantineService({ quarantineStore, toolGate: tools.toolGate, trail, guard, now }),
    toolStatistics: createToolStatisticsService({ outcomeStore, guard }),
    auditService: createAuditTrailService(foundation, version),
    hubStatus: createHubStatus({
      version,
      pool,
      toolIndex,
      skillTools,
      toolCall,
      trail,
      schedulerService: scheduling.schedulerService,
      guard,
    }),
  };
}

function createAuditTrailService({ audit, guard, log }: Foundation, version: string) {
  const { sources, verifyWith, checkpointer, prover, alarm } = audit;
  return createAuditService({ sources, verifyWith, checkpointer, prover, alarm, guard, log, version });
}

function createSkillServices({ config }: HubDeps, foundation: Foundation, tools: Tools) {
  const { skillTools, skillGate, upstreamSkills } = tools;
  const { log, now, trail, guard, metrics, skillStore, quarantineStore } = foundation;
  const { directories, namespace, strict } = config.skills;
  const queue = createKeyedQueue();
  const lifecycle = createSkillLifecycle({ skillStore, skillTools, skillGate, trail, guard, metrics, queue, now });
  const skills = createSkillService({ skillStore, lifecycle, skillGate, trail, guard, metrics, queue, now });
  const publishedSkills = createPublishedSkills({ skillStore, quarantineStore, skillGate, now });
  const skillResources = createSkillResources({ publishedSkills, upstreamSkills, trail, guard, metrics });
  return {
    lifecycle,
    skills,
    skillResources,
    skillSync: createSkillSync({ directories, namespace, strict, skills, metrics, log }),
  };
}

function createSearchServices(foundation: Foundation, { toolIndex, pool, skillTools, searchIndex }: Tools) {
  const { log, now, guard, metrics, database, searchStore } = foundation;
  const memory = createOutcomeMemory();
  const { lessons } = searchIndex;
  const searchLearning = createSearchLearning({ database, searchStore, memory, lessons, metrics, log });
  const servers = pool.list;
  const toolSearch = createToolSearch({ toolIndex, servers, skillTools, memory, searchLearning, guard, metrics, now });
  return { searchLearning, toolSearch };
}

async function createSchedulingServices(
  { config }: HubDeps,
  foundation: Foundation,
  { lifecycle, skillSync }: ReturnType<typeof createSkillServices>,
) {
  const { log, now, trail, guard, metrics, database, audit, access } = foundation;
  const { schedulerStore, outcomeStore, searchStore } = foundation;
  const { intervalHours, enabled } = config.scheduler;
  const schedulerService = await createSchedulerService({ database, schedulerStore, trail, intervalHours, now });
  const cleanup = createCleanup({
    database,
    outcomeStore,
    searchStore,
    auditStore: audit.auditStore,
    lifecycle,
    syncSkills: skillSync.fullPass,
    schedulerService,
    trail,
    guard,
    metrics,
    log,
    retention: config.retention,
    now,
  });
  const schedule = createSchedule({
    access,
    cleanup,
    lifecycle,
    skillSync,
    verifyAudit: audit.scheduledVerification.run,
    schedulerService,
    metrics,
    log,
    intervalHours,
    enabled,
  });
  return { schedulerService, cleanup, schedule };
}

/** Builds the use cases, and the schedule that runs some of them. */
import { createLogTiles } from '../domain/audit/log-tiles.ts';
import { createScheduledVerification } from '../domain/audit/scheduled-verification.ts';
import { createAuditProver } from '../domain/audit/verification/prover.ts';
import { createAuditKeyService, createAuditLogService, createAuditService } from '../domain/audit-service.ts';
import { type Admission, createAdmission } from '../domain/call/admission.ts';
import { createSchemaCheck } from '../domain/call/schema.ts';
import { createCleanup } from '../domain/cleanup.ts';
import { createHubStatus } from '../domain/hub-status.ts';
import { createServerLogins } from '../domain/login/server-logins.ts';
import { createServerSessions } from '../domain/offer/server-session.ts';
import { createQuarantineService } from '../domain/quarantine-service.ts';
import { createPublishedSkills } from '../domain/resource/published-skills.ts';
import { createSchedulerService } from '../domain/scheduler-service.ts';
import { createSearchLearning } from '../domain/search/learning.ts';
import { createOutcomeMemory } from '../domain/search/outcome-memory.ts';
import { createServerRegistry } from '../domain/server/registry.ts';
import { createServerOffers } from '../domain/server-offers.ts';
import { createServerService, type ServerEditing, type ServerService } from '../domain/server-service.ts';
import { createConfiguredActivation } from '../domain/skill/configured-activation.ts';
import { skillKey } from '../domain/skill/lookup.ts';
import { createSkillCatalogue, type SkillCatalogue } from '../domain/skill-catalogue.ts';
import { createSkillLifecycle } from '../domain/skill-lifecycle.ts';
import { createSkillResources } from '../domain/skill-resources.ts';
import { createSkillService } from '../domain/skill-service.ts';
import { createSkillSync } from '../domain/skill-sync.ts';
import { createToolCall } from '../domain/tool-call.ts';
import { createToolSearch } from '../domain/tool-search.ts';
import { createToolStatisticsService } from '../domain/tool-statistics-service.ts';
import { createBackgroundPace } from '../flow/background-pace.ts';
import { createKeyedQueue } from '../flow/keyed-queue.ts';
import { createSchedule } from '../schedule.ts';
import { createServersFile } from '../stores/server/servers-file.ts';
import type { Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import type { Tools } from './tools.ts';

/** What {@link createServices} builds. */
export type Services = Awaited<ReturnType<typeof createServices>>;

/** Builds the use cases. Reads the scheduler's totals from the database. @throws HestiaError STORAGE_FAILED */
export async function createServices(deps: HubDeps, foundation: Foundation, tools: Tools) {
  const { config, version } = deps;
  const { now, trail, guard, audit } = foundation;
  const { pool, toolIndex, skillTools } = tools;
  const skills = createSkillServices(deps, foundation, tools);
  const search = createSearchServices(deps, foundation, tools);
  const scheduling = await createSchedulingServices(deps, foundation, skills);
  const admission = createAdmission(config.limits);
  const toolCall = createToolCalls(deps, foundation, tools, { skills, search, admission });
  return {
    lifecycle: skills.lifecycle,
    configuredActivation: skills.configuredActivation,
    skills: skills.skills,
    skillResources: skills.skillResources,
    skillCatalogue: skills.catalogue,
    skillSync: skills.skillSync,
    backgroundPace: skills.backgroundPace,
    searchLearning: search.searchLearning,
    toolSearch: search.toolSearch,
    cleanup: scheduling.cleanup,
    schedule: scheduling.schedule,
    schedulerService: scheduling.schedulerService,
    toolCall,
    serverOffers: createOffers(deps, foundation, tools, admission),
    ...createServers(deps, foundation, tools),
    quarantine: createQuarantine(foundation, tools, skills),
    toolStatistics: createStatistics(deps, foundation, tools),
    auditService: createAuditTrailService(foundation, version),
    auditLog: createAuditLogService({ tiles: createLogTiles(audit), guard }),
    auditKey: createAuditKeyService({ rotator: audit.keyRotator, guard }),
    hubStatus: createHubStatus({
      version,
      pool,
      toolIndex,
      skillTools,
      toolCall,
      trail,
      schedulerService: scheduling.schedulerService,
      guard,
      views: audit.views,
      telemetry: deps.telemetry,
      now,
    }),
  };
}

function createStatistics(
  { config }: HubDeps,
  { now, guard, searchStore, audit: { views } }: Foundation,
  { toolIndex }: Tools,
) {
  const { outcomesDays } = config.retention;
  return createToolStatisticsService({ views, searchStore, toolIndex, guard, outcomesDays, now });
}

function createOffers(
  { config }: HubDeps,
  { trail, guard, metrics, audit }: Foundation,
  { pool, toolIndex, toolGate, offerGate, offerChanges }: Tools,
  admission: Admission,
) {
  const { limits } = config;
  const { contentDigest } = audit;
  const { isDisabled } = pool;
  const sessions = createServerSessions({ toolGate, isDisabled, trail, contentDigest, limits });
  const shared = { pool, toolIndex, offerGate, trail, guard, metrics, contentDigest, admission, limits };
  return createServerOffers({ ...shared, sessions, changes: offerChanges });
}

function createServers(
  { configurationSource }: HubDeps,
  { trail, guard, metrics, log }: Foundation,
  { pool, toolIndex, authorizations, logins: upstreamLogins }: Tools,
): { servers: ServerService; editing: ServerEditing | undefined } {
  const logins = createServerLogins({ pool, authorizations, logins: upstreamLogins, trail, guard });
  const deps = { pool, toolIndex, trail, guard, logins };
  if (configurationSource === undefined) {
    return { servers: createServerService({ ...deps, editing: undefined }), editing: undefined };
  }
  const file = createServersFile(configurationSource);
  const registry = createServerRegistry({ pool, file, trail, metrics, log });
  const editing = { registry, file, surroundings: configurationSource.surroundings };
  return { servers: createServerService({ ...deps, editing }), editing };
}

function createToolCalls(
  { config }: HubDeps,
  { now, trail, guard, metrics, audit }: Foundation,
  { pool, toolIndex, skillTools }: Tools,
  {
    skills,
    search,
    admission,
  }: {
    skills: ReturnType<typeof createSkillServices>;
    search: ReturnType<typeof createSearchServices>;
    admission: Admission;
  },
) {
  return createToolCall({
    pool,
    toolIndex,
    skillTools,
    activateOnCall: config.skills.autoActivate ? skills.lifecycle.activateOnCall : undefined,
    searchLearning: search.searchLearning,
    trail,
    contentDigest: audit.contentDigest,
    guard,
    metrics,
    schemaCheck: createSchemaCheck(),
    argumentCheck: config.policy.argumentCheck,
    admission,
    limits: config.limits,
    captureContent: config.telemetry.captureContent,
    now,
  });
}

function createAuditTrailService({ audit, guard, log }: Foundation, version: string) {
  const { views, sources, checkpointer, alarm, key, journal } = audit;
  const prover = createAuditProver({ ...sources, journal, newest: checkpointer.newest });
  return createAuditService({ views, sources, checkpointer, prover, key, alarm, guard, log, version });
}

function createQuarantine(
  { quarantineStore, skillStore, trail, guard, now }: Foundation,
  { toolGate, offerCatalogue }: Tools,
  { skillSync, refreshSkill, lifecycle }: ReturnType<typeof createSkillServices>,
) {
  const skills = { skillStore, lifecycle, skillSync, refreshSkill };
  return createQuarantineService({ quarantineStore, toolGate, offerCatalogue, ...skills, trail, guard, now });
}

function createSkillServices({ config }: HubDeps, foundation: Foundation, tools: Tools) {
  const { skillTools, skillGate, upstreamSkills, toolIndex } = tools;
  const { log, now, trail, guard, metrics, skillStore, quarantineStore } = foundation;
  const queue = createKeyedQueue();
  const backgroundPace = createBackgroundPace();
  const catalogue = createSkillCatalogue({ toolIndex, skillTools, skillStore, quarantineStore, log });
  const shared = { skillStore, catalogue, skillGate, trail, guard, metrics, queue, now };
  const lifecycle = createSkillLifecycle({ ...shared, skillTools });
  const configuredActivation = createConfiguredActivation({ ...config.skills, skillStore, lifecycle, log });
  const skills = createSkillService({
    ...shared,
    lifecycle,
    configuredActivation,
    rateLimits: foundation.rateLimits,
    limits: config.limits,
  });
  const publishedSkills = createPublishedSkills({ skillStore, quarantineStore, skillGate, now });
  const skillResources = createSkillResources({ publishedSkills, upstreamSkills, trail, guard, metrics });
  const refreshSkill: SkillCatalogue['refresh'] = (skill) =>
    queue(skillKey(skill.namespace, skill.name), () => catalogue.refresh(skill));
  return {
    lifecycle,
    configuredActivation,
    skills,
    refreshSkill,
    catalogue,
    skillResources,
    skillSync: createSkillSync({ ...config.skills, skills, pace: backgroundPace, metrics, log }),
    backgroundPace,
  };
}

function createSearchServices(
  { config }: HubDeps,
  foundation: Foundation,
  { toolIndex, pool, skillTools, searchIndex }: Tools,
) {
  const { log, now, guard, metrics, audit, searchStore, searchWriter, storedLessons } = foundation;
  const memory = createOutcomeMemory();
  const { lessons } = searchIndex;
  const { journal, views } = audit;
  const searchLearning = createSearchLearning({
    searchStore,
    searchWriter,
    storedLessons,
    viewsReady: () => views.waitFor(journal.size(), { timeoutMs: Number.POSITIVE_INFINITY }),
    memory,
    lessons,
    metrics,
    log,
    now,
  });
  const servers = pool.list;
  const { disabledTools } = pool;
  const { autoActivate } = config.skills;
  const { rateLimits } = foundation;
  const shared = { toolIndex, disabledTools, skillTools, memory, guard, rateLimits, metrics, now };
  const { offerIndex } = searchIndex;
  const toolSearch = createToolSearch({ ...shared, offerIndex, servers, autoActivate, searchLearning });
  return { searchLearning, toolSearch };
}

async function createSchedulingServices(
  { config }: HubDeps,
  foundation: Foundation,
  { lifecycle, skillSync }: ReturnType<typeof createSkillServices>,
) {
  const { log, now, trail, guard, metrics, database, audit, access } = foundation;
  const { schedulerStore, searchStore, skillRetentionStore } = foundation;
  const { intervalHours, enabled } = config.scheduler;
  const schedulerService = await createSchedulerService({ database, schedulerStore, trail, intervalHours, now });
  const cleanup = createCleanup({
    database,
    searchStore,
    skillRetentionStore,
    auditRetention: audit.retention,
    lifecycle,
    syncSkills: skillSync.fullPass,
    schedulerService,
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
    verifyAudit: createScheduledVerification(audit).run,
    schedulerService,
    metrics,
    log,
    intervalHours,
    enabled,
  });
  return { schedulerService, cleanup, schedule };
}

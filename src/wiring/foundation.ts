/** Builds the foundation of the hub: the database with its stores, the audit trail and access control. */
import { createAccessGuard } from '../domain/access/guard.ts';
import { createRateLimits } from '../domain/access/rate-limits.ts';
import { createAccessTokens } from '../domain/access/tokens.ts';
import { createAccessService } from '../domain/access-service.ts';
import { createAccessStore } from '../stores/access-store.ts';
import { lockDataDirectory } from '../stores/data-lock.ts';
import { openDatabase } from '../stores/database.ts';
import { createOutcomeStore } from '../stores/outcome-store.ts';
import { createQuarantineStore } from '../stores/quarantine-store.ts';
import { createSchedulerStore } from '../stores/scheduler-store.ts';
import { createSearchStore } from '../stores/search-store.ts';
import { createSkillStore } from '../stores/skill-store.ts';
import { createToolPinStore } from '../stores/tool-pin-store.ts';
import { createWalCheckpointer } from '../stores/wal-checkpointer.ts';
import { createEventReport } from '../telemetry/event-report.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createTokenIssuer } from '../upstream/token-issuer.ts';
import { createAudit } from './audit.ts';
import type { HubDeps } from './hub-deps.ts';

/** What {@link createFoundation} builds. All other parts of the hub depend on it. */
export type Foundation = ReturnType<typeof createFoundation>;

/**
 * Opens the database and locks the data directory for this process.
 * @throws DatabaseOpenError; AuditKeyError
 */
export function createFoundation(deps: HubDeps) {
  const { config, log, now = Date.now } = deps;
  const { databaseFile: file, policy } = config;
  const { checkpointRecords, checkpointSeconds } = config.audit;
  const metrics = createMetrics();
  const database = openDatabase({ file, durability: config.storage.durability, onFailure: metrics.storageFailure });
  const walCheckpointer = createWalCheckpointer({
    database,
    file,
    onFailure: (error) =>
      log.error('The WAL checkpoint thread stopped; SQLite checkpoints at commits from now on', {}, { error }),
  });
  const dataLock = lockDataDirectory({ databaseFile: file });
  const audit = (deps.createAudit ?? createAudit)({
    database,
    keyDirectory: config.dataDirectory,
    report: createEventReport({ log, metrics }),
    settings: { checkpointRecords, checkpointSeconds, auditMode: policy.auditMode },
    metrics,
    log,
    now,
  });
  const { trail } = audit;
  const guard = createAccessGuard({ trail });
  const access = createAccessService({
    database,
    accessStore: createAccessStore(database),
    tokens: policy.oauth && createAccessTokens({ issuer: createTokenIssuer(policy.oauth), oauth: policy.oauth }),
    rateLimits: createRateLimits({ trail, limits: config.limits }),
    trail,
    guard,
    now,
  });
  return {
    log,
    now,
    metrics,
    database,
    walCheckpointer,
    dataLock,
    audit,
    trail,
    guard,
    access,
    ...createStores(database),
  };
}

function createStores(database: ReturnType<typeof openDatabase>) {
  return {
    outcomeStore: createOutcomeStore(database),
    searchStore: createSearchStore(database),
    skillStore: createSkillStore(database),
    schedulerStore: createSchedulerStore(database),
    quarantineStore: createQuarantineStore(database),
    pinStore: createToolPinStore(database),
  };
}

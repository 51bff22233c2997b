/** Builds the foundation of the hub: the database with its stores, the audit trail and access control. */

import { join } from 'node:path';
import { createAccessGuard } from '../domain/access/guard.ts';
import { createIssuerSignIn } from '../domain/access/issuer-sign-in.ts';
import { createRateLimits } from '../domain/access/rate-limits.ts';
import { createAccessTokens } from '../domain/access/tokens.ts';
import { createAccessService } from '../domain/access-service.ts';
import { createStoredLessons } from '../domain/search/lesson.ts';
import { createSearchWriter } from '../domain/search/writer.ts';
import { type MemoryWatch, memoryLimitBytes, watchMemory } from '../flow/memory-watch.ts';
import { hubCaller } from '../shapes/access.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { issuerPaths } from '../shapes/oauth/server-oauth.ts';
import { createAccessStore } from '../stores/access-store.ts';
import { lockDataDirectory } from '../stores/data-lock.ts';
import { openDatabase } from '../stores/database.ts';
import { createQuarantineStore } from '../stores/quarantine-store.ts';
import { createSchedulerStore } from '../stores/scheduler-store.ts';
import { createSearchStore } from '../stores/search-store.ts';
import { createSkillRetentionStore } from '../stores/skill/retention.ts';
import { createSkillStore } from '../stores/skill-store.ts';
import { createWalCheckpointer } from '../stores/sqlite/wal-checkpointer.ts';
import { createToolPinStore } from '../stores/tool-pin-store.ts';
import { createEventReport, type EventReport } from '../telemetry/event-report.ts';
import type { Log } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createIssuerClient } from '../upstream/oauth/issuer-client.ts';
import { createTokenIssuer } from '../upstream/token-issuer.ts';
import { type AuditSettings, alarmIfBroken, createAudit } from './audit.ts';
import type { HubDeps } from './hub-deps.ts';
import { type JournalPlace, takeOverOldTrail } from './journal.ts';

/** What {@link createFoundation} builds. All other parts of the hub depend on it. */
export type Foundation = Awaited<ReturnType<typeof createFoundation>>;

/**
 * Opens the database and the journal, and locks the data directory for this process.
 * @throws DatabaseOpenError; JournalOpenError; AuditKeyError
 */
export async function createFoundation(deps: HubDeps) {
  const { config, log, now = Date.now } = deps;
  const metrics = createMetrics();
  const report = createEventReport({ log, metrics });
  await using opened = new AsyncDisposableStack();
  const stored = await alarmIfBroken({ report, log }, () => openStored(deps, { metrics, report, opened }));
  const { database, audit } = stored;
  const { trail } = audit;
  const guard = createAccessGuard({ trail });
  const rateLimits = createRateLimits({ trail, limits: config.limits });
  const access = createAccessService({
    database,
    accessStore: createAccessStore(database),
    ...createIssuerAccess(config),
    rateLimits,
    trail,
    guard,
    now,
  });
  const stores = createStores(database);
  const { searchStore } = stores;
  // From here on the caller closes what was opened.
  opened.move();
  return {
    log,
    now,
    metrics,
    ...stored,
    trail,
    guard,
    rateLimits,
    access,
    memory: createMemoryWatch(config.limits.memoryBytesMax, log),
    ...stores,
    searchWriter: createSearchWriter({ database, searchStore, searchesMax: config.retention.searchesMax, log }),
    storedLessons: createStoredLessons({ views: audit.views, searchStore }),
  };
}

/** Opens what the hub stores, each in `opened`. The trail of an older database is taken over before the database is upgraded. */
async function openStored(
  deps: HubDeps,
  { metrics, report, opened }: { metrics: Metrics; report: EventReport; opened: AsyncDisposableStack },
) {
  const { config, log, now = Date.now, monotonicNow = () => performance.now() } = deps;
  const { databaseFile: file } = config;
  const place = journalPlace(config);
  const dataLock = opened.use(lockDataDirectory({ databaseFile: file }));
  const oldFault = await takeOverOldTrail(place, { databaseFile: file, origin: config.audit.origin, log, now });
  const { durability } = config.storage;
  const database = opened.use(openDatabase({ file, durability, onFailure: metrics.storageFailure }));
  const settings = auditSettings(config);
  const auditDeps = { database, place, settings, report, metrics, log, now, monotonicNow };
  const audit = await (deps.createAudit ?? createAudit)(auditDeps);
  opened.defer(audit.close);
  if (oldFault !== undefined) await audit.alarm.raise(oldFault, hubCaller);
  const walCheckpointer = createWalCheckpointer({
    database,
    file,
    onFailure: (error) =>
      log.error('The WAL checkpoint thread stopped; SQLite checkpoints at commits from now on', {}, { error }),
  });
  return { database, walCheckpointer, dataLock, audit };
}

/** The watch of the memory, which logs when the hub begins and ends to refuse requests. */
function createMemoryWatch(configuredBytes: number | undefined, log: Log): MemoryWatch {
  const limitBytes = memoryLimitBytes(configuredBytes);
  return watchMemory({
    limitBytes,
    onChange: (isOver, bytes) => {
      const fields = { memory_bytes: bytes, limit_bytes: limitBytes };
      if (isOver) log.error('The hub serves operators only: its memory is over the limit', fields);
      else log.info('The hub serves all callers again: its memory is below the limit', fields);
    },
  });
}

function journalPlace({ dataDirectory, audit: { headFile } }: Config): JournalPlace {
  return { dataDirectory, directory: join(dataDirectory, 'journal'), headFile };
}

function auditSettings({ audit, policy, retention, storage }: Config): AuditSettings {
  const { auditMode } = policy;
  const { auditDays } = retention;
  return { ...audit, origin: audit.origin, auditMode, auditDays, durability: storage.durability };
}

function createStores(database: ReturnType<typeof openDatabase>) {
  return {
    searchStore: createSearchStore(database),
    skillStore: createSkillStore(database),
    skillRetentionStore: createSkillRetentionStore(database),
    schedulerStore: createSchedulerStore(database),
    quarantineStore: createQuarantineStore(database),
    pinStore: createToolPinStore(database),
  };
}

/** Access tokens of the configured issuer, and the sign-in there; neither without one. */
function createIssuerAccess({ policy: { oauth }, console: { clientSecret } }: Config) {
  if (oauth === undefined) return { tokens: undefined, issuerSignIn: undefined };
  const tokens = createAccessTokens({ issuer: createTokenIssuer(oauth), oauth });
  const startUrl = new URL(issuerPaths.start, oauth.resource).href;
  const redirectUrl = new URL(issuerPaths.back, oauth.resource).href;
  const client = createIssuerClient({ oauth, clientSecret, redirectUrl });
  const { issuer } = oauth;
  const issuerSignIn = createIssuerSignIn({ issuer, startUrl, client, tokens, now: () => performance.now() });
  return { tokens, issuerSignIn };
}

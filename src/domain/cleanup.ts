/**
 * Cleanup: deactivates expired skills, deletes data past its retention, and re-reads watched skills. It deletes searches in
 * bounded batches and audit records by segments, and may be repeated. A part that fails does not stop the others.
 */
import { ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import { type CleanupKind, type CleanupReport, cleanupKindSchema, type SchedulerStatus } from '../shapes/scheduler.ts';
import type { Database } from '../stores/database.ts';
import type { SearchStore } from '../stores/search-store.ts';
import type { SkillRetentionStore } from '../stores/skill/retention.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditRetention } from './audit/retention.ts';
import type { SchedulerService } from './scheduler-service.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';

/** Runs cleanups, one at a time. */
export interface Cleanup {
  /** Runs a cleanup on schedule. Parts that fail are in the report. Returns undefined if a run is in progress. */
  run(): Promise<CleanupReport | undefined>;
  /** Runs a cleanup on request. @throws HestiaError FORBIDDEN; SHUTTING_DOWN; CONFLICT if a run is in progress */
  runNow(caller: Caller): Promise<CleanupReport>;
  status(caller: Caller): Promise<SchedulerStatus>;
  /** Prevents further runs, stops a run in progress after its current batch, and waits for it. */
  stop(): Promise<void>;
}

/** Dependencies of the cleanup. */
export interface CleanupDeps {
  database: Database;
  searchStore: SearchStore;
  skillRetentionStore: SkillRetentionStore;
  auditRetention: AuditRetention;
  lifecycle: SkillLifecycle;
  /** Reads all watched skills again. */
  syncSkills: () => Promise<void>;
  schedulerService: SchedulerService;
  guard: AccessGuard;
  metrics: Metrics;
  log: Log;
  retention: { searchesDays: number; skillVersions: number; deletedSkillsDays: number };
  now: () => number;
}

/** Rows deleted in one transaction. Small, because calls wait for a transaction and run between two. */
const batchSize = 100;
/** The most batches of one part in one run; the remaining rows wait for the next run. */
const batchesMax = 10_000;
const dayMs = 86_400_000;

/** Creates the cleanup. */
export function createCleanup(deps: CleanupDeps): Cleanup {
  const stopping = new AbortController();
  let inProgress: Promise<CleanupReport> | undefined;
  const runOnce = async (by: Caller): Promise<CleanupReport | undefined> => {
    if (inProgress !== undefined) {
      deps.metrics.schedulerRun(0, 'cleanup', 'skipped');
      return undefined;
    }
    inProgress = inSpan(spanNames.schedulerCleanup, { parent: ROOT_CONTEXT }, (span) =>
      cleanUp(deps, { by, span, stopping: stopping.signal }),
    );
    try {
      return await inProgress;
    } finally {
      inProgress = undefined;
    }
  };
  return {
    run: async () => (stopping.signal.aborted ? undefined : runOnce(hubCaller)),
    runNow: async (caller) => {
      await deps.guard.require(caller, 'scheduler.run');
      if (stopping.signal.aborted)
        throw new HestiaError('SHUTTING_DOWN', 'the hub is shutting down; no cleanup is started');
      const report = await runOnce(caller);
      if (report === undefined) throw new HestiaError('CONFLICT', 'a cleanup is already in progress');
      return report;
    },
    status: async (caller) => {
      await deps.guard.require(caller, 'scheduler.read');
      return deps.schedulerService.status();
    },
    stop: async () => {
      stopping.abort();
      await inProgress?.catch(() => undefined);
    },
  };
}

/** One run: who requested it, its span, and the signal that stops it early. */
interface CleanupRun {
  by: Caller;
  span: Span;
  stopping: AbortSignal;
}

async function cleanUp(deps: CleanupDeps, run: CleanupRun): Promise<CleanupReport> {
  const startedAt = performance.now();
  const deleted: Record<CleanupKind, number> = { activations: 0, audit_records: 0, searches: 0, skill_versions: 0 };
  const failedParts: string[] = [];
  for (const [name, work] of cleanupParts(deps, deleted, run)) {
    if (run.stopping.aborted) break;
    try {
      await work();
    } catch (error) {
      failedParts.push(name);
      deps.log.error('A part of the cleanup failed', { part: name }, { error });
    }
  }
  const deletedCount = Object.values(deleted).reduce((sum, count) => sum + count, 0);
  const durationMs = performance.now() - startedAt;
  const recorded = await deps.schedulerService.finished({
    deletedCount,
    durationMs,
    failedParts,
    by: run.by,
    span: run.span,
  });
  const succeeded = failedParts.length === 0 && recorded;
  if (!succeeded) failSpan(run.span, 'cleanup_failed');
  for (const kind of cleanupKindSchema.options) deps.metrics.cleanupDeleted(deleted[kind], kind);
  deps.metrics.schedulerRun(durationMs / 1000, 'cleanup', succeeded ? 'success' : 'failure');
  return { deleted, deletedCount, failedParts, durationMs };
}

/** The parts by name, in the order in which they run. Each adds its deletions to `deleted`. */
function cleanupParts(
  deps: CleanupDeps,
  deleted: Record<CleanupKind, number>,
  { by, span, stopping }: CleanupRun,
): [string, () => Promise<void>][] {
  const { database, lifecycle, searchStore, skillRetentionStore, auditRetention, retention, now } = deps;
  const searchesBefore = now() - retention.searchesDays * dayMs;
  const inBatches = (kind: CleanupKind, batch: (limit: number) => Promise<number>) => async () => {
    for (let round = 0; round < batchesMax && !stopping.aborted; round += 1) {
      const done = await batch(batchSize);
      deleted[kind] += done;
      if (done < batchSize) return;
    }
  };
  return [
    ['activations', inBatches('activations', (limit) => lifecycle.expire(limit))],
    [
      'searches',
      inBatches('searches', (limit) =>
        database.transaction((tx) => searchStore.prune(tx, { before: searchesBefore, limit })),
      ),
    ],
    [
      'skill_versions',
      async () => {
        const { skillVersions: versionsMax, deletedSkillsDays } = retention;
        const deletedBefore = now() - deletedSkillsDays * dayMs;
        await inBatches('skill_versions', (limit) =>
          database.transaction((tx) => skillRetentionStore.deleteVersions(tx, { versionsMax, deletedBefore, limit })),
        )();
        if (deleted.skill_versions > 0) await skillRetentionStore.deleteUnreferencedBytes();
      },
    ],
    [
      'audit_records',
      async () => {
        deleted.audit_records += await auditRetention.run({ by, span });
      },
    ],
    ['skill_sync', deps.syncSkills],
  ];
}

/**
 * One cleanup: expired skills are deactivated, outcomes and audit records past their retention are purged, skills are
 * read again. In bounded batches, repeatable; a part that fails does not keep the others from running.
 */
import { ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import { type CleanupKind, type CleanupReport, cleanupKindSchema, type SchedulerStatus } from '../shapes/scheduler.ts';
import type { AuditStore } from '../stores/audit-store.ts';
import type { Database, Transaction } from '../stores/database.ts';
import type { OutcomeStore } from '../stores/outcome-store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access-guard.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { SchedulerRecord } from './scheduler-record.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';

/** Cleanups. */
export interface Cleanup {
  /** A run by the clock. Never throws; a failure is an event. Undefined where a run is under way already. */
  run(): Promise<CleanupReport | undefined>;
  /** A run on request. @throws HestiaError FORBIDDEN, CONFLICT where a run is under way */
  runNow(caller: Caller): Promise<CleanupReport>;
  status(caller: Caller): Promise<SchedulerStatus>;
  /** Starts no further run, ends a run under way between two batches, and waits for it. */
  stop(): Promise<void>;
}

/** What a cleanup is made of. */
export interface CleanupDeps {
  database: Database;
  outcomeStore: OutcomeStore;
  auditStore: AuditStore;
  lifecycle: SkillLifecycle;
  /** Reads all watched skills again. */
  syncSkills: () => Promise<void>;
  schedulerRecord: SchedulerRecord;
  trail: AuditTrail;
  guard: AccessGuard;
  metrics: Metrics;
  log: Log;
  retention: { outcomesDays: number; auditDays: number };
  now: () => number;
}

/** Rows deleted in one transaction, so that calls are never kept waiting long. */
const batchSize = 500;
/** Batches of one part in one run; what is left waits for the next. */
const batchesMax = 2000;
const dayMs = 86_400_000;

/** Makes the service. */
export function createCleanup(deps: CleanupDeps): Cleanup {
  const stopping = new AbortController();
  let underWay: Promise<CleanupReport> | undefined;
  const runOnce = async (by: Caller): Promise<CleanupReport | undefined> => {
    if (underWay !== undefined) {
      deps.metrics.schedulerRun(0, 'cleanup', 'skipped');
      return undefined;
    }
    underWay = inSpan(spanNames.schedulerCleanup, { parent: ROOT_CONTEXT }, (span) =>
      cleanUp(deps, { by, span, stopping: stopping.signal }),
    );
    try {
      return await underWay;
    } finally {
      underWay = undefined;
    }
  };
  return {
    run: async () => (stopping.signal.aborted ? undefined : runOnce(hubCaller)),
    runNow: async (caller) => {
      await deps.guard.require(caller, 'scheduler.run');
      if (stopping.signal.aborted) throw new HestiaError('SHUTTING_DOWN', 'the hub is shutting down; nothing is run');
      const report = await runOnce(caller);
      if (report === undefined) throw new HestiaError('CONFLICT', 'a cleanup is under way already');
      return report;
    },
    status: async (caller) => {
      await deps.guard.require(caller, 'scheduler.read');
      return deps.schedulerRecord.status();
    },
    stop: async () => {
      stopping.abort();
      await underWay?.catch(() => undefined);
    },
  };
}

/** One run: who asked for it, the span that stands for it, and what ends it early. */
interface CleanupRun {
  by: Caller;
  span: Span;
  stopping: AbortSignal;
}

async function cleanUp(deps: CleanupDeps, { by, span, stopping }: CleanupRun): Promise<CleanupReport> {
  const startedAt = performance.now();
  const deleted: Record<CleanupKind, number> = { activations: 0, outcomes: 0, audit_records: 0 };
  const failedParts: string[] = [];
  for (const [name, work] of cleanupParts(deps, deleted, stopping)) {
    if (stopping.aborted) break;
    try {
      await work();
    } catch (error) {
      failedParts.push(name);
      deps.log.error('A part of the cleanup failed', { part: name }, { error });
    }
  }
  const deletedCount = deleted.activations + deleted.outcomes + deleted.audit_records;
  const durationMs = performance.now() - startedAt;
  const run = { deletedCount, failedParts, by, span, auditRecordsPruned: deleted.audit_records };
  const recorded = await deps.schedulerRecord.finished(run);
  const succeeded = failedParts.length === 0 && recorded;
  if (!succeeded) failSpan(span, 'cleanup_failed');
  for (const kind of cleanupKindSchema.options) deps.metrics.cleanupDeleted(deleted[kind], kind);
  deps.metrics.schedulerRun(durationMs / 1000, 'cleanup', succeeded ? 'success' : 'failure');
  return { deleted, deletedCount, failedParts, durationMs };
}

/** The parts by name, in the order they run; each adds what it deleted to `deleted` as it goes. */
function cleanupParts(
  deps: CleanupDeps,
  deleted: Record<CleanupKind, number>,
  stopping: AbortSignal,
): [string, () => Promise<void>][] {
  const { lifecycle, outcomeStore, auditStore, retention, now } = deps;
  const add = (kind: CleanupKind) => (count: number) => {
    deleted[kind] += count;
  };
  const outcomesBefore = now() - retention.outcomesDays * dayMs;
  const recordsBefore = new Date(now() - retention.auditDays * dayMs).toISOString();
  return [
    ['activations', () => inBatches((limit) => lifecycle.expire(limit), add('activations'), stopping)],
    [
      'outcomes',
      () =>
        purge(
          deps,
          (tx, limit) => outcomeStore.prune(tx, { before: outcomesBefore, limit }),
          add('outcomes'),
          stopping,
        ),
    ],
    [
      'audit_records',
      () =>
        purge(
          deps,
          (tx, limit) => auditStore.prune(tx, { before: recordsBefore, limit }),
          add('audit_records'),
          stopping,
        ),
    ],
    ['skill_sync', deps.syncSkills],
  ];
}

function purge(
  { database }: CleanupDeps,
  prune: (tx: Transaction, limit: number) => Promise<number>,
  count: (deleted: number) => void,
  stopping: AbortSignal,
): Promise<void> {
  return inBatches((limit) => database.transaction((tx) => prune(tx, limit)), count, stopping);
}

/** Runs batches until one is not full, letting other work in between. */
async function inBatches(
  batch: (limit: number) => Promise<number>,
  count: (done: number) => void,
  stopping: AbortSignal,
): Promise<void> {
  for (let round = 0; round < batchesMax; round += 1) {
    const done = await batch(batchSize);
    count(done);
    if (done < batchSize || stopping.aborted) return;
  }
}

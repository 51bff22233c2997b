/** The trail as callers may read it: list, verify, export, and prove. */
import type { Caller } from '../shapes/access.ts';
import type { AuditQuery, AuditRecord, AuditVerdict } from '../shapes/audit.ts';
import type {
  AuditCheckpoint,
  AuditConsistencyProof,
  AuditInclusionProof,
  AuditKey,
} from '../shapes/audit-checkpoint.ts';
import { HestiaError } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditAlarm } from './audit/alarm.ts';
import { parseCheckpoint, type VerifyingKey } from './audit/checkpoint.ts';
import type { AuditCheckpointer } from './audit/checkpointer.ts';
import { ocsfLines } from './audit/ocsf.ts';
import type { AuditProver } from './audit/prover.ts';
import { type TrailSources, trailLines } from './audit/trail-lines.ts';
import { verifyTrail } from './audit/verification.ts';

/** What an export is written as. */
export type AuditExportFormat = 'ndjson' | 'ocsf';

/** Reading the trail. Errors: FORBIDDEN, STORAGE_FAILED; CONFLICT where it is pruned while it is read. */
export interface AuditService {
  list(caller: Caller, query: AuditQuery): Promise<AuditRecord[]>;
  /** Walks the whole trail; a broken one raises `AUDIT_CHAIN_BROKEN`. */
  verify(caller: Caller): Promise<AuditVerdict>;
  /** Lines without newlines, in pages, read while they are consumed. What is on record is signed first. */
  export(caller: Caller, format: AuditExportFormat): Promise<AsyncIterable<readonly string[]>>;
  key(caller: Caller): Promise<AuditKey>;
  /** Checkpoints behind number `after`, ascending; those that do not parse are left out. */
  checkpoints(caller: Caller, page: { after: number; limit: number }): Promise<AuditCheckpoint[]>;
  inclusion(caller: Caller, request: { seq: number; checkpoint?: number | undefined }): Promise<AuditInclusionProof>;
  consistency(caller: Caller, request: { from: number; to?: number | undefined }): Promise<AuditConsistencyProof>;
}

/** What the service is made of. */
export interface AuditServiceDeps {
  sources: TrailSources;
  verifyWith: VerifyingKey;
  checkpointer: AuditCheckpointer;
  prover: AuditProver;
  alarm: AuditAlarm;
  guard: AccessGuard;
  log: Log;
  version: string;
}

/** Makes the service. */
export function createAuditService(deps: AuditServiceDeps): AuditService {
  const { sources, guard, prover } = deps;
  const allowed = (caller: Caller) => guard.require(caller, 'audit.read');
  return {
    list: async (caller, query) => {
      await allowed(caller);
      return sources.auditStore.list(query);
    },
    verify: async (caller) => {
      await allowed(caller);
      return inSpan('audit.verify', {}, () => verified(deps, caller));
    },
    export: async (caller, format) => {
      await allowed(caller);
      await signFirst(deps);
      const lines = trailLines(sources);
      return format === 'ocsf' ? ocsfLines(lines, deps.version) : lines;
    },
    key: async (caller) => {
      await allowed(caller);
      return sources.key;
    },
    checkpoints: async (caller, page) => {
      await allowed(caller);
      const stored = await sources.checkpointStore.list(page);
      return stored.flatMap(({ body }) => {
        const checkpoint = parseCheckpoint(body);
        return 'reason' in checkpoint ? [] : [checkpoint];
      });
    },
    inclusion: async (caller, { seq, checkpoint }) => {
      await allowed(caller);
      return prover.inclusion(seq, checkpoint);
    },
    consistency: async (caller, { from, to }) => {
      await allowed(caller);
      return prover.consistency(from, to);
    },
  };
}

/** An export is worth something without the last signature too: it says itself how many records are not covered. */
async function signFirst({ checkpointer, log }: AuditServiceDeps): Promise<void> {
  try {
    await checkpointer.runNow();
  } catch (error) {
    log.error('The audit trail could not be signed before an export', {}, { error });
  }
}

/** Readings that records may be pruned under before the caller is asked to come again. */
const readingsMax = 3;

/** A verdict on what stands still: where records were pruned meanwhile, the trail is read again. */
async function verified(deps: AuditServiceDeps, caller: Caller): Promise<AuditVerdict> {
  const { sources, verifyWith, alarm } = deps;
  for (let reading = 1; reading <= readingsMax; reading += 1) {
    const before = (await sources.auditStore.anchor()).seq;
    const verdict = await verifyTrail(trailLines(sources), { publicKey: verifyWith }).catch((error: unknown) => {
      if (error instanceof HestiaError && error.code === 'CONFLICT') return undefined;
      throw error;
    });
    const isStill = (await sources.auditStore.anchor()).seq === before;
    if (verdict?.firstBad !== undefined && isStill) await alarm.raise(verdict.firstBad, caller);
    if (verdict !== undefined && (verdict.intact || isStill)) return verdict;
  }
  throw new HestiaError('CONFLICT', 'records past their retention are being deleted; verify again');
}

/** Read access to the audit trail: list, verify, export, and prove records. */
import type { Caller } from '../shapes/access.ts';
import type { AuditQuery, AuditVerdict, ChainedAuditRecord } from '../shapes/audit.ts';
import type {
  AuditCheckpoint,
  AuditConsistencyProof,
  AuditInclusionProof,
  AuditKey,
} from '../shapes/audit-checkpoint.ts';
import type { AuditKeyRotation } from '../shapes/audit-log/key-rotation.ts';
import { HestiaError } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditAlarm } from './audit/alarm.ts';
import { parseCheckpoint, type VerifyingKey } from './audit/checkpoint.ts';
import type { AuditCheckpointer } from './audit/checkpointer.ts';
import type { KeyRotator } from './audit/key-rotation.ts';
import type { LogTiles } from './audit/log-tiles.ts';
import { ocsfLines } from './audit/ocsf.ts';
import type { AuditProver } from './audit/prover.ts';
import { type TrailSources, trailLines } from './audit/trail-lines.ts';
import { verifyTrail } from './audit/verification.ts';

/** The format of an export. */
export type AuditExportFormat = 'ndjson' | 'ocsf';

/** Reads the trail. Errors: FORBIDDEN, STORAGE_FAILED; CONFLICT where records are pruned while they are read. */
export interface AuditService {
  list(caller: Caller, query: AuditQuery): Promise<ChainedAuditRecord[]>;
  /** Verifies the whole trail. A fault is recorded as `AUDIT_CHAIN_BROKEN`. */
  verify(caller: Caller): Promise<AuditVerdict>;
  /** Signs all records, then returns the lines of an export, without newlines, in pages that are read as they are consumed. */
  export(caller: Caller, format: AuditExportFormat): Promise<AsyncIterable<readonly string[]>>;
  key(caller: Caller): Promise<AuditKey>;
  /** Checkpoints with numbers above `after`, ascending. Stored texts that are not checkpoints are left out. */
  checkpoints(caller: Caller, page: { after: number; limit: number }): Promise<AuditCheckpoint[]>;
  inclusion(caller: Caller, request: { seq: number; checkpoint?: number | undefined }): Promise<AuditInclusionProof>;
  consistency(caller: Caller, request: { from: number; to?: number | undefined }): Promise<AuditConsistencyProof>;
}

/** Dependencies of the service. */
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

/** Creates the service. */
export function createAuditService(deps: AuditServiceDeps): AuditService {
  const { sources, guard, prover } = deps;
  const requireReader = (caller: Caller) => guard.require(caller, 'audit.read');
  return {
    list: async (caller, query) => {
      await requireReader(caller);
      return sources.auditStore.list(query);
    },
    verify: async (caller) => {
      await requireReader(caller);
      return inSpan('audit.verify', {}, () => verifyUnpruned(deps, caller));
    },
    export: async (caller, format) => {
      await requireReader(caller);
      await signFirst(deps);
      const lines = trailLines(sources);
      return format === 'ocsf' ? ocsfLines(lines, deps.version) : lines;
    },
    key: async (caller) => {
      await requireReader(caller);
      return sources.key;
    },
    checkpoints: async (caller, page) => {
      await requireReader(caller);
      const stored = await sources.checkpointStore.list(page);
      return stored.flatMap(({ body }) => {
        const checkpoint = parseCheckpoint(body);
        return 'reason' in checkpoint ? [] : [checkpoint];
      });
    },
    inclusion: async (caller, { seq, checkpoint }) => {
      await requireReader(caller);
      return prover.inclusion(seq, checkpoint);
    },
    consistency: async (caller, { from, to }) => {
      await requireReader(caller);
      return prover.consistency(from, to);
    },
  };
}

/** Reads the trail as a tiled transparency log (C2SP tlog-tiles). Errors: FORBIDDEN, NOT_FOUND, STORAGE_FAILED. */
export interface AuditLogService {
  /** The newest checkpoint as a signed note, or the newest that a witness cosigned. */
  checkpoint(caller: Caller, kind: { isCosigned: boolean }): Promise<string>;
  /** The hashes of a tile. `index` is the path of an index, with an optional width: `x001/067`, `000.p/12`. */
  tile(caller: Caller, path: { level: string; index: string }): Promise<Buffer>;
  /** The records of a tile of level 0, each after its length as a big-endian number of 2 bytes. */
  entries(caller: Caller, path: { index: string }): Promise<Buffer>;
}

/** Creates the service that reads the log. */
export function createAuditLogService({ tiles, guard }: { tiles: LogTiles; guard: AccessGuard }): AuditLogService {
  return {
    checkpoint: async (caller, kind) => {
      await guard.require(caller, 'audit.read');
      return tiles.checkpoint(kind);
    },
    tile: async (caller, path) => {
      await guard.require(caller, 'audit.read');
      return tiles.tile(path);
    },
    entries: async (caller, path) => {
      await guard.require(caller, 'audit.read');
      return tiles.entries(path);
    },
  };
}

/** Manages the key that signs checkpoints. Errors: FORBIDDEN, STORAGE_FAILED. */
export interface AuditKeyService {
  /** Replaces the key by a new one. The old one signs beside it for `audit.keyOverlapDays`. */
  rotate(caller: Caller): Promise<AuditKeyRotation>;
}

/** Creates the service that manages the key. */
export function createAuditKeyService({
  rotator,
  guard,
}: {
  rotator: KeyRotator;
  guard: AccessGuard;
}): AuditKeyService {
  return {
    rotate: async (caller) => {
      await guard.require(caller, 'audit.manage');
      return rotator.rotate(caller);
    },
  };
}

/** Signs all records. A failure is only logged, because verification of an export reports how many records are unsigned. */
async function signFirst({ checkpointer, log }: AuditServiceDeps): Promise<void> {
  try {
    await checkpointer.runNow();
  } catch (error) {
    log.error('The audit trail could not be signed before an export', {}, { error });
  }
}

/** Attempts to verify before a caller receives CONFLICT because records are being pruned. */
const attemptsMax = 3;

/** Verifies the trail; if records were pruned meanwhile, starts again. */
async function verifyUnpruned(deps: AuditServiceDeps, caller: Caller): Promise<AuditVerdict> {
  const { sources, verifyWith, alarm } = deps;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const before = (await sources.auditStore.anchor()).seq;
    const verdict = await verifyTrail(trailLines(sources), { publicKey: verifyWith }).catch((error: unknown) => {
      if (error instanceof HestiaError && error.code === 'CONFLICT') return undefined;
      throw error;
    });
    const isUnpruned = (await sources.auditStore.anchor()).seq === before;
    if (verdict?.firstBad !== undefined && isUnpruned) await alarm.raise(verdict.firstBad, caller);
    if (verdict !== undefined && (verdict.intact || isUnpruned)) return verdict;
  }
  throw new HestiaError('CONFLICT', 'records past their retention are being deleted; verify again');
}

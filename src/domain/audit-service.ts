/** Read access to the audit trail: list, verify, export and prove records; its log and its signing key. */
import type { Caller } from '../shapes/access.ts';
import type { AuditQuery, AuditRecord } from '../shapes/audit.ts';
import type { AuditKeyRotation } from '../shapes/audit-log/key-rotation.ts';
import type {
  AuditCheckpoint,
  AuditConsistencyProof,
  AuditInclusionProof,
  AuditKey,
} from '../shapes/audit-log/proof.ts';
import type { AuditVerdict } from '../shapes/audit-log/verdict.ts';
import { HestiaError } from '../shapes/error.ts';
import type { AuditViews } from '../stores/views/audit-views.ts';
import type { Log } from '../telemetry/log.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditAlarm } from './audit/alarm.ts';
import type { KeyRotator } from './audit/key-rotation.ts';
import type { LogCheckpointer } from './audit/log-checkpointer.ts';
import type { LogTiles } from './audit/log-tiles.ts';
import { ocsfLines } from './audit/ocsf.ts';
import type { AuditProver } from './audit/verification/prover.ts';
import { checkStoredTrail } from './audit/verification/stored-trail.ts';
import { type TrailSources, trailLines } from './audit/verification/trail-lines.ts';

/** The format of an export. */
export type AuditExportFormat = 'ndjson' | 'ocsf';

/** Reads the trail. Errors: FORBIDDEN, STORAGE_FAILED, VIEWS_UNAVAILABLE; CONFLICT where records are deleted while they are read. */
export interface AuditService {
  list(caller: Caller, query: AuditQuery): Promise<AuditRecord[]>;
  /** Signs all records, then verifies the whole trail. A fault is recorded as `AUDIT_CHAIN_BROKEN`. */
  verify(caller: Caller): Promise<AuditVerdict>;
  /** Signs all records, then returns the lines of an export, without newlines, in pages that are read as they are consumed. */
  export(caller: Caller, format: AuditExportFormat): Promise<AsyncIterable<readonly string[]>>;
  key(caller: Caller): Promise<AuditKey>;
  /** Checkpoints over more than `after` records, ascending. */
  checkpoints(caller: Caller, page: { after: number; limit: number }): Promise<AuditCheckpoint[]>;
  inclusion(caller: Caller, request: { seq: number; checkpoint?: number | undefined }): Promise<AuditInclusionProof>;
  consistency(caller: Caller, request: { from: number; to?: number | undefined }): Promise<AuditConsistencyProof>;
}

/** Dependencies of the service. */
export interface AuditServiceDeps {
  views: Pick<AuditViews, 'list'>;
  sources: TrailSources;
  checkpointer: LogCheckpointer;
  prover: AuditProver;
  /** The public keys that sign checkpoints now. */
  key: () => AuditKey;
  alarm: AuditAlarm;
  guard: AccessGuard;
  log: Log;
  version: string;
}

/** Creates the service. */
export function createAuditService(deps: AuditServiceDeps): AuditService {
  const { views, sources, guard, prover } = deps;
  const requireReader = (caller: Caller) => guard.require(caller, 'audit.read');
  return {
    list: async (caller, query) => {
      await requireReader(caller);
      return views.list(query);
    },
    verify: async (caller) => {
      await requireReader(caller);
      return inSpan('audit.verify', {}, () => verifyStored(deps, caller));
    },
    export: async (caller, format) => {
      await requireReader(caller);
      const lines = trailLines(sources, await signedSize(deps));
      return format === 'ocsf' ? ocsfLines(lines, deps.version) : lines;
    },
    key: async (caller) => {
      await requireReader(caller);
      return deps.key();
    },
    checkpoints: async (caller, { after, limit }) => {
      await requireReader(caller);
      const found: AuditCheckpoint[] = [];
      for await (const checkpoint of sources.checkpoints({ after, until: Number.MAX_SAFE_INTEGER })) {
        found.push(checkpoint);
        if (found.length === limit) break;
      }
      return found;
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

/** Reads the trail as a transparency log (C2SP tlog-tiles). Errors: FORBIDDEN, NOT_FOUND, STORAGE_FAILED. */
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

/** Manages the key that signs checkpoints. Errors: FORBIDDEN, STORAGE_FAILED; CONFLICT while too many replaced keys still sign. */
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

/**
 * Signs all records, and returns how many there are. A failure is only logged, because verification reports how many records are
 * unsigned.
 */
async function signedSize({ sources, checkpointer, log }: AuditServiceDeps): Promise<number> {
  try {
    await checkpointer.runNow();
    return checkpointer.newest()?.size ?? 0;
  } catch (error) {
    log.error('The audit trail could not be signed before it was read', {}, { error });
    return sources.journal.tree.size();
  }
}

/** Verifies the trail. A journal whose records are deleted by retention meanwhile is read again. */
async function verifyStored(deps: AuditServiceDeps, caller: Caller): Promise<AuditVerdict> {
  const { sources, alarm, checkpointer } = deps;
  const until = await signedSize(deps);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const check = checkStoredTrail(sources, { until, note: checkpointer.newest()?.note });
      const verdict = (await check?.next(Number.POSITIVE_INFINITY)) ?? nothingSigned;
      if (verdict.firstBad !== undefined) await alarm.raise(verdict.firstBad, caller);
      return verdict;
    } catch (error) {
      if (!(error instanceof HestiaError && error.code === 'CONFLICT') || attempt === attemptsMax) throw error;
    }
  }
}

/** The verdict where no stored record is signed yet. */
const nothingSigned: AuditVerdict = { intact: true, recordsChecked: 0, checkpointsChecked: 0, recordsUncovered: 0 };

/** Attempts to verify before a caller receives CONFLICT because records are being deleted. */
const attemptsMax = 3;

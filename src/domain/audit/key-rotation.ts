/**
 * The rotation of the key that signs checkpoints, on record with both verifier keys.
 * The next checkpoint covers the record and has the signatures of both, so that a holder of the old key learns the new one.
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import limitConcurrency from 'p-limit';
import { replacedKeysMax, type SigningKeys } from '../../journal/signing-keys.ts';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import type { AuditKeyRotation } from '../../shapes/audit-log/key-rotation.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isoTime } from '../../shapes/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { LogCheckpointer } from './log-checkpointer.ts';
import type { AuditTrail } from './trail.ts';

/** Rotates the key. Rotations are queued. */
export interface KeyRotator {
  /**
   * Replaces the key by a new one.
   * @throws HestiaError STORAGE_FAILED, or CONFLICT while too many replaced keys still sign; then nothing was replaced. Error of
   * the file system
   */
  rotate(by: Caller): Promise<AuditKeyRotation>;
  /** Completes a rotation that the end of the process interrupted, and records it again. @throws as `rotate` */
  resume(): Promise<void>;
}

/** Dependencies of the rotation. */
export interface KeyRotatorDeps {
  keys: Pick<SigningKeys, 'rotate' | 'replaced' | 'isRotationPending'>;
  trail: Pick<AuditTrail, 'commit'>;
  checkpointer: Pick<LogCheckpointer, 'runNow'>;
  log: Log;
}

/** Creates the rotation. */
export function createKeyRotator(deps: KeyRotatorDeps): KeyRotator {
  const enqueue = limitConcurrency(1);
  return {
    rotate: (by) =>
      enqueue(() => {
        requirePlace(deps.keys);
        return rotate(deps, by);
      }),
    resume: async () => {
      if (deps.keys.isRotationPending()) await enqueue(() => rotate(deps, hubCaller));
    },
  };
}

/** A checkpoint with the signatures of too many keys could not be verified. @throws HestiaError CONFLICT */
function requirePlace(keys: Pick<SigningKeys, 'replaced'>): void {
  const replaced = keys.replaced();
  const next = replaced.at(-1);
  if (next === undefined || replaced.length < replacedKeysMax) return;
  const message = `${replaced.length} replaced keys still sign checkpoints, and at most ${replacedKeysMax} may; the first of them signs until ${isoTime(next.signsUntil)} (audit.keyOverlapDays)`;
  throw new HestiaError('CONFLICT', message);
}

async function rotate({ keys, trail, checkpointer, log }: KeyRotatorDeps, by: Caller): Promise<AuditKeyRotation> {
  const rotation = await inSpan('audit.key.rotate', by === hubCaller ? { parent: ROOT_CONTEXT } : {}, (span) =>
    keys.rotate(async (announced) => {
      const fields = { agent_id: by.agentId, namespace: by.namespace, ...fieldsOf(announced) };
      const event = { kind: 'security', name: 'AUDIT_KEY_ROTATED', failed: false, fields } as const;
      await trail.commit([{ event, by, span }], async () => {});
    }),
  );
  try {
    await checkpointer.runNow();
  } catch (error) {
    log.error('The audit trail could not be signed after a rotation of its key', {}, { error });
  }
  return fieldsOf(rotation);
}

function fieldsOf({ vkey, previous }: Awaited<ReturnType<SigningKeys['rotate']>>): AuditKeyRotation {
  return { vkey, previous_vkey: previous.vkey, signs_until: isoTime(previous.signsUntil) };
}

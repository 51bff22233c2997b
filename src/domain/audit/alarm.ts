/** What happens when the trail does not hold: `AUDIT_CHAIN_BROKEN`, on record and to every sink. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import type { AuditVerdict } from '../../shapes/audit.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from './trail.ts';

/** A place that does not hold, and why. */
export type BrokenPlace = NonNullable<AuditVerdict['firstBad']>;

/** The alarm. */
export interface AuditAlarm {
  /** Tells of a break that a caller's verification found. */
  raise(place: BrokenPlace, by: Caller): Promise<void>;
  /** Tells of a break that the hub found by itself; the same one once an hour while it lasts. */
  raiseOwn(place: BrokenPlace): Promise<void>;
}

/** How long the hub is silent about a break that it has told of. */
const silenceMs = 3_600_000;

/** Makes the alarm. `now` is in Unix milliseconds. */
export function createAuditAlarm({ trail, now }: { trail: AuditTrail; now: () => number }): AuditAlarm {
  let told: { place: string; at: number } | undefined;
  const raise: AuditAlarm['raise'] = async ({ seq, checkpoint, reason }, by) => {
    const fields = {
      agent_id: by.agentId,
      namespace: by.namespace,
      audit_seq: seq,
      audit_checkpoint: checkpoint,
      reason,
    };
    const event = { kind: 'security', name: 'AUDIT_CHAIN_BROKEN', failed: true, fields } as const;
    await inSpan('audit.alarm', by === hubCaller ? { parent: ROOT_CONTEXT } : {}, (span) =>
      trail.record({ event, by, span }),
    );
  };
  return {
    raise,
    raiseOwn: async (place) => {
      const name = `${place.seq} ${place.reason}`;
      if (told?.place === name && Math.abs(now() - told.at) < silenceMs) return;
      told = { place: name, at: now() };
      await raise(place, hubCaller);
    },
  };
}

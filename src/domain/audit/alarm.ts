/**
 * The alarm for a broken audit trail: the security event `AUDIT_CHAIN_BROKEN`. It is recorded in the trail itself and
 * reported to logs, metrics and traces.
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import type { TrailFault } from '../../shapes/audit-log/verdict.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from './trail.ts';

/** Raises the alarm. Never throws: an event that cannot be recorded counts towards the audit gap. */
export interface AuditAlarm {
  /** Records a fault that a caller's verification found. */
  raise(fault: TrailFault, by: Caller): Promise<void>;
  /** Records a fault that the hub itself found; the same fault at most once an hour. */
  raiseThrottled(fault: TrailFault): Promise<void>;
}

/** The least time between two alarms of the hub about the same fault. */
const repeatMsMin = 3_600_000;

/** Creates the alarm. `now` is in Unix milliseconds. */
export function createAuditAlarm({ trail, now }: { trail: AuditTrail; now: () => number }): AuditAlarm {
  let last: { fault: string; at: number } | undefined;
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
    raiseThrottled: async (fault) => {
      const key = `${fault.seq} ${fault.reason}`;
      if (last?.fault === key && Math.abs(now() - last.at) < repeatMsMin) return;
      last = { fault: key, at: now() };
      await raise(fault, hubCaller);
    },
  };
}

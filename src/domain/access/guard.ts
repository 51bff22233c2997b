/** The policy with consequences: a refusal becomes an error for the caller and an `ACCESS_DENIED` event on record. */
import type { Caller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type Action, type Owned, permission } from './policy.ts';

/** Lets a caller pass, or throws. */
export interface AccessGuard {
  /**
   * @param kind the noun for a target that may not be seen, such as `skill`
   * @throws HestiaError FORBIDDEN or NOT_FOUND, after the denial is on record
   */
  require(caller: Caller, action: Action, target?: Owned & { kind: string }): Promise<void>;
}

/** Makes the guard. */
export function createAccessGuard({ trail }: { trail: AuditTrail }): AccessGuard {
  return {
    require: async (caller, action, target) => {
      const decision = permission(caller, action, target);
      if (decision === 'allowed') return;
      const fields = {
        agent_id: caller.agentId,
        namespace: caller.namespace,
        role: caller.role,
        action,
        target_namespace: target?.namespace === caller.namespace ? undefined : target?.namespace,
        error_type: decision,
      };
      const event = { kind: 'security', name: 'ACCESS_DENIED', failed: true, fields } as const;
      await inActiveSpan('access.check', (span) => trail.record({ event, by: caller, span }));
      if (decision === 'absent') throw notFound(target?.kind ?? 'thing');
      throw new HestiaError(
        'FORBIDDEN',
        `the role ${caller.role} may not do ${action}${target ? ` on a ${target.kind} of another agent` : ''}`,
      );
    },
  };
}

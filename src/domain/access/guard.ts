/** Enforces the access policy: a refusal is recorded as `ACCESS_DENIED` and thrown as an error. Repeats are counted. */
import type { Caller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type Action, checkPermission, type OwnedResource } from './policy.ts';

/** Checks permissions. */
export interface AccessGuard {
  /**
   * Returns if the caller may do `action`, on `target` if given.
   * @param target its `kind` is the noun in the error message, such as `skill`
   * @throws HestiaError FORBIDDEN, or NOT_FOUND for a target that the caller may not see; the denial is recorded first
   */
  require(caller: Caller, action: Action, target?: OwnedResource & { kind: string }): Promise<void>;
}

/** Creates the guard. */
export function createAccessGuard({ trail }: { trail: AuditTrail }): AccessGuard {
  return {
    require: async (caller, action, target) => {
      const decision = checkPermission(caller, action, target);
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
      await inActiveSpan('access.check', (span) => trail.refusals.record({ event, by: caller, span }, caller.keyId));
      if (decision === 'absent') throw notFound(target?.kind ?? 'resource');
      throw new HestiaError(
        'FORBIDDEN',
        `the role ${caller.role} may not do ${action}${target ? ` on a ${target.kind} of another agent` : ''}`,
      );
    },
  };
}

/** Enforces the access policy: a refusal is recorded as `ACCESS_DENIED` and thrown as an error. Repeats are counted. */
import type { Caller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { printable, truncated } from '../../shapes/text.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type Action, checkPermission, type OwnedResource } from './policy.ts';
import { mayBeOutOfScope, type ToolAddress } from './scope.ts';

/** Checks permissions. */
export interface AccessGuard {
  /**
   * Returns if the caller may do `action`, on `target` if given.
   * @param target its `kind` is the noun in the error message, such as `skill`
   * @param tool the tool that is asked for, which the record of a denial names
   * @throws HestiaError FORBIDDEN, or NOT_FOUND for a target that the caller may not see; the denial is recorded first
   */
  require(caller: Caller, action: Action, target?: OwnedResource & { kind: string }, tool?: ToolAddress): Promise<void>;
  /**
   * Records the request for a tool that the caller does not find and that may be outside of the scope of its key, whether or
   * not the tool exists. Never throws.
   */
  recordOutOfScope(caller: Caller, action: Action, tool: ToolAddress): Promise<void>;
}

/** The longest name of a server or tool in a record, in UTF-16 units. */
const recordedNameLengthMax = 256;

/** Creates the guard. */
export function createAccessGuard({ trail }: { trail: AuditTrail }): AccessGuard {
  const record = (caller: Caller, action: Action, more: EventFields) => {
    const { agentId, namespace, role } = caller;
    const fields = { agent_id: agentId, namespace, role, action, ...more };
    const event = { kind: 'security', name: 'ACCESS_DENIED', failed: true, fields } as const;
    return inActiveSpan('access.check', (span) => trail.refusals.record({ event, by: caller, span }, caller.keyId));
  };
  return {
    recordOutOfScope: async (caller, action, tool) => {
      if (!mayBeOutOfScope(caller.scope, tool)) return;
      await record(caller, action, { ...toolFields(tool), error_type: 'absent' });
    },
    require: async (caller, action, target, tool) => {
      const decision = checkPermission(caller, action, target);
      if (decision === 'allowed') return;
      await record(caller, action, {
        target_namespace: target?.namespace === caller.namespace ? undefined : target?.namespace,
        ...(tool && toolFields(tool)),
        error_type: decision,
      });
      if (decision === 'absent') throw notFound(target?.kind ?? 'resource');
      throw new HestiaError(
        'FORBIDDEN',
        `${deniedCaller(caller, action)} may not do ${action}${target ? ` on a ${target.kind} of another agent` : ''}; ask an operator`,
      );
    },
  };
}

/** The fields that name a tool, which may be any text. */
function toolFields({ serverId, toolName }: ToolAddress): EventFields {
  const name = (text: string) => printable(truncated(text, recordedNameLengthMax));
  return { server_id: name(serverId), tool_name: name(toolName) };
}

/** What refuses the action: the role, or else the scope of the key. */
function deniedCaller(caller: Caller, action: Action): string {
  const { scope: _, ...unlimited } = caller;
  const isLimit = caller.scope !== undefined && checkPermission(unlimited, action) === 'allowed';
  return isLimit && checkPermission(caller, action) !== 'allowed' ? 'a read-only key' : `the role ${caller.role}`;
}

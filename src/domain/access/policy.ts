/** Who may do what: one pure table of roles and actions, and the rule of ownership. No I/O, no exceptions. */
import type { Caller, Role } from '../../shapes/access.ts';

/** Everything a caller can ask for. */
export type Action =
  | 'skill.read'
  | 'skill.publish'
  | 'skill.manage'
  | 'server.read'
  | 'server.manage'
  | 'tool.search'
  | 'search.read'
  | 'tool.call'
  | 'statistics.read'
  | 'scheduler.read'
  | 'scheduler.run'
  | 'audit.read'
  | 'quarantine.read'
  | 'quarantine.manage'
  | 'key.manage';

/** What an action is done to, where ownership matters. */
export interface Owned {
  namespace: string;
  ownerAgentId: string;
}

const allowed: Record<Role, ReadonlySet<Action>> = {
  agent: new Set([
    'skill.read',
    'skill.publish',
    'skill.manage',
    'server.read',
    'tool.search',
    'search.read',
    'tool.call',
    'statistics.read',
    'scheduler.read',
  ]),
  auditor: new Set([
    'skill.read',
    'server.read',
    'tool.search',
    'search.read',
    'statistics.read',
    'scheduler.read',
    'audit.read',
    'quarantine.read',
  ]),
  operator: new Set([
    'skill.read',
    'skill.publish',
    'skill.manage',
    'server.read',
    'server.manage',
    'tool.search',
    'search.read',
    'tool.call',
    'statistics.read',
    'scheduler.read',
    'scheduler.run',
    'audit.read',
    'quarantine.read',
    'quarantine.manage',
    'key.manage',
  ]),
};

/** `absent`: the caller may not even learn that it exists. `forbidden`: it may see it but not do this. */
export type Permission = 'allowed' | 'forbidden' | 'absent';

/** Decides one action, on `target` where it is done to something that has an owner. */
export function permission(caller: Caller, action: Action, target?: Owned): Permission {
  if (target !== undefined && !maySeeNamespace(caller, target.namespace)) return 'absent';
  if (!allowed[caller.role].has(action)) return 'forbidden';
  if (
    target !== undefined &&
    action !== 'skill.read' &&
    caller.role === 'agent' &&
    target.ownerAgentId !== caller.agentId
  ) {
    // Not even that another agent searched.
    return action === 'search.read' ? 'absent' : 'forbidden';
  }
  return 'allowed';
}

/** Agents see their own namespace; auditors and operators see all. */
function maySeeNamespace(caller: Caller, namespace: string): boolean {
  return caller.role !== 'agent' || caller.namespace === namespace;
}

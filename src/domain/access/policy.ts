/**
 * The access policy: the actions of each role, and the rules of namespace and ownership. A pure function without I/O or
 * exceptions.
 */
import type { Caller, Role } from '../../shapes/access.ts';

/** Every action that a caller can request. */
export type Action =
  | 'skill.read'
  | 'skill.publish'
  | 'skill.manage'
  | 'server.read'
  | 'server.manage'
  | 'server.use'
  | 'tool.search'
  | 'search.read'
  | 'tool.call'
  | 'statistics.read'
  | 'scheduler.read'
  | 'scheduler.run'
  | 'audit.read'
  | 'audit.manage'
  | 'quarantine.read'
  | 'quarantine.manage'
  | 'key.manage';

/** The resource that an action applies to, with its owner. */
export interface OwnedResource {
  namespace: string;
  ownerAgentId: string;
}

const allowed: Record<Role, ReadonlySet<Action>> = {
  agent: new Set([
    'skill.read',
    'skill.publish',
    'skill.manage',
    'server.read',
    'server.use',
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
    'server.use',
    'tool.search',
    'search.read',
    'tool.call',
    'statistics.read',
    'scheduler.read',
    'scheduler.run',
    'audit.read',
    'audit.manage',
    'quarantine.read',
    'quarantine.manage',
    'key.manage',
  ]),
};

/** The changes that an agent may make. A key that may only read may make none. */
const skillChanges: ReadonlySet<Action> = new Set(['skill.publish', 'skill.manage']);

/** `absent`: the caller may not learn that the resource exists. `forbidden`: it may see it, but not do this. */
export type Permission = 'allowed' | 'forbidden' | 'absent';

/** Decides whether the caller may do the action, on `target` where the action applies to one resource. */
export function checkPermission(caller: Caller, action: Action, target?: OwnedResource): Permission {
  if (target !== undefined && !maySeeNamespace(caller, target.namespace)) return 'absent';
  if (!allowed[caller.role].has(action)) return 'forbidden';
  if (caller.scope?.readOnly === true && skillChanges.has(action)) return 'forbidden';
  if (
    target !== undefined &&
    action !== 'skill.read' &&
    caller.role === 'agent' &&
    target.ownerAgentId !== caller.agentId
  ) {
    // An agent may not learn that another agent searched.
    return action === 'search.read' ? 'absent' : 'forbidden';
  }
  return 'allowed';
}

/** Agents see their own namespace; auditors and operators see all. */
function maySeeNamespace(caller: Caller, namespace: string): boolean {
  return caller.role !== 'agent' || caller.namespace === namespace;
}

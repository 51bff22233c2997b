/** Looks up a skill that the caller may see, and names it in event fields. */
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { Caller, KeyScope } from '../../shapes/access.ts';
import { notFound } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { hubServerId } from '../../shapes/server.ts';
import { type Skill, type SkillFilter, skillToolName } from '../../shapes/skill.ts';
import type { SkillPage, SkillStore } from '../../stores/skill-store.ts';
import type { AccessGuard } from '../access/guard.ts';
import { isSkillInScope } from '../access/scope.ts';

/** The address of a skill. The namespace defaults to the caller's; auditors and operators may name another. */
export interface SkillAddress {
  name: string;
  namespace?: string | undefined;
}

/** The queue key of a skill. Changes to one skill run one after another. */
export function skillKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Dependencies of {@link findSkill}. */
export interface SkillLookupDeps {
  skillStore: SkillStore;
  guard: AccessGuard;
}

/**
 * Finds a skill that the caller may see. A request for a forbidden namespace is recorded; the caller sees it as absent.
 * @throws HestiaError FORBIDDEN, NOT_FOUND
 */
export async function findSkill(
  { skillStore, guard }: SkillLookupDeps,
  caller: Caller,
  { name, namespace = caller.namespace }: SkillAddress,
): Promise<Skill> {
  await guard.require(caller, 'skill.read', { namespace, ownerAgentId: '', kind: 'skill' });
  await requireSkillInScope(guard, caller, name);
  const skill = await skillStore.findSkill({ namespace, name });
  if (skill === undefined) throw notFound('skill');
  return skill;
}

/**
 * Refuses a skill outside of the scope of the caller's key, whether or not it exists, and records the attempt.
 * @throws HestiaError NOT_FOUND
 */
export async function requireSkillInScope(guard: AccessGuard, caller: Caller, name: string): Promise<void> {
  if (isSkillInScope(caller.scope, name)) return;
  await guard.recordOutOfScope(caller, 'skill.read', { serverId: hubServerId, toolName: skillToolName(name) });
  throw notFound('skill');
}

/** A page of the skills in the scope, by name, after the position `after`. At most `limit`. Reads in time slices. */
export async function listSkillsInScope(
  skillStore: Pick<SkillStore, 'listSkills' | 'countWarnings'>,
  scope: KeyScope | undefined,
  { warnings, ...page }: SkillPage & Pick<SkillFilter, 'warnings'>,
): Promise<Skill[]> {
  const slice = createTimeSlices();
  const found: Skill[] = [];
  let { after } = page;
  while (true) {
    const stored = await skillStore.listSkills({ ...page, after });
    const inScope = stored.filter(({ name }) => isSkillInScope(scope, name));
    const warned = warnings === undefined ? undefined : await skillStore.countWarnings(inScope);
    found.push(...inScope.filter(({ skillId }) => warned === undefined || warned.has(skillId)));
    await slice();
    const last = stored.at(-1);
    if (last === undefined || stored.length < page.limit || found.length >= page.limit) break;
    after = `${last.namespace}/${last.name}`;
  }
  return found.slice(0, page.limit);
}

/** The fields of every skill event (docs/reference.md, "Security events"), without those of an activation. */
export function skillFields(caller: Caller, skill: Skill, version: number): EventFields {
  return {
    skill_id: skill.skillId,
    skill_name: skill.name,
    tool_name: skillToolName(skill.name),
    agent_id: caller.agentId,
    namespace: skill.namespace,
    version,
  };
}

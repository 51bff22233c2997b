/** Finding a skill as a caller may see it, and the fields that name it in every event. */
import type { Caller } from '../../shapes/access.ts';
import { notFound } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { type Skill, skillToolName } from '../../shapes/skill.ts';
import type { SkillStore } from '../../stores/skill-store.ts';
import type { AccessGuard } from '../access/guard.ts';

/** A skill by name; the namespace is the caller's own unless an auditor or operator names another. */
export interface SkillAddress {
  name: string;
  namespace?: string | undefined;
}

/** The key under which work on one skill is queued. */
export function skillKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Where skills are looked up, and who is asked whether the caller may look there. */
export interface SkillLookupDeps {
  skillStore: SkillStore;
  guard: AccessGuard;
}

/**
 * A skill the caller may see. Naming a namespace that the caller may not see is on record, and answers as absence does.
 * @throws HestiaError FORBIDDEN, NOT_FOUND
 */
export async function findSkill(
  { skillStore, guard }: SkillLookupDeps,
  caller: Caller,
  { name, namespace = caller.namespace }: SkillAddress,
): Promise<Skill> {
  await guard.require(caller, 'skill.read', { namespace, ownerAgentId: '', kind: 'skill' });
  const skill = await skillStore.findSkill({ namespace, name });
  if (skill === undefined) throw notFound('skill');
  return skill;
}

/** The fields every skill event carries (docs/reference.md, "Security events"), without those of an activation. */
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

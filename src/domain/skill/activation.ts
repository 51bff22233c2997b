/** Creates activations of skills, and the security events of activation and deactivation. Pure. */
import type { Caller } from '../../shapes/access.ts';
import type { EventFields, HubEvent } from '../../shapes/event.ts';
import { newId } from '../../shapes/id.ts';
import { type Activation, type Skill, type SkillVersion, skillToolName } from '../../shapes/skill.ts';
import { skillFields } from './lookup.ts';

/** A new activation of a version. `now` is in Unix milliseconds; without `ttlSeconds` it does not expire. */
export function newActivation(
  caller: Caller,
  { skill, version }: { skill: Skill; version: SkillVersion },
  { ttlSeconds, now }: { ttlSeconds: number | undefined; now: number },
): Activation {
  return {
    activationId: newId('act'),
    skillId: skill.skillId,
    skillName: skill.name,
    namespace: skill.namespace,
    agentId: caller.agentId,
    version: version.version,
    toolName: skillToolName(skill.name),
    registered: true,
    activatedAt: now,
    expiresAt: ttlSeconds === undefined ? undefined : now + ttlSeconds * 1000,
  };
}

/** What activates a skill that nobody asked to activate: a call of its tool, or `skills.activate`. */
export type ActivationCause = 'call' | 'configuration';

/** The event of an activation, which has failed if its tool is not registered. */
export function activationEvent(
  caller: Caller,
  skill: Skill,
  { activation, cause }: { activation: Activation; cause: ActivationCause | undefined },
): HubEvent {
  const fields = {
    ...skillFields(caller, skill, activation.version),
    activation_id: activation.activationId,
    ...(cause !== undefined && { automatic: true }),
    ...(cause === 'configuration' && { reason: 'skills.activate' }),
  };
  return activation.registered
    ? { kind: 'security', name: 'SKILL_ACTIVATION_SUCCESS', failed: false, fields }
    : {
        kind: 'security',
        name: 'SKILL_ACTIVATION_REGISTRATION_FAILED',
        failed: true,
        fields: { ...fields, error_type: 'tool_name_taken' },
      };
}

/** What a deactivation event states. `fields` identify the skill. */
export interface DeactivationEventSource {
  activation: Activation;
  fields: EventFields;
  durationMs: number;
  /** Whether the activation ended because its time to live was over. */
  expired: boolean;
  /** Whether there was a tool to remove. */
  unregistered: boolean;
}

/** The event of a deactivation, which has failed if there was no tool to remove. */
export function deactivationEvent(source: DeactivationEventSource): HubEvent {
  const { activation, durationMs, expired, unregistered } = source;
  const fields = { ...source.fields, activation_id: activation.activationId, duration_ms: durationMs };
  return unregistered
    ? {
        kind: 'security',
        name: expired ? 'SKILL_ACTIVATION_EXPIRED' : 'SKILL_DEACTIVATION_SUCCESS',
        failed: false,
        fields,
      }
    : {
        kind: 'security',
        name: 'SKILL_DEACTIVATION_UNREGISTRATION_FAILED',
        failed: true,
        fields: { ...fields, error_type: 'tool_not_registered' },
      };
}

/** The fields that identify a skill by its stored activation, where no caller has requested the change. */
export function storedActivationFields(activation: Activation): EventFields {
  return {
    skill_id: activation.skillId,
    skill_name: activation.skillName,
    tool_name: activation.toolName,
    agent_id: activation.agentId,
    namespace: activation.namespace,
    version: activation.version,
  };
}

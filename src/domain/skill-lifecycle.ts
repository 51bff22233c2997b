/**
 * Activation and deactivation: a skill becomes an MCP tool and ceases to be one. Each outcome is a security event on
 * the span, on record and counted; a tool that cannot be registered leaves the activation standing, and says so.
 */
import type { Span } from '@opentelemetry/api';
import type { KeyedQueue } from '../flow/keyed-queue.ts';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import type { EventFields, HubEvent } from '../shapes/event.ts';
import { newId } from '../shapes/id.ts';
import { type Activation, type Skill, type SkillVersion, skillToolName } from '../shapes/skill.ts';
import type { SkillStore } from '../stores/skill-store.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SkillGate } from './screening/skill-gate.ts';
import { findSkill, type SkillAddress, skillFields, skillKey } from './skill/lookup.ts';
import type { SkillTools } from './skill-tools.ts';

/** Why a tool could not be registered or unregistered. */
export type RegistrationError = 'tool_name_taken' | 'tool_not_registered';

/** What a request to activate did. `changed` is false where the skill was active already, just so. */
export interface ActivationAnswer {
  activation: Activation;
  changed: boolean;
  errorType: RegistrationError | undefined;
}

/** What a request to deactivate did. `changed` is false where the skill was not active. */
export interface DeactivationAnswer {
  changed: boolean;
  durationMs: number | undefined;
  errorType: RegistrationError | undefined;
}

/** The lifecycle. Errors: NOT_FOUND, FORBIDDEN, INJECTION_SUSPECTED, STORAGE_FAILED (then nothing has changed). */
export interface SkillLifecycle {
  /** Makes the latest version of a skill a tool. Repeated, it changes nothing but the time to live, if one is given. */
  activate(
    caller: Caller,
    address: SkillAddress,
    options: { ttlSeconds?: number | undefined },
  ): Promise<ActivationAnswer>;
  /** Removes the tool. Repeated, it changes nothing. */
  deactivate(caller: Caller, address: SkillAddress): Promise<DeactivationAnswer>;
  /** Deactivates a skill whose queue the caller holds already and whose policy it has checked. */
  deactivateHeld(caller: Caller, skill: Skill): Promise<DeactivationAnswer>;
  /** Deactivates what is past its time, at most `limit`; answers how many. Each has a span of its own. */
  expire(limit: number): Promise<number>;
  /** Makes the tools of the stored activations exist again; called once at start. */
  restore(): Promise<void>;
}

/** What the lifecycle is made of. */
export interface SkillLifecycleDeps {
  skillStore: SkillStore;
  skillTools: SkillTools;
  skillGate: SkillGate;
  trail: AuditTrail;
  guard: AccessGuard;
  metrics: Metrics;
  queue: KeyedQueue;
  now: () => number;
}

/** Makes the lifecycle. */
export function createSkillLifecycle(deps: SkillLifecycleDeps): SkillLifecycle {
  const { skillStore, guard, queue } = deps;
  const locked = <T extends { errorType: string | undefined }>(
    caller: Caller,
    address: SkillAddress,
    operation: 'activate' | 'deactivate',
    work: (skill: Skill, span: Span) => Promise<T>,
  ) =>
    queue(skillKey(address.namespace ?? caller.namespace, address.name), () =>
      observed(deps, operation, async (span) => {
        const skill = await findSkill(deps, caller, address);
        await guard.require(caller, 'skill.manage', { ...skill, kind: 'skill' });
        return work(skill, span);
      }),
    );
  return {
    activate: (caller, address, { ttlSeconds }) =>
      locked(caller, address, 'activate', (skill, span) => activateSkill(deps, caller, skill, ttlSeconds, span)),
    deactivate: (caller, address) =>
      locked(caller, address, 'deactivate', (skill, span) => deactivateSkill(deps, caller, skill, span)),
    deactivateHeld: (caller, skill) =>
      observed(deps, 'deactivate', (span) => deactivateSkill(deps, caller, skill, span)),
    expire: async (limit) => {
      const expired = await skillStore.listExpiredActivations({ now: deps.now(), limit });
      let count = 0;
      for (const activation of expired) {
        count += await queue(skillKey(activation.namespace, activation.skillName), () =>
          expireActivation(deps, activation),
        );
      }
      return count;
    },
    restore: () => restoreTools(deps),
  };
}

async function activateSkill(
  deps: SkillLifecycleDeps,
  caller: Caller,
  skill: Skill,
  ttlSeconds: number | undefined,
  span: Span,
): Promise<ActivationAnswer> {
  const version = await deps.skillStore.findVersion(skill.skillId, skill.latestVersion);
  if (version === undefined) throw notFound('skill');
  span.setAttribute(attributes.skillDigest, version.document.digest);
  const present = await liveActivation(deps, skill);
  if (present?.registered && present.version === version.version && ttlSeconds === undefined) {
    return { activation: present, changed: false, errorType: undefined };
  }
  await checkAgain(deps, caller, skill, version);
  const proposed = newActivation(caller, skill, version, { ttlSeconds, now: deps.now() });
  const registered = deps.skillTools.register(proposed, version.document) === 'registered';
  const activation = { ...proposed, registered };
  try {
    await deps.trail.commit({ event: activationEvent(caller, skill, activation), by: caller, span }, async (tx) => {
      if (present) await deps.skillStore.deleteActivation(tx, present.activationId);
      await deps.skillStore.insertActivation(tx, activation);
    });
  } catch (error) {
    if (registered) deps.skillTools.unregister(activation);
    if (present?.registered) await registerAgain(deps, present);
    throw error;
  }
  if (present === undefined) deps.metrics.skillsActive(1, skill.namespace);
  if (registered) return { activation, changed: true, errorType: undefined };
  failSpan(span, 'tool_name_taken');
  return { activation, changed: true, errorType: 'tool_name_taken' };
}

/** The rules may have changed since it was published. @throws HestiaError INJECTION_SUSPECTED */
async function checkAgain(
  deps: SkillLifecycleDeps,
  caller: Caller,
  skill: Skill,
  version: SkillVersion,
): Promise<void> {
  const fields = skillFields(caller, skill, version.version);
  const { namespace } = skill;
  await deps.skillGate.check({ caller, namespace, document: version.document, fields, step: 'activate' });
}

/** The skill's activation; one whose time is over is ended first, as the sweep would. */
async function liveActivation(deps: SkillLifecycleDeps, skill: Skill): Promise<Activation | undefined> {
  const present = await deps.skillStore.findActivation(skill.skillId);
  if (present?.expiresAt === undefined || present.expiresAt > deps.now()) return present;
  await expireActivation(deps, present);
  return undefined;
}

async function deactivateSkill(
  deps: SkillLifecycleDeps,
  caller: Caller,
  skill: Skill,
  span: Span,
): Promise<DeactivationAnswer> {
  const activation = await liveActivation(deps, skill);
  if (activation === undefined) return { changed: false, durationMs: undefined, errorType: undefined };
  return endActivation(
    deps,
    { caller, activation, fields: skillFields(caller, skill, activation.version), expired: false },
    span,
  );
}

interface Ending {
  caller: Caller;
  activation: Activation;
  fields: EventFields;
  expired: boolean;
}

async function endActivation(
  deps: SkillLifecycleDeps,
  { caller, activation, fields, expired }: Ending,
  span: Span,
): Promise<DeactivationAnswer> {
  const durationMs = Math.max(0, deps.now() - activation.activatedAt);
  const unregistered = deps.skillTools.unregister(activation);
  const all = { ...fields, activation_id: activation.activationId, duration_ms: durationMs };
  const event: HubEvent = unregistered
    ? {
        kind: 'security',
        name: expired ? 'SKILL_ACTIVATION_EXPIRED' : 'SKILL_DEACTIVATION_SUCCESS',
        failed: false,
        fields: all,
      }
    : {
        kind: 'security',
        name: 'SKILL_DEACTIVATION_UNREGISTRATION_FAILED',
        failed: true,
        fields: { ...all, error_type: 'tool_not_registered' },
      };
  try {
    await deps.trail.commit({ event, by: caller, span }, (tx) =>
      deps.skillStore.deleteActivation(tx, activation.activationId),
    );
  } catch (error) {
    if (unregistered) await registerAgain(deps, activation);
    throw error;
  }
  deps.metrics.skillsActive(-1, activation.namespace);
  if (unregistered) return { changed: true, durationMs, errorType: undefined };
  failSpan(span, 'tool_not_registered');
  return { changed: true, durationMs, errorType: 'tool_not_registered' };
}

/** Ends one expired activation; 0 where it was renewed or ended meanwhile. */
async function expireActivation(deps: SkillLifecycleDeps, expired: Activation): Promise<0 | 1> {
  const present = await deps.skillStore.findActivation(expired.skillId);
  if (present?.activationId !== expired.activationId) return 0;
  const { skillId, skillName, toolName, agentId, namespace, version } = present;
  const fields = {
    skill_id: skillId,
    skill_name: skillName,
    tool_name: toolName,
    agent_id: agentId,
    namespace,
    version,
  };
  await observed(deps, 'deactivate', (span) =>
    endActivation(deps, { caller: hubCaller, activation: present, fields, expired: true }, span),
  );
  return 1;
}

async function restoreTools(deps: SkillLifecycleDeps): Promise<void> {
  for (const activation of await deps.skillStore.listActivations({})) {
    await registerAgain(deps, activation);
    deps.metrics.skillsActive(1, activation.namespace);
  }
}

async function registerAgain({ skillStore, skillTools }: SkillLifecycleDeps, activation: Activation): Promise<void> {
  const version = await skillStore.findVersion(activation.skillId, activation.version);
  if (version && activation.registered) skillTools.register(activation, version.document);
}

function newActivation(
  caller: Caller,
  skill: Skill,
  { version }: SkillVersion,
  { ttlSeconds, now }: { ttlSeconds: number | undefined; now: number },
): Activation {
  return {
    activationId: newId('act'),
    skillId: skill.skillId,
    skillName: skill.name,
    namespace: skill.namespace,
    agentId: caller.agentId,
    version,
    toolName: skillToolName(skill.name),
    registered: true,
    activatedAt: now,
    expiresAt: ttlSeconds === undefined ? undefined : now + ttlSeconds * 1000,
  };
}

function activationEvent(caller: Caller, skill: Skill, activation: Activation): HubEvent {
  const fields = activationFields(caller, skill, activation);
  return activation.registered
    ? { kind: 'security', name: 'SKILL_ACTIVATION_SUCCESS', failed: false, fields }
    : {
        kind: 'security',
        name: 'SKILL_ACTIVATION_REGISTRATION_FAILED',
        failed: true,
        fields: { ...fields, error_type: 'tool_name_taken' },
      };
}

function activationFields(caller: Caller, skill: Skill, activation: Activation): EventFields {
  return { ...skillFields(caller, skill, activation.version), activation_id: activation.activationId };
}

function observed<T extends { errorType: string | undefined }>(
  { metrics }: SkillLifecycleDeps,
  operation: 'activate' | 'deactivate',
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const name = operation === 'activate' ? spanNames.skillActivate : spanNames.skillDeactivate;
  let registrationError: string | undefined;
  return timed(
    (seconds, errorType) => metrics.skillOperation(seconds, operation, errorType ?? registrationError),
    async () => {
      const answer = await inSpan(name, {}, work);
      registrationError = answer.errorType;
      return answer;
    },
  );
}

/**
 * Activation and deactivation of skills: an active skill is an MCP tool.
 * Each attempt emits a security event to span, audit trail and metrics. An activation whose tool cannot be registered
 * is kept and reports the reason.
 */
import type { Span } from '@opentelemetry/api';
import type { KeyedQueue } from '../flow/keyed-queue.ts';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { EventFields } from '../shapes/event.ts';
import type { Activation, Skill, SkillVersion } from '../shapes/skill.ts';
import type { Resumption, SkillStore } from '../stores/skill-store.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SkillGate } from './screening/skill-gate.ts';
import {
  type ActivationCause,
  activationEvent,
  deactivationEvent,
  newActivation,
  storedActivationFields,
} from './skill/activation.ts';
import { findSkill, type SkillAddress, skillFields, skillKey } from './skill/lookup.ts';
import type { SkillCatalogue } from './skill-catalogue.ts';
import type { SkillTools } from './skill-tools.ts';

/** Why a tool could not be registered or unregistered. */
export type RegistrationError = 'tool_name_taken' | 'tool_not_registered';

/** The answer to an activation. `changed` is false if the skill was already active in this version. */
export interface ActivationAnswer {
  activation: Activation;
  changed: boolean;
  errorType: RegistrationError | undefined;
}

/** The answer to a deactivation. `changed` is false if the skill was not active. */
export interface DeactivationAnswer {
  changed: boolean;
  durationMs: number | undefined;
  errorType: RegistrationError | undefined;
}

/** How a skill is activated. Without `ttlSeconds` the activation does not expire. */
export interface ActivationOptions {
  /** What activates the skill, if nobody asked for it. The configuration replaces no activation but its own. */
  cause?: ActivationCause | undefined;
  ttlSeconds?: number | undefined;
  version?: number | undefined;
}

/** The lifecycle. Errors: NOT_FOUND, FORBIDDEN, INJECTION_SUSPECTED, STORAGE_FAILED. After an error nothing has changed. */
export interface SkillLifecycle {
  /**
   * Registers a version of a skill, by default the latest, as a tool. Idempotent, except that a given time to live is
   * renewed.
   */
  activate(caller: Caller, address: SkillAddress, options: ActivationOptions): Promise<ActivationAnswer>;
  /** Activates a skill because its tool is called, which policy allows to every caller that may call tools. */
  activateOnCall(caller: Caller, address: SkillAddress): Promise<void>;
  /** Removes the tool. Idempotent. */
  deactivate(caller: Caller, address: SkillAddress): Promise<DeactivationAnswer>;
  /** Deactivates a skill from within its queue, after the policy has been checked. */
  deactivateLocked(caller: Caller, skill: Skill): Promise<DeactivationAnswer>;
  /** Activates a skill that has returned as it was active before, from within its queue. A refusal is recorded only. */
  resumeLocked(caller: Caller, returned: { skill: Skill; resumes: Resumption }): Promise<void>;
  /** Deactivates at most `limit` expired skills, each in its own span. Returns how many. */
  expire(limit: number): Promise<number>;
  /** Registers the tools of the stored activations. Called once at start. */
  restore(): Promise<void>;
}

/** Dependencies of the lifecycle. `queue` is shared with the registry, so changes to one skill never overlap. */
export interface SkillLifecycleDeps {
  skillStore: SkillStore;
  skillTools: SkillTools;
  catalogue: SkillCatalogue;
  skillGate: SkillGate;
  trail: AuditTrail;
  guard: AccessGuard;
  metrics: Metrics;
  queue: KeyedQueue;
  now: () => number;
}

/** Creates the lifecycle. */
export function createSkillLifecycle(deps: SkillLifecycleDeps): SkillLifecycle {
  const { skillStore, guard, queue } = deps;
  const locked = <T extends { errorType: string | undefined }>(
    caller: Caller,
    address: SkillAddress,
    operation: 'activate' | 'deactivate',
    work: (skill: Skill, span: Span) => Promise<T>,
  ) =>
    queue(skillKey(address.namespace ?? caller.namespace, address.name), () =>
      measured(deps, operation, async (span) => {
        const skill = await findSkill(deps, caller, address);
        await guard.require(caller, 'skill.manage', { ...skill, kind: 'skill' });
        return work(skill, span);
      }),
    );
  return {
    activate: (caller, address, options) =>
      locked(caller, address, 'activate', (skill, span) => activateSkill(deps, { caller, skill, span, ...options })),
    activateOnCall: (caller, address) =>
      queue(skillKey(address.namespace ?? caller.namespace, address.name), async () => {
        await measured(deps, 'activate', async (span) => {
          await guard.require(caller, 'tool.call');
          const skill = await findSkill(deps, caller, address);
          return activateSkill(deps, { caller, skill, span, cause: 'call' });
        });
      }),
    deactivate: (caller, address) =>
      locked(caller, address, 'deactivate', (skill, span) => deactivateSkill(deps, { caller, skill, span })),
    deactivateLocked: (caller, skill) =>
      measured(deps, 'deactivate', (span) => deactivateSkill(deps, { caller, skill, span })),
    resumeLocked: (caller, returned) => resumeActivation(deps, caller, returned),
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
    restore: async () => {
      await restoreTools(deps);
      await deps.catalogue.restore();
    },
  };
}

/** A change to a skill that the caller is allowed to make, and the span that measures it. */
interface SkillChange {
  caller: Caller;
  skill: Skill;
  span: Span;
}

async function activateSkill(
  deps: SkillLifecycleDeps,
  { caller, skill, span, ttlSeconds, version: number = skill.latestVersion, cause }: SkillChange & ActivationOptions,
): Promise<ActivationAnswer> {
  const version = await deps.skillStore.findVersion(skill.skillId, number);
  if (version === undefined) throw notFound('skill version');
  span.setAttribute(attributes.skillDigest, version.document.digest);
  const current = await currentActivation(deps, skill);
  const isSame = current?.registered && current.version === version.version && ttlSeconds === undefined;
  if (current && (isSame || (cause === 'configuration' && current.agentId !== caller.agentId))) {
    return { activation: current, changed: false, errorType: undefined };
  }
  await scanAgain(deps, caller, { skill, version });
  const proposed = newActivation(caller, { skill, version }, { ttlSeconds, now: deps.now() });
  const registered = deps.skillTools.register(proposed, version.document) === 'registered';
  const activation = { ...proposed, registered };
  try {
    const event = activationEvent(caller, skill, { activation, cause });
    await deps.trail.commit({ event, by: caller, span }, async (tx) => {
      if (current) await deps.skillStore.deleteActivation(tx, current.activationId);
      await deps.skillStore.insertActivation(tx, activation);
    });
  } catch (error) {
    if (registered) deps.skillTools.unregister(activation);
    if (current?.registered) await registerStored(deps, current);
    throw error;
  }
  if (current === undefined) deps.metrics.skillsActive(1, skill.namespace);
  await deps.catalogue.refresh(skill);
  if (registered) return { activation, changed: true, errorType: undefined };
  failSpan(span, 'tool_name_taken');
  return { activation, changed: true, errorType: 'tool_name_taken' };
}

/** An activation whose time is over meanwhile, or whose version the content scan refuses now, is not restored. */
async function resumeActivation(
  deps: SkillLifecycleDeps,
  caller: Caller,
  { skill, resumes }: { skill: Skill; resumes: Resumption },
): Promise<void> {
  const { version, agentId, expiresAt } = resumes;
  const secondsLeft = expiresAt === undefined ? undefined : Math.floor((expiresAt - deps.now()) / 1000);
  if (secondsLeft !== undefined && secondsLeft < 1) return;
  try {
    await measured(deps, 'activate', (span) =>
      activateSkill(deps, { caller: { ...caller, agentId }, skill, span, version, ttlSeconds: secondsLeft }),
    );
  } catch (error) {
    if (!(error instanceof HestiaError) || error.code !== 'INJECTION_SUSPECTED') throw error;
  }
}

/** Scans a version again, since the rules may have changed after it was published. @throws HestiaError INJECTION_SUSPECTED */
async function scanAgain(
  deps: SkillLifecycleDeps,
  caller: Caller,
  { skill, version }: { skill: Skill; version: SkillVersion },
): Promise<void> {
  const fields = skillFields(caller, skill, version.version);
  const { namespace } = skill;
  await deps.skillGate.check({ caller, namespace, document: version.document, fields, step: 'activate' });
}

/** The activation of a skill, or undefined. An expired one is deactivated first, as a cleanup would. */
async function currentActivation(deps: SkillLifecycleDeps, skill: Skill): Promise<Activation | undefined> {
  const stored = await deps.skillStore.findActivation(skill.skillId);
  if (stored?.expiresAt === undefined || stored.expiresAt > deps.now()) return stored;
  await expireActivation(deps, stored);
  return undefined;
}

async function deactivateSkill(
  deps: SkillLifecycleDeps,
  { caller, skill, span }: SkillChange,
): Promise<DeactivationAnswer> {
  const activation = await currentActivation(deps, skill);
  if (activation === undefined) return { changed: false, durationMs: undefined, errorType: undefined };
  return endActivation(
    deps,
    { caller, activation, fields: skillFields(caller, skill, activation.version), expired: false },
    span,
  );
}

interface Deactivation {
  caller: Caller;
  activation: Activation;
  fields: EventFields;
  expired: boolean;
}

async function endActivation(
  deps: SkillLifecycleDeps,
  { caller, activation, fields, expired }: Deactivation,
  span: Span,
): Promise<DeactivationAnswer> {
  const durationMs = Math.max(0, deps.now() - activation.activatedAt);
  const unregistered = deps.skillTools.unregister(activation);
  const event = deactivationEvent({ activation, fields, durationMs, expired, unregistered });
  try {
    await deps.trail.commit({ event, by: caller, span }, (tx) =>
      deps.skillStore.deleteActivation(tx, activation.activationId),
    );
  } catch (error) {
    if (unregistered) await registerStored(deps, activation);
    throw error;
  }
  deps.metrics.skillsActive(-1, activation.namespace);
  await deps.catalogue.refresh({ namespace: activation.namespace, name: activation.skillName });
  if (unregistered) return { changed: true, durationMs, errorType: undefined };
  failSpan(span, 'tool_not_registered');
  return { changed: true, durationMs, errorType: 'tool_not_registered' };
}

/** Deactivates one expired activation. Returns 0 if it was renewed or deactivated in the meantime, else 1. */
async function expireActivation(deps: SkillLifecycleDeps, expired: Activation): Promise<0 | 1> {
  const current = await deps.skillStore.findActivation(expired.skillId);
  if (current?.activationId !== expired.activationId) return 0;
  const fields = storedActivationFields(current);
  await measured(deps, 'deactivate', (span) =>
    endActivation(deps, { caller: hubCaller, activation: current, fields, expired: true }, span),
  );
  return 1;
}

async function restoreTools(deps: SkillLifecycleDeps): Promise<void> {
  for (const activation of await deps.skillStore.listActivations({})) {
    await registerStored(deps, activation);
    deps.metrics.skillsActive(1, activation.namespace);
  }
}

/** Registers the tool of a stored activation, unless the activation never had one. */
async function registerStored({ skillStore, skillTools }: SkillLifecycleDeps, activation: Activation): Promise<void> {
  const version = await skillStore.findVersion(activation.skillId, activation.version);
  if (version && activation.registered) skillTools.register(activation, version.document);
}

function measured<T extends { errorType: string | undefined }>(
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

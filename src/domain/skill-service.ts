/**
 * The skill registry: publish, list, read and delete skills.
 * Each change of content is a new version. Versions are immutable.
 */

import type { KeyedQueue } from '../flow/keyed-queue.ts';
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import type {
  Activation,
  Skill,
  SkillFilter,
  SkillSource,
  SkillVersion,
  SkillVersionSummary,
} from '../shapes/skill.ts';
import type { Resumption, SkillOrigin, SkillPage, SkillStore } from '../stores/skill-store.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { RateLimits } from './access/rate-limits.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SkillGate } from './screening/skill-gate.ts';
import type { ConfiguredActivation } from './skill/configured-activation.ts';
import {
  findSkill,
  listSkillsInScope,
  requireSkillInScope,
  type SkillAddress,
  skillFields,
  skillKey,
} from './skill/lookup.ts';
import type { SkillCatalogue } from './skill-catalogue.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';
import { type Publication, publishVersion, type SkillPublication } from './skill-publication.ts';

/** A skill with its latest version and its activation, if any. */
export interface SkillDetails {
  skill: Skill;
  latest: SkillVersion;
  activation: Activation | undefined;
}

/** A skill in a list: its activation, if any, and how many deviations from the specification its latest version has. */
export interface ListedSkill {
  skill: Skill;
  activation: Activation | undefined;
  warningsCount: number;
}

/** The skill registry. Errors: NOT_FOUND, FORBIDDEN, CONFLICT, INJECTION_SUSPECTED, STORAGE_FAILED. */
export interface SkillService {
  /** Publishes a version of a skill. The namespace defaults to the caller's. */
  publish(
    caller: Caller,
    publication: Omit<SkillPublication, 'namespace'> & { namespace?: string },
  ): Promise<Publication>;
  /** Lists the skills that match all given filters, by name. An agent sees its own namespace only. */
  list(caller: Caller, page: SkillPage & SkillFilter): Promise<ListedSkill[]>;
  get(caller: Caller, address: SkillAddress): Promise<SkillDetails>;
  /** Lists the versions of a skill without their content. */
  versions(
    caller: Caller,
    address: SkillAddress,
    page: { after?: number | undefined; limit: number },
  ): Promise<SkillVersionSummary[]>;
  /** Any version with its content. */
  version(caller: Caller, address: SkillAddress, version: number): Promise<SkillVersion>;
  /** Where the skill of a name in the caller's namespace comes from; undefined if there is none. */
  sourceOf(caller: Caller, name: string): Promise<SkillSource | undefined>;
  /** The skills that were read from directories, retired ones included. */
  origins(caller: Caller): Promise<SkillOrigin[]>;
  /** Deactivates the skill if it is active and hides it, with its name free, until it is published from a directory again. */
  retire(caller: Caller, address: SkillAddress): Promise<void>;
  /** Deactivates the skill if it is active, then removes it from the registry. */
  delete(caller: Caller, address: SkillAddress): Promise<void>;
}

/** Dependencies of the registry. The lifecycle uses the same `queue`, so changes to one skill never overlap. */
export interface SkillServiceDeps {
  skillStore: SkillStore;
  lifecycle: SkillLifecycle;
  configuredActivation: Pick<ConfiguredActivation, 'onPublished'>;
  catalogue: SkillCatalogue;
  skillGate: SkillGate;
  trail: AuditTrail;
  guard: AccessGuard;
  rateLimits: Pick<RateLimits, 'countSkillVersion'>;
  limits: { skillBytesStoredMax: number };
  metrics: Metrics;
  queue: KeyedQueue;
  now: () => number;
}

/** Creates the registry. */
export function createSkillService(deps: SkillServiceDeps): SkillService {
  const { skillStore, guard, queue } = deps;
  return {
    publish: async (caller, { namespace = caller.namespace, ...publication }) => {
      await guard.require(caller, 'skill.publish');
      await requireSkillInScope(guard, caller, publication.document.frontmatter.name);
      const published = await queue(skillKey(namespace, publication.document.frontmatter.name), () =>
        measured(deps, 'publish', async () => {
          const published = await publishVersion(deps, caller, { namespace, ...publication });
          if (published.change !== 'unchanged') await deps.catalogue.refresh(published.skill);
          return published;
        }),
      );
      if (published.change !== 'unchanged') await deps.configuredActivation.onPublished(published.skill);
      return published;
    },
    list: (caller, page) => listSkills(deps, caller, page),
    get: async (caller, address) => {
      const skill = await findSkill(deps, caller, address);
      const latest = await skillStore.findVersion(skill.skillId, skill.latestVersion);
      if (latest === undefined) throw notFound('skill');
      return { skill, latest, activation: await skillStore.findActivation(skill.skillId) };
    },
    versions: async (caller, address, page) => {
      return skillStore.listVersions((await findSkill(deps, caller, address)).skillId, page);
    },
    version: async (caller, address, number) => {
      const { skillId } = await findSkill(deps, caller, address);
      const version = await skillStore.findVersion(skillId, number);
      if (version === undefined) throw notFound('skill version');
      return version;
    },
    sourceOf: async (caller, name) => {
      await guard.require(caller, 'skill.read');
      return (await skillStore.findSkill({ namespace: caller.namespace, name }))?.source;
    },
    origins: async (caller) => {
      await guard.require(caller, 'skill.read');
      return skillStore.listOrigins(caller.namespace);
    },
    retire: (caller, address) => removeLocked(deps, caller, address, 'retire'),
    delete: (caller, address) => removeLocked(deps, caller, address, 'delete'),
  };
}

async function listSkills(
  { skillStore, guard }: SkillServiceDeps,
  caller: Caller,
  page: SkillPage & SkillFilter,
): Promise<ListedSkill[]> {
  await guard.require(caller, 'skill.read');
  const namespace = caller.role === 'agent' ? caller.namespace : page.namespace;
  const skills = await listSkillsInScope(skillStore, caller.scope, { ...page, namespace });
  const warned = await skillStore.countWarnings(skills);
  return Promise.all(
    skills.map(async (skill) => ({
      skill,
      activation: await skillStore.findActivation(skill.skillId),
      warningsCount: warned.get(skill.skillId) ?? 0,
    })),
  );
}

async function removeLocked(
  deps: SkillServiceDeps,
  caller: Caller,
  address: SkillAddress,
  operation: 'delete' | 'retire',
): Promise<void> {
  const { namespace, name } = await findSkill(deps, caller, address);
  await deps.queue(skillKey(namespace, name), () =>
    measured(deps, operation, () => removeSkill(deps, caller, { address: { namespace, name }, operation })),
  );
}

async function removeSkill(
  deps: SkillServiceDeps,
  caller: Caller,
  { address, operation }: { address: SkillAddress; operation: 'delete' | 'retire' },
): Promise<void> {
  const { skillStore, lifecycle, guard, trail, now } = deps;
  const skill = await findSkill(deps, caller, address);
  await guard.require(caller, 'skill.manage', { ...skill, kind: 'skill' });
  const activation = await skillStore.findActivation(skill.skillId);
  if (activation !== undefined) await lifecycle.deactivateLocked(caller, skill);
  await inSpan(`skill.${operation}`, { attributes: { [attributes.skillName]: skill.name } }, (span) => {
    const fields = skillFields(caller, skill, skill.latestVersion);
    const name = operation === 'delete' ? 'SKILL_DELETED' : 'SKILL_RETIRED';
    const event = { kind: 'change', name, fields } as const;
    return trail.commit({ event, by: caller, span }, (tx) =>
      operation === 'delete'
        ? skillStore.deleteSkill(tx, skill.skillId, now())
        : skillStore.retireSkill(tx, { skillId: skill.skillId, retiredAt: now(), resumes: resumptionOf(activation) }),
    );
  });
  await deps.catalogue.refresh(skill);
}

/** What is kept of an activation, so that it is restored when the skill is published again. */
function resumptionOf(activation: Activation | undefined): Resumption | undefined {
  if (activation === undefined) return undefined;
  const { version, agentId, expiresAt } = activation;
  return { version, agentId, expiresAt };
}

function measured<T>({ metrics }: SkillServiceDeps, operation: string, work: () => Promise<T>): Promise<T> {
  return timed((seconds, errorType) => metrics.skillOperation(seconds, operation, errorType), work);
}

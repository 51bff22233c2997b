/**
 * The skill registry: publish, list, read and delete skills.
 * Each change of content is a new version. Versions are immutable.
 */

import type { KeyedQueue } from '../flow/keyed-queue.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError, notFound, type Violation } from '../shapes/error.ts';
import type { HubEvent } from '../shapes/event.ts';
import { newId } from '../shapes/id.ts';
import {
  type Activation,
  type Skill,
  type SkillDocument,
  type SkillSource,
  type SkillVersion,
  type SkillVersionSummary,
  skillToolName,
} from '../shapes/skill.ts';
import type { Transaction } from '../stores/database.ts';
import type { SkillStore } from '../stores/skill-store.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SkillGate } from './screening/skill-gate.ts';
import { findSkill, type SkillAddress, skillFields, skillKey } from './skill/lookup.ts';
import type { SkillCatalogue } from './skill-catalogue.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';

/** The outcome of publishing a skill. */
export interface Publication {
  skill: Skill;
  /** `created`: the first version. `updated`: a new version. `unchanged`: the content of the latest version. */
  change: 'created' | 'updated' | 'unchanged';
  /** Violations of the specification and findings of the scan that do not prevent publication. */
  warnings: Violation[];
}

/** A skill with its latest version and its activation, if any. */
export interface SkillDetails {
  skill: Skill;
  latest: SkillVersion;
  activation: Activation | undefined;
}

/** The content of a skill to publish, and where it comes from. */
export interface SkillPublication {
  namespace: string;
  document: SkillDocument;
  source: SkillSource;
}

/** The skill registry. Errors: NOT_FOUND, FORBIDDEN, CONFLICT, INJECTION_SUSPECTED, STORAGE_FAILED. */
export interface SkillService {
  /** Publishes a version of a skill. The namespace defaults to the caller's. */
  publish(
    caller: Caller,
    publication: Omit<SkillPublication, 'namespace'> & { namespace?: string },
  ): Promise<Publication>;
  /** Lists skills by name. An agent sees its own namespace only. */
  list(
    caller: Caller,
    page: { namespace?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<{ skill: Skill; activation: Activation | undefined }[]>;
  get(caller: Caller, address: SkillAddress): Promise<SkillDetails>;
  /** Lists the versions of a skill without their content. */
  versions(
    caller: Caller,
    address: SkillAddress,
    page: { after?: number | undefined; limit: number },
  ): Promise<SkillVersionSummary[]>;
  /** Any version with its content. */
  version(caller: Caller, address: SkillAddress, version: number): Promise<SkillVersion>;
  /** Deactivates the skill if it is active, then removes it from the registry. */
  delete(caller: Caller, address: SkillAddress): Promise<void>;
}

/** Dependencies of the registry. The lifecycle uses the same `queue`, so changes to one skill never overlap. */
export interface SkillServiceDeps {
  skillStore: SkillStore;
  lifecycle: SkillLifecycle;
  catalogue: SkillCatalogue;
  skillGate: SkillGate;
  trail: AuditTrail;
  guard: AccessGuard;
  metrics: Metrics;
  queue: KeyedQueue;
  now: () => number;
}

/** Creates the registry. */
export function createSkillService(deps: SkillServiceDeps): SkillService {
  const { skillStore, guard, queue } = deps;
  return {
    publish: async (caller, { namespace = caller.namespace, document, source }) => {
      await guard.require(caller, 'skill.publish');
      return queue(skillKey(namespace, document.frontmatter.name), () =>
        measured(deps, 'publish', async () => {
          const publication = await publishVersion(deps, caller, { namespace, document, source });
          if (publication.change !== 'unchanged') await deps.catalogue.refresh(publication.skill);
          return publication;
        }),
      );
    },
    list: async (caller, page) => {
      await guard.require(caller, 'skill.read');
      const namespace = caller.role === 'agent' ? caller.namespace : page.namespace;
      const skills = await skillStore.listSkills({ ...page, namespace });
      return Promise.all(
        skills.map(async (skill) => ({ skill, activation: await skillStore.findActivation(skill.skillId) })),
      );
    },
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
    delete: async (caller, address) => {
      const { namespace, name } = await findSkill(deps, caller, address);
      await queue(skillKey(namespace, name), () =>
        measured(deps, 'delete', () => deleteSkill(deps, caller, { namespace, name })),
      );
    },
  };
}

async function deleteSkill(deps: SkillServiceDeps, caller: Caller, address: SkillAddress): Promise<void> {
  const { skillStore, lifecycle, guard, trail } = deps;
  const skill = await findSkill(deps, caller, address);
  await guard.require(caller, 'skill.manage', { ...skill, kind: 'skill' });
  const activation = await skillStore.findActivation(skill.skillId);
  if (activation !== undefined) await lifecycle.deactivateLocked(caller, skill);
  await inSpan('skill.delete', { attributes: { [attributes.skillName]: skill.name } }, (span) => {
    const fields = skillFields(caller, skill, skill.latestVersion);
    const event = { kind: 'change', name: 'SKILL_DELETED', fields } as const;
    return trail.commit({ event, by: caller, span }, (tx) => skillStore.deleteSkill(tx, skill.skillId, deps.now()));
  });
  await deps.catalogue.refresh(skill);
}

async function publishVersion(
  deps: SkillServiceDeps,
  caller: Caller,
  publication: SkillPublication,
): Promise<Publication> {
  const { skillStore, guard, now } = deps;
  const { namespace, document, source } = publication;
  const existing = await skillStore.findSkill({ namespace, name: document.frontmatter.name });
  if (existing === undefined) return insertSkill(deps, caller, publication);
  await guard.require(caller, 'skill.manage', { ...existing, kind: 'skill' });
  if (existing.source !== source) {
    throw new HestiaError(
      'CONFLICT',
      `a skill of this name exists already: it ${existing.source === 'directory' ? 'is read from a watched directory; change the file there' : 'was published over HTTP'}`,
    );
  }
  const digest = await skillStore.findDigest(existing.skillId, existing.latestVersion);
  if (digest === document.digest) {
    return { skill: existing, change: 'unchanged', warnings: document.warnings };
  }
  const warnings = await warningsOf(deps, caller, publication);
  const number = existing.latestVersion + 1;
  const version = newVersion(existing.skillId, number, { document, caller, createdAt: now() });
  const activation = await skillStore.findActivation(existing.skillId);
  const active = activation && { activation_id: activation.activationId, active_version: activation.version };
  await commitVersion(deps, { caller, skill: existing, version, active }, (tx) =>
    skillStore.insertVersion(tx, version),
  );
  const { description } = document.frontmatter;
  return {
    skill: { ...existing, latestVersion: version.version, description, updatedAt: version.createdAt },
    change: 'updated',
    warnings,
  };
}

async function insertSkill(
  deps: SkillServiceDeps,
  caller: Caller,
  publication: SkillPublication,
): Promise<Publication> {
  const { namespace, document, source } = publication;
  const warnings = await warningsOf(deps, caller, publication);
  const createdAt = deps.now();
  const { name, description } = document.frontmatter;
  const skill: Skill = {
    skillId: newId('skl'),
    namespace,
    name,
    ownerAgentId: caller.agentId,
    source,
    latestVersion: 1,
    description,
    createdAt,
    updatedAt: createdAt,
  };
  const version = newVersion(skill.skillId, 1, { document, caller, createdAt });
  await commitVersion(deps, { caller, skill, version, active: undefined }, async (tx) => {
    await deps.skillStore.insertSkill(tx, skill);
    await deps.skillStore.insertVersion(tx, version);
  });
  return { skill, change: 'created', warnings };
}

/** Checks a document and returns what does not prevent its publication. @throws HestiaError INJECTION_SUSPECTED */
async function warningsOf(
  { skillGate }: SkillServiceDeps,
  caller: Caller,
  { namespace, document }: SkillPublication,
): Promise<Violation[]> {
  const { name } = document.frontmatter;
  const fields = { skill_name: name, tool_name: skillToolName(name), agent_id: caller.agentId, namespace };
  const findings = await skillGate.check({ caller, namespace, document, fields, step: 'publish' });
  return [...document.warnings, ...findings];
}

function newVersion(
  skillId: string,
  version: number,
  { document, caller, createdAt }: { document: SkillDocument; caller: Caller; createdAt: number },
): SkillVersion {
  return { skillId, version, document, publishedBy: caller.agentId, createdAt };
}

interface NewVersion {
  caller: Caller;
  skill: Skill;
  version: SkillVersion;
  /** The activation, which keeps its older version, if the skill is active. */
  active: { activation_id: string; active_version: number } | undefined;
}

/** Writes a version with its audit record, and with `SKILL_CHANGED` if the skill is active, in one transaction. */
function commitVersion(
  deps: SkillServiceDeps,
  { caller, skill, version, active }: NewVersion,
  write: (tx: Transaction) => Promise<void>,
): Promise<void> {
  const { digest } = version.document;
  return inSpan('skill.publish', { attributes: { [attributes.skillDigest]: digest } }, (span) => {
    const fields = skillFields(caller, skill, version.version);
    const published: HubEvent = { kind: 'change', name: 'SKILL_PUBLISHED', fields: { ...fields, digest } };
    const changed: HubEvent = {
      kind: 'security',
      name: 'SKILL_CHANGED',
      failed: false,
      fields: { ...fields, ...active },
    };
    const events = active === undefined ? [published] : [published, changed];
    return deps.trail.commit(
      events.map((event) => ({ event, by: caller, span })),
      write,
    );
  });
}

function measured<T>({ metrics }: SkillServiceDeps, operation: string, work: () => Promise<T>): Promise<T> {
  return timed((seconds, errorType) => metrics.skillOperation(seconds, operation, errorType), work);
}

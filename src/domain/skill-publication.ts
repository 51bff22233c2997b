/**
 * Publication of skills: a first version, a further version, or the return of a retired skill.
 * Runs within the queue of the skill. Each change is written with its audit record.
 */
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError, type Violation } from '../shapes/error.ts';
import type { HubEvent } from '../shapes/event.ts';
import { newId } from '../shapes/id.ts';
import { type Skill, type SkillDocument, type SkillSource, type SkillVersion, skillToolName } from '../shapes/skill.ts';
import type { Transaction } from '../stores/database.ts';
import type { SkillStore } from '../stores/skill-store.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { RateLimits } from './access/rate-limits.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SkillGate } from './screening/skill-gate.ts';
import { skillFields } from './skill/lookup.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';

/** The outcome of publishing a skill. */
export interface Publication {
  skill: Skill;
  /** `created`: the first version. `updated`: a new version. `unchanged`: the content of the latest version. */
  change: 'created' | 'updated' | 'unchanged';
  /** Violations of the specification and findings of the scan that do not prevent publication. */
  warnings: Violation[];
}

/** The content of a skill to publish, and where it comes from. */
export interface SkillPublication {
  namespace: string;
  document: SkillDocument;
  source: SkillSource;
  /** The folder of a skill from a directory, by which a retired skill is found again. */
  origin?: string;
}

/** Dependencies of {@link publishVersion}. */
export interface SkillPublicationDeps {
  skillStore: SkillStore;
  lifecycle: SkillLifecycle;
  skillGate: SkillGate;
  trail: AuditTrail;
  guard: AccessGuard;
  rateLimits: Pick<RateLimits, 'countSkillVersion'>;
  limits: { skillBytesStoredMax: number };
  now: () => number;
}

/** Publishes a version from within the skill's queue. @throws HestiaError FORBIDDEN, CONFLICT, INJECTION_SUSPECTED, STORAGE_FAILED */
export async function publishVersion(
  deps: SkillPublicationDeps,
  caller: Caller,
  publication: SkillPublication,
): Promise<Publication> {
  const { skillStore, guard, now } = deps;
  const { namespace, document, source } = publication;
  const name = document.frontmatter.name;
  const found = await skillStore.findSkill({ namespace, name });
  const retired = found ?? (await findRetired(deps, publication));
  if (retired === undefined) return insertSkill(deps, caller, publication);
  if (found === undefined) return restoreSkill(deps, caller, { publication, retired });
  const existing = found;
  await guard.require(caller, 'skill.manage', { ...existing, kind: 'skill' });
  if (existing.source !== source) {
    throw new HestiaError(
      'CONFLICT',
      `a skill of this name exists already: it ${existing.source === 'directory' ? 'is read from a watched directory; change the file there' : 'was published over HTTP'}`,
    );
  }
  const digest = await skillStore.findDigest(existing.skillId, existing.latestVersion);
  await keepOrigin(deps, existing, publication);
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
  deps: SkillPublicationDeps,
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
    if (publication.origin !== undefined) {
      await deps.skillStore.setOrigin(tx, { skillId: skill.skillId, origin: publication.origin });
    }
    await deps.skillStore.insertVersion(tx, version);
  });
  return { skill, change: 'created', warnings };
}

/** Counts and checks a document, and returns what does not prevent its publication. @throws HestiaError INJECTION_SUSPECTED, RATE_LIMITED */
async function warningsOf(
  { skillGate, rateLimits }: SkillPublicationDeps,
  caller: Caller,
  { namespace, document }: SkillPublication,
): Promise<Violation[]> {
  await rateLimits.countSkillVersion(caller, documentBytes(document));
  const { name } = document.frontmatter;
  const fields = { skill_name: name, tool_name: skillToolName(name), agent_id: caller.agentId, namespace };
  const findings = await skillGate.check({ caller, namespace, document, fields, step: 'publish' });
  return [...document.warnings, ...findings];
}

/** The bytes of a document, as long as they are on disk or, in base64, a third more. */
function documentBytes({ source, files }: SkillDocument): number {
  return files.reduce((sum, { content }) => sum + Buffer.byteLength(content), Buffer.byteLength(source));
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
  deps: SkillPublicationDeps,
  { caller, skill, version, active }: NewVersion,
  write: (tx: Transaction) => Promise<void>,
): Promise<void> {
  const { digest } = version.document;
  const writeWithinLimit = async (tx: Transaction) => {
    await write(tx);
    await requireStoredWithinLimit(deps, caller, skill);
  };
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
      writeWithinLimit,
    );
  });
}

/** Checks what a transaction has written, so that none is between the check and the write. @throws HestiaError CONFLICT */
async function requireStoredWithinLimit(
  { skillStore, limits: { skillBytesStoredMax } }: SkillPublicationDeps,
  { agentId, keyId }: Caller,
  { namespace }: Skill,
): Promise<void> {
  // What the hub reads from directories is the operator's.
  if (keyId === hubCaller.keyId) return;
  const bytes = await skillStore.storedBytes({ namespace, agentId });
  if (bytes <= skillBytesStoredMax) return;
  const field = 'limits.skillBytesStoredMax';
  const message = `found ${bytes} bytes of skills that ${agentId} has published in ${namespace}, with this version; at most ${skillBytesStoredMax} are stored. Retention deletes versions beyond retention.skillVersions, and those of deleted skills`;
  throw new HestiaError('CONFLICT', `${field}: ${message}`, { violations: [{ field, message }] });
}

/** The retired skill that a folder is: the one that was read from it, or the last one of the name. */
async function findRetired(
  { skillStore }: SkillPublicationDeps,
  { namespace, document, source, origin }: SkillPublication,
): Promise<Skill | undefined> {
  if (source !== 'directory') return undefined;
  return skillStore.findRetired({ namespace, name: document.frontmatter.name, origin });
}

/** Publishes a retired skill again, as itself: with its id and its versions, and active if it was. */
async function restoreSkill(
  deps: SkillPublicationDeps,
  caller: Caller,
  { publication, retired }: { publication: SkillPublication; retired: Skill },
): Promise<Publication> {
  const { namespace, document } = publication;
  const skill = { ...retired, name: document.frontmatter.name };
  await deps.guard.require(caller, 'skill.manage', { ...skill, kind: 'skill' });
  const digest = await deps.skillStore.findDigest(skill.skillId, skill.latestVersion);
  // A changed document is checked first: a refused one must not bring the skill back.
  if (digest !== document.digest) await warningsOf(deps, caller, publication);
  const resumes = await deps.skillStore.findResumption(skill.skillId);
  await inSpan('skill.restore', { attributes: { [attributes.skillName]: skill.name } }, (span) => {
    const event = {
      kind: 'change',
      name: 'SKILL_RESTORED',
      fields: skillFields(caller, skill, skill.latestVersion),
    } as const;
    return deps.trail.commit({ event, by: caller, span }, (tx) =>
      deps.skillStore.restoreSkill(tx, { skillId: skill.skillId, name: skill.name }),
    );
  });
  if (resumes !== undefined) await deps.lifecycle.resumeLocked(caller, { skill, resumes });
  const publicationOfIt = await publishVersion(deps, caller, { ...publication, namespace });
  return { ...publicationOfIt, change: publicationOfIt.change === 'unchanged' ? 'updated' : publicationOfIt.change };
}

/** Stores the folder of a skill from a directory if it has moved. */
async function keepOrigin(
  { skillStore, trail }: SkillPublicationDeps,
  { skillId }: Skill,
  { origin }: SkillPublication,
): Promise<void> {
  if (origin === undefined || (await skillStore.findOrigin(skillId)) === origin) return;
  await trail.commit([], (tx) => skillStore.setOrigin(tx, { skillId, origin }));
}

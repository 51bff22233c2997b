/**
 * Published skills of a namespace as resources, each in its active version or else the latest. A version that
 * the quarantine blocks or holds is not served. A version is scanned again before it is first read after a start.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { KeyScope } from '../../shapes/access.ts';
import { notFound } from '../../shapes/error.ts';
import { hubServerId } from '../../shapes/server.ts';
import type { Skill, SkillDocument } from '../../shapes/skill.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import type { SkillStore } from '../../stores/skill-store.ts';
import type { SkillGate } from '../screening/skill-gate.ts';
import { listSkillsInScope, skillFields } from '../skill/lookup.ts';
import { documentEntry, documentFiles, type ServedSkill, type SkillEntry } from './entry.ts';

/** The published skills as resources. Errors: STORAGE_FAILED. */
export interface PublishedSkills {
  /** One page of the skills in the scope, by name. `next` is the position of the next page, undefined on the last one. */
  list(
    namespace: string,
    page: { after: string; limit: number; scope: KeyScope | undefined },
  ): Promise<{ skills: ServedSkill[]; next: string | undefined }>;
  find(namespace: string, name: string): Promise<ServedSkill | undefined>;
}

/** Dependencies of the published skills. */
export interface PublishedSkillsDeps {
  skillStore: SkillStore;
  quarantineStore: QuarantineStore;
  skillGate: SkillGate;
  now: () => number;
}

/** Versions whose entries are cached. A typical entry has a few files and takes about one kilobyte. */
const cachedEntriesMax = 4096;
/** Files in all cached entries together. Beyond it, the cache is emptied. An entry takes about 200 bytes a file. */
const cachedFilesMax = 100_000;

/** The parts of a version that are cached. `entry` is undefined where the extension does not allow the document. */
interface VersionEntry {
  digest: string;
  entry: SkillEntry | undefined;
}

/** A function that returns the entry of a version of a skill, or undefined for a version that is not stored. */
type FindEntry = (skill: Skill, version: number) => Promise<VersionEntry | undefined>;

/** Creates the published skills. */
export function createPublishedSkills(deps: PublishedSkillsDeps): PublishedSkills {
  const findEntry = createEntryCache(deps.skillStore);
  const scanned = new BoundedMap<string, true>(cachedEntriesMax);
  const serve = (skill: Skill) => servedSkill(deps, { findEntry, scanned }, skill);
  return {
    list: async (namespace, { after, limit, scope }) => {
      const stored = await listSkillsInScope(deps.skillStore, scope, { namespace, after, limit: limit + 1 });
      const skills: ServedSkill[] = [];
      for (const skill of stored.slice(0, limit)) {
        const served = await serve(skill);
        if (served !== undefined) skills.push(served);
      }
      return { skills, next: stored.length > limit ? stored[limit - 1]?.name : undefined };
    },
    find: async (namespace, name) => {
      const skill = await deps.skillStore.findSkill({ namespace, name });
      return skill && serve(skill);
    },
  };
}

/** Versions never change, so that their entries can be cached. */
function createEntryCache(skillStore: SkillStore): FindEntry {
  const entries = new BoundedMap<string, VersionEntry>(cachedEntriesMax);
  let filesCount = 0;
  return async ({ skillId, name }, version) => {
    const key = `${skillId}/${version}`;
    const cached = entries.get(key);
    if (cached !== undefined) return cached;
    const document = (await skillStore.findVersion(skillId, version))?.document;
    if (document === undefined) return undefined;
    const entry = await documentEntry(name, document);
    filesCount += entry?.resources.length ?? 0;
    if (filesCount > cachedFilesMax) {
      entries.clear();
      filesCount = entry?.resources.length ?? 0;
    }
    const found = { digest: document.digest, entry };
    entries.set(key, found);
    return found;
  };
}

async function servedSkill(
  deps: PublishedSkillsDeps,
  { findEntry, scanned }: { findEntry: FindEntry; scanned: BoundedMap<string, true> },
  skill: Skill,
): Promise<ServedSkill | undefined> {
  const version = await servedVersion(deps, skill);
  const found = await findEntry(skill, version);
  if (found?.entry === undefined || (await isQuarantined(deps, skill, found.digest))) return undefined;
  const { entry, digest } = found;
  return {
    entry,
    fields: (caller) => ({ ...skillFields(caller, skill, version), server_id: hubServerId }),
    check: async (caller) => {
      const key = `${skill.namespace}/${skill.name}/${digest}`;
      if (scanned.has(key)) return;
      const document = await storedDocument(deps, skill, version);
      const fields = skillFields(caller, skill, version);
      await deps.skillGate.check({ caller, namespace: skill.namespace, document, fields, step: 'read' });
      scanned.set(key, true);
    },
    read: async (path) => {
      const bytes = documentFiles(await storedDocument(deps, skill, version))[path];
      if (bytes === undefined) throw notFound('file');
      return bytes;
    },
  };
}

/** The version of an activation that has not expired, or else the latest one. */
async function servedVersion({ skillStore, now }: PublishedSkillsDeps, skill: Skill): Promise<number> {
  const activation = await skillStore.findActivation(skill.skillId);
  const isActive = activation !== undefined && (activation.expiresAt === undefined || activation.expiresAt > now());
  return isActive ? activation.version : skill.latestVersion;
}

async function storedDocument(
  { skillStore }: PublishedSkillsDeps,
  { skillId }: Skill,
  version: number,
): Promise<SkillDocument> {
  const stored = await skillStore.findVersion(skillId, version);
  if (stored === undefined) throw notFound('skill');
  return stored.document;
}

async function isQuarantined(
  { quarantineStore }: PublishedSkillsDeps,
  { namespace, name }: Skill,
  digest: string,
): Promise<boolean> {
  const state = (await quarantineStore.find({ kind: 'skill', scope: namespace, name, digest }))?.state;
  return state === 'blocked' || state === 'held';
}

/**
 * The store of skills: the skills themselves, their immutable versions, and their activations.
 * The domain decides who may change them.
 */
import { strict as assert } from 'node:assert';
import { z } from 'zod';
import {
  type Skill,
  type SkillDocument,
  type SkillFilter,
  type SkillVersion,
  type SkillVersionSummary,
  skillSchema,
  skillVersionSchema,
  skillVersionSummarySchema,
} from '../shapes/skill.ts';
import type { Database, Transaction } from './database.ts';
import { createSkillContentStore, skillManifestSchema } from './skill/content.ts';
import { createSkillOriginStore, type SkillOriginStore } from './skill/origin.ts';
import { createSkillActivationStore, type SkillActivationStore } from './skill-activation-store.ts';
import { jsonColumn } from './statement.ts';

export type { Resumption, SkillOrigin } from './skill/origin.ts';

/** Reads and writes skills. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SkillStore extends SkillActivationStore, SkillOriginStore {
  /** A name taken in the namespace by a skill that is neither deleted nor retired is refused as STORAGE_FAILED. */
  insertSkill(tx: Transaction, skill: Skill): Promise<void>;
  /**
   * Stores a version and makes it the skill's latest, with its description; `updatedAt` becomes its `createdAt`.
   * @throws AssertionError if the skill does not exist, or has a later version.
   */
  insertVersion(tx: Transaction, version: SkillVersion): Promise<void>;
  findSkill(key: { namespace: string; name: string }): Promise<Skill | undefined>;
  /**
   * Skills of one namespace or of all, ordered by namespace and name, at most `limit`. `after` is the {@link skillCursor} of the
   * last skill of the page before, or its name alone if a namespace is given. All filters that are given must match.
   */
  listSkills(page: SkillPage): Promise<Skill[]>;
  /** How many deviations from the specification the latest versions of these skills have, by `skillId`; only those with any. */
  countWarnings(skills: readonly Pick<Skill, 'skillId' | 'latestVersion'>[]): Promise<ReadonlyMap<string, number>>;
  /** The digest of a version, without reading its content. */
  findDigest(skillId: string, version: number): Promise<string | undefined>;
  /** The bytes of all stored versions that an agent has published in a namespace, also those of deleted skills. */
  storedBytes(publisher: { namespace: string; agentId: string }): Promise<number>;
  /** Finds versions of deleted skills too. */
  findVersion(skillId: string, version: number): Promise<SkillVersion | undefined>;
  /** Ascending, after the version `after`, at most `limit`. */
  listVersions(skillId: string, page: { after?: number | undefined; limit: number }): Promise<SkillVersionSummary[]>;
  /**
   * Marks the skill as deleted, which frees its name. Its versions stay, and so does an activation, which is deleted separately.
   * Returns false if the skill does not exist or is already deleted. `deletedAt` is Unix milliseconds.
   */
  deleteSkill(tx: Transaction, skillId: string, deletedAt: number): Promise<boolean>;
}

/** A page of skills. */
export type SkillPage = Omit<SkillFilter, 'warnings'> & {
  namespace?: string | undefined;
  after?: string | undefined;
  limit: number;
};

/** The cursor with which {@link SkillStore.listSkills} continues after this skill: `namespace/name`. */
export function skillCursor({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** Creates the store of skills in `database`. */
export function createSkillStore(database: Database): SkillStore {
  const insert = database.command(
    `INSERT INTO skills (skill_id, namespace, name, owner_agent_id, source, latest_version, description,
       created_at, updated_at)
     VALUES (:skillId, :namespace, :name, :ownerAgentId, :source, :latestVersion, :description,
       :createdAt, :updatedAt)`,
  );
  const find = database.query(
    `${selectSkills} WHERE namespace = :namespace AND name = :name AND deleted_at IS NULL AND retired_at IS NULL`,
    skillSchema,
  );
  const list = database.query(
    `${selectSkills} WHERE deleted_at IS NULL AND retired_at IS NULL AND (:namespace IS NULL OR namespace = :namespace)
       AND (namespace, name) > (:afterNamespace, :afterName)
       AND (:query IS NULL OR instr(lower(name), lower(:query)) > 0 OR instr(lower(description), lower(:query)) > 0)
       AND (:isActive IS NULL OR :isActive = EXISTS (SELECT 1 FROM activations WHERE skill_id = skills.skill_id))
     ORDER BY namespace, name LIMIT :limit`,
    skillSchema,
  );
  const warnings = database.query(
    `SELECT skill_id AS skillId, json_array_length(document, '$.warnings') AS warnings
     FROM json_each(:skills) AS wanted JOIN skill_versions
       ON skill_id = wanted.value ->> 0 AND version = wanted.value ->> 1
     WHERE json_array_length(document, '$.warnings') > 0`,
    z.object({ skillId: z.string(), warnings: z.int() }),
  );
  const remove = database.command(
    'UPDATE skills SET deleted_at = :deletedAt WHERE skill_id = :skillId AND deleted_at IS NULL',
  );
  return {
    ...createSkillActivationStore(database),
    ...createSkillOriginStore(database),
    ...prepareVersions(database),
    async insertSkill(tx, skill) {
      insert.run(tx, { ...skill });
    },
    findSkill: async ({ namespace, name }) => find.first({ namespace, name }),
    listSkills: async ({ namespace, after = '', limit, query, state }) => {
      const filters = { query, isActive: state && state === 'active' };
      return list.all({ namespace, limit, ...filters, ...cursor(after, namespace) });
    },
    countWarnings: async (wanted) => {
      const pairs = JSON.stringify(wanted.map(({ skillId, latestVersion }) => [skillId, latestVersion]));
      return new Map(warnings.all({ skills: pairs }).map((row) => [row.skillId, row.warnings]));
    },
    deleteSkill: async (tx, skillId, deletedAt) => remove.run(tx, { skillId, deletedAt }) === 1,
  };
}

function cursor(after: string, namespace = ''): { afterNamespace: string; afterName: string } {
  const at = after.indexOf('/');
  if (at === -1) return { afterNamespace: namespace, afterName: after };
  return { afterNamespace: after.slice(0, at), afterName: after.slice(at + 1) };
}

function prepareVersions(
  database: Database,
): Pick<SkillStore, 'insertVersion' | 'storedBytes' | 'findDigest' | 'findVersion' | 'listVersions'> {
  const content = createSkillContentStore(database);
  const insert = database.command(
    `INSERT INTO skill_versions (skill_id, version, published_by, created_at, document, bytes)
     VALUES (:skillId, :version, :publishedBy, :createdAt, :document, :bytes)`,
  );
  const storedBytes = database.query(
    'SELECT bytes FROM skill_bytes WHERE namespace = :namespace AND agent_id = :agentId',
    z.object({ bytes: z.int() }),
  );
  const advance = database.command(
    `UPDATE skills SET latest_version = :version, description = :description, updated_at = :createdAt
     WHERE skill_id = :skillId AND deleted_at IS NULL AND latest_version <= :version`,
  );
  const find = database.query(
    `SELECT skill_id AS skillId, version, document, published_by AS publishedBy, created_at AS createdAt
     FROM skill_versions WHERE skill_id = :skillId AND version = :version`,
    versionRowSchema,
  );
  const findDigest = database.query(
    'SELECT digest FROM skill_versions WHERE skill_id = :skillId AND version = :version',
    z.object({ digest: z.string() }),
  );
  const list = database.query(
    `SELECT skill_id AS skillId, version, digest, published_by AS publishedBy, created_at AS createdAt
     FROM skill_versions WHERE skill_id = :skillId AND version > :after ORDER BY version LIMIT :limit`,
    skillVersionSummarySchema,
  );
  return {
    async insertVersion(tx, { document, ...version }) {
      const { skillId, createdAt } = version;
      const { description } = document.frontmatter;
      const advanced = advance.run(tx, { skillId, version: version.version, description, createdAt });
      assert.equal(advanced, 1, 'a version belongs to a skill and follows its latest');
      const manifest = JSON.stringify(content.write(tx, document));
      const bytes = Buffer.byteLength(manifest) + documentBytes(document);
      insert.run(tx, { ...version, document: manifest, bytes });
    },
    storedBytes: async (publisher) => storedBytes.first({ ...publisher })?.bytes ?? 0,
    findDigest: async (skillId, version) => findDigest.first({ skillId, version })?.digest,
    findVersion: async (skillId, version) => {
      const row = find.first({ skillId, version });
      return row && { ...row, document: content.read(row.document) };
    },
    listVersions: async (skillId, { after = 0, limit }) => list.all({ skillId, after, limit }),
  };
}

/** The bytes of all files, as they are on disk. */
function documentBytes({ source, files }: SkillDocument): number {
  return files.reduce(
    (sum, { content, encoding }) => sum + Buffer.byteLength(content, encoding),
    Buffer.byteLength(source),
  );
}

const selectSkills = `SELECT skill_id AS skillId, namespace, name, owner_agent_id AS ownerAgentId, source,
  latest_version AS latestVersion, description, created_at AS createdAt, updated_at AS updatedAt FROM skills`;

const versionRowSchema = skillVersionSchema.extend({ document: jsonColumn(skillManifestSchema) });

/** The store of the folders of skills, and of retirement while a folder is missing. */
import { z } from 'zod';
import { type Skill, skillSchema } from '../../shapes/skill.ts';
import type { Database, Transaction } from '../database.ts';
import { jsonColumn } from '../statement.ts';

const originSchema = z.object({
  name: z.string(),
  /** The folder; undefined for a skill that was last read by an earlier release. */
  origin: z.string().optional(),
  retired: z.literal([0, 1]).transform((value) => value === 1),
});
/** A skill that was read from a directory. */
export type SkillOrigin = z.infer<typeof originSchema>;

const resumptionSchema = z.object({ version: z.int(), agentId: z.string(), expiresAt: z.number().optional() });
/** What restores the activation of a retired skill. `expiresAt` is Unix milliseconds. */
export type Resumption = z.infer<typeof resumptionSchema>;

/** Reads and writes folders and retirement. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SkillOriginStore {
  /** All that are not deleted, of one namespace; of a name, the retired ones first and the oldest of them first. */
  listOrigins(namespace: string): Promise<SkillOrigin[]>;
  findOrigin(skillId: string): Promise<string | undefined>;
  setOrigin(tx: Transaction, skill: { skillId: string; origin: string }): Promise<void>;
  /** Hides the skill and frees its name. Its activation is deleted separately. `retiredAt` is Unix milliseconds. */
  retireSkill(
    tx: Transaction,
    skill: { skillId: string; retiredAt: number; resumes: Resumption | undefined },
  ): Promise<boolean>;
  /** The retired skill of this folder, or else the one of this name that was retired last. */
  findRetired(key: { namespace: string; name: string; origin?: string | undefined }): Promise<Skill | undefined>;
  findResumption(skillId: string): Promise<Resumption | undefined>;
  /** Ends the retirement. A name that is taken meanwhile is refused as STORAGE_FAILED. */
  restoreSkill(tx: Transaction, skill: { skillId: string; name: string }): Promise<void>;
}

/** Creates the part of the skill store that stores folders and retirement. */
export function createSkillOriginStore(database: Database): SkillOriginStore {
  const list = database.query(
    `SELECT name, origin, retired_at IS NOT NULL AS retired FROM skills
     WHERE namespace = :namespace AND source = 'directory' AND deleted_at IS NULL
     ORDER BY name, retired_at IS NULL, retired_at`,
    originSchema,
  );
  const find = database.query(
    'SELECT origin FROM skills WHERE skill_id = :skillId',
    originSchema.pick({ origin: true }),
  );
  const set = database.command('UPDATE skills SET origin = :origin WHERE skill_id = :skillId');
  const retire = database.command(
    `UPDATE skills SET retired_at = :retiredAt, resumes = :resumes
     WHERE skill_id = :skillId AND deleted_at IS NULL AND retired_at IS NULL`,
  );
  const findRetired = database.query(
    `SELECT skill_id AS skillId, namespace, name, owner_agent_id AS ownerAgentId, source, latest_version AS latestVersion,
       description, created_at AS createdAt, updated_at AS updatedAt FROM skills
     WHERE namespace = :namespace AND source = 'directory' AND deleted_at IS NULL AND retired_at IS NOT NULL
       AND (origin = :origin OR name = :name)
     ORDER BY origin IS NOT :origin, retired_at DESC LIMIT 1`,
    skillSchema,
  );
  const findResumption = database.query(
    'SELECT resumes FROM skills WHERE skill_id = :skillId AND resumes IS NOT NULL',
    z.object({ resumes: jsonColumn(resumptionSchema) }),
  );
  const restore = database.command(
    'UPDATE skills SET name = :name, retired_at = NULL, resumes = NULL WHERE skill_id = :skillId',
  );
  return {
    listOrigins: async (namespace) => list.all({ namespace }),
    findOrigin: async (skillId) => find.first({ skillId })?.origin,
    async setOrigin(tx, skill) {
      set.run(tx, skill);
    },
    retireSkill: async (tx, { resumes, ...skill }) =>
      retire.run(tx, { ...skill, resumes: resumes && JSON.stringify(resumes) }) === 1,
    findRetired: async ({ namespace, name, origin }) => findRetired.first({ namespace, name, origin }),
    findResumption: async (skillId) => findResumption.first({ skillId })?.resumes,
    async restoreSkill(tx, skill) {
      restore.run(tx, skill);
    },
  };
}

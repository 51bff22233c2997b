/** The store of activations: the skills that are in use as tools. A skill's name and namespace are read from its own row. */
import { z } from 'zod';
import { type Activation, activationSchema } from '../shapes/skill.ts';
import type { Database, Transaction } from './database.ts';

/** The most activations that {@link SkillActivationStore.listActivations} returns. */
export const activationsMax = 10_000;

/** Reads and writes activations. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SkillActivationStore {
  /** The skill and the version must be stored. A second activation of one skill is refused as STORAGE_FAILED. */
  insertActivation(tx: Transaction, activation: Activation): Promise<void>;
  /** Returns false if there is no such activation. */
  deleteActivation(tx: Transaction, activationId: string): Promise<boolean>;
  findActivation(skillId: string): Promise<Activation | undefined>;
  /** Of one namespace or of all, ordered by namespace and skill name, at most {@link activationsMax}. */
  listActivations(filter: { namespace?: string | undefined }): Promise<Activation[]>;
  /** Those with `expiresAt` at or before `now` (Unix milliseconds), longest expired first, at most `limit`. */
  listExpiredActivations(range: { now: number; limit: number }): Promise<Activation[]>;
}

/** Creates the part of the skill store that stores activations. */
export function createSkillActivationStore(database: Database): SkillActivationStore {
  const insert = database.command(
    `INSERT INTO activations
       (activation_id, skill_id, version, agent_id, tool_name, registered, activated_at, expires_at)
     VALUES (:activationId, :skillId, :version, :agentId, :toolName, :registered, :activatedAt, :expiresAt)`,
  );
  const remove = database.command('DELETE FROM activations WHERE activation_id = :activationId');
  const find = database.query(`${selectActivations} WHERE skill_id = :skillId`, activationRowSchema);
  const list = database.query(
    `${selectActivations} WHERE :namespace IS NULL OR namespace = :namespace
     ORDER BY namespace, name, activation_id LIMIT ${activationsMax}`,
    activationRowSchema,
  );
  const listExpired = database.query(
    `${selectActivations} WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit`,
    activationRowSchema,
  );
  return {
    async insertActivation(tx, activation) {
      insert.run(tx, columnsOf(activation));
    },
    deleteActivation: async (tx, activationId) => remove.run(tx, { activationId }) === 1,
    findActivation: async (skillId) => find.first({ skillId }),
    listActivations: async ({ namespace }) => list.all({ namespace }),
    listExpiredActivations: async ({ now, limit }) => listExpired.all({ now, limit }),
  };
}

const selectActivations = `SELECT activation_id AS activationId, skill_id AS skillId, skills.name AS skillName,
  skills.namespace AS namespace, activations.agent_id AS agentId, version, tool_name AS toolName, registered,
  activated_at AS activatedAt, expires_at AS expiresAt
  FROM activations JOIN skills USING (skill_id)`;

const activationRowSchema = activationSchema.extend({
  registered: z.literal([0, 1]).transform((value) => value === 1),
});

function columnsOf({ skillName: _name, namespace: _namespace, ...columns }: Activation) {
  return columns;
}

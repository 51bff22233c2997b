/** How skills, versions and activations look in answers over HTTP, and their schemas. Pure. */
import { z } from 'zod';
import { type Activation, type Skill, type SkillVersion, skillSourceSchema } from '../../shapes/skill.ts';
import { isoTime } from '../../shapes/time.ts';
import { timeSchema } from './route-parts.ts';

/** An activation in an answer. */
export const activationSchema = z
  .object({
    activationId: z.string(),
    toolName: z.string(),
    version: z.int(),
    agentId: z.string(),
    registered: z.boolean(),
    activatedAt: timeSchema,
    expiresAt: timeSchema.optional(),
  })
  .meta({ id: 'Activation' });

/** A skill in an answer. */
export const skillSchema = z
  .object({
    skillId: z.string(),
    namespace: z.string(),
    name: z.string(),
    description: z.string(),
    ownerAgentId: z.string(),
    source: skillSourceSchema,
    latestVersion: z.int(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    activation: activationSchema.optional(),
  })
  .meta({ id: 'Skill' });

/** A skill with the content of its latest version. */
export const skillDetailsSchema = skillSchema
  .extend({
    digest: z.string(),
    license: z.string().optional(),
    compatibility: z.string().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    allowedTools: z.array(z.string()).optional(),
    instructions: z.string(),
    files: z.array(z.object({ path: z.string(), encoding: z.enum(['utf-8', 'base64']) })),
  })
  .meta({ id: 'SkillDetails' });

/** A version in a list. */
export const versionSchema = z
  .object({ version: z.int(), digest: z.string(), publishedBy: z.string(), createdAt: timeSchema })
  .meta({ id: 'SkillVersion' });

/** A skill as an answer shows it. */
export function skillView(skill: Skill, activation: Activation | undefined) {
  const { createdAt, updatedAt, ...rest } = skill;
  return {
    ...rest,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    ...(activation && { activation: activationView(activation) }),
  };
}

/** A skill with its content as an answer shows it. */
export function detailsView(skill: Skill, { document }: SkillVersion, activation: Activation | undefined) {
  const { license, compatibility, metadata, allowedTools } = document.frontmatter;
  return {
    ...skillView(skill, activation),
    digest: document.digest,
    license,
    compatibility,
    metadata,
    allowedTools,
    instructions: document.instructions,
    files: document.files.map(({ path, encoding }) => ({ path, encoding })),
  };
}

/** An activation as an answer shows it. */
export function activationView({
  activationId,
  toolName,
  version,
  agentId,
  registered,
  activatedAt,
  expiresAt,
}: Activation) {
  return {
    activationId,
    toolName,
    version,
    agentId,
    registered,
    activatedAt: isoTime(activatedAt),
    ...(expiresAt !== undefined && { expiresAt: isoTime(expiresAt) }),
  };
}

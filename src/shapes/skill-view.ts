/** Skills, versions and activations in answers: their schemas, and the functions that build them. */
import { z } from 'zod';
import { violationSchema } from './error.ts';
import {
  type Activation,
  activationSchema,
  type Skill,
  type SkillVersion,
  type SkillVersionSummary,
  skillFileSchema,
  skillFrontmatterSchema,
  skillSchema,
  skillVersionSummarySchema,
} from './skill.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/** An activation in an answer, which names its skill already. */
export const activationViewSchema = activationSchema
  .omit({ skillId: true, skillName: true, namespace: true })
  .extend({ activatedAt: isoTimeSchema, expiresAt: isoTimeSchema.optional() })
  .meta({ id: 'Activation' });

/** A skill in an answer. */
export const skillViewSchema = skillSchema
  .extend({ createdAt: isoTimeSchema, updatedAt: isoTimeSchema, activation: activationViewSchema.optional() })
  .meta({ id: 'Skill' });

/** A skill with the content of its latest version; of its files, the names. */
export const skillDetailsViewSchema = skillViewSchema
  .extend({
    digest: z.string(),
    ...skillFrontmatterSchema.omit({ name: true, description: true }).shape,
    instructions: z.string(),
    files: z.array(skillFileSchema.omit({ content: true })),
  })
  .meta({ id: 'SkillDetails' });

/** A version in a list. */
export const skillVersionViewSchema = skillVersionSummarySchema
  .omit({ skillId: true })
  .extend({ createdAt: isoTimeSchema })
  .meta({ id: 'SkillVersion' });

/** The answer to publishing a skill. */
export const publicationViewSchema = z.object({
  change: z.enum(['created', 'updated', 'unchanged']),
  skill: skillViewSchema,
  warnings: z
    .array(violationSchema)
    .optional()
    .meta({ description: 'Rules that are broken without keeping the skill out.' }),
});

/** The answer to activating a skill. */
export const activationAnswerSchema = z.object({
  changed: z.boolean(),
  activation: activationViewSchema,
  errorType: z.string().optional().meta({ description: 'Why the activation has no tool, where it has none.' }),
});

/** The answer to deactivating a skill. */
export const deactivationAnswerSchema = z.object({
  changed: z.boolean(),
  durationMs: z.number().optional(),
  errorType: z.string().optional(),
});

/** The view of an activation. */
export function activationView(activation: Activation): z.infer<typeof activationViewSchema> {
  return activationViewSchema.parse({
    ...activation,
    activatedAt: isoTime(activation.activatedAt),
    expiresAt: isoTime(activation.expiresAt),
  });
}

/** The view of a skill, with its activation if it has one. */
export function skillView(skill: Skill, activation: Activation | undefined): z.infer<typeof skillViewSchema> {
  return {
    ...skill,
    createdAt: isoTime(skill.createdAt),
    updatedAt: isoTime(skill.updatedAt),
    ...(activation && { activation: activationView(activation) }),
  };
}

/** The view of a skill with the content of its latest version. */
export function skillDetailsView(
  skill: Skill,
  { document }: SkillVersion,
  activation: Activation | undefined,
): z.infer<typeof skillDetailsViewSchema> {
  const { frontmatter, ...content } = document;
  return skillDetailsViewSchema.parse({ ...frontmatter, ...content, ...skillView(skill, activation) });
}

/** The view of a version. */
export function skillVersionView(version: SkillVersionSummary): z.infer<typeof skillVersionViewSchema> {
  return skillVersionViewSchema.parse({ ...version, createdAt: isoTime(version.createdAt) });
}

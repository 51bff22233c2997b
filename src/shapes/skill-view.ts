/** Skills, versions and activations in answers: their schemas, and the functions that build them. */
import { z } from 'zod';
import { jsonObjectSchema } from './json.ts';
import {
  type Activation,
  activationSchema,
  type Skill,
  type SkillDocument,
  type SkillVersion,
  type SkillVersionSummary,
  skillFileSchema,
  skillFrontmatterSchema,
  skillSchema,
  skillVersionSummarySchema,
} from './skill.ts';
import { isoTime, isoTimeSchema } from './time.ts';
import { violationSchema } from './violation.ts';

/** An activation in an answer, which names its skill already. */
export const activationViewSchema = activationSchema
  .omit({ skillId: true, skillName: true, namespace: true })
  .extend({ activatedAt: isoTimeSchema, expiresAt: isoTimeSchema.optional() })
  .meta({ id: 'Activation' });

/** A skill in an answer. */
export const skillViewSchema = skillSchema
  .extend({ createdAt: isoTimeSchema, updatedAt: isoTimeSchema, activation: activationViewSchema.optional() })
  .meta({ id: 'Skill' });

/** The content of a version; of its files, the names. */
const skillContentShape = {
  digest: z.string(),
  ...skillFrontmatterSchema.omit({ name: true, description: true }).shape,
  frontmatter: jsonObjectSchema.meta({ description: 'Every key of the frontmatter with its value as written.' }),
  instructions: z.string(),
  files: z.array(skillFileSchema.omit({ content: true })),
  warnings: z.array(violationSchema).meta({ description: 'Deviations from the Agent Skills specification.' }),
};

/** A skill with the content of its latest version; of its files, the names. */
export const skillDetailsViewSchema = skillViewSchema.extend(skillContentShape).meta({ id: 'SkillDetails' });

/** A version in a list. */
export const skillVersionViewSchema = skillVersionSummarySchema
  .omit({ skillId: true })
  .extend({ createdAt: isoTimeSchema })
  .meta({ id: 'SkillVersion' });

/** One version with its content; `document` is SKILL.md as it was published. */
export const skillVersionDetailsViewSchema = skillVersionViewSchema
  .extend({ name: z.string(), description: z.string(), ...skillContentShape, document: z.string() })
  .meta({ id: 'SkillVersionDetails' });

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
  return skillDetailsViewSchema.parse({ ...contentOf(document), ...skillView(skill, activation) });
}

/** The view of a version with its content. */
export function skillVersionDetailsView({
  document,
  ...version
}: SkillVersion): z.infer<typeof skillVersionDetailsViewSchema> {
  const createdAt = isoTime(version.createdAt);
  return skillVersionDetailsViewSchema.parse({
    ...contentOf(document),
    ...version,
    createdAt,
    document: document.source,
  });
}

function contentOf({ frontmatter, attributes, ...content }: SkillDocument) {
  return { ...frontmatter, ...content, frontmatter: attributes };
}

/** The view of a version. */
export function skillVersionView(version: SkillVersionSummary): z.infer<typeof skillVersionViewSchema> {
  return skillVersionViewSchema.parse({ ...version, createdAt: isoTime(version.createdAt) });
}

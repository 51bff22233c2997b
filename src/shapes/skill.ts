/** Skills: the SKILL.md document (Agent Skills specification), versions, and activations as MCP tools. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { filterTextSchema } from './page.ts';
import { violationSchema } from './violation.ts';

/** Limits of a skill. Bytes are those on disk. Files and bytes are the limits of the Skills extension (SEP-2640). */
export const skillLimits = {
  documentBytesMax: 1_048_576,
  /** SKILL.md included. */
  filesMax: 512,
  /** Of all files together, SKILL.md included. */
  bytesMax: 16_777_216,
  nameLengthMax: 64,
  /** Of the specification. A longer description is accepted with a warning. */
  descriptionLengthMax: 1024,
  /** Of the specification. A longer text is accepted with a warning. */
  compatibilityLengthMax: 500,
  ttlSecondsMax: 31_536_000,
} as const;

/**
 * The frontmatter of a SKILL.md as the hub uses it (agentskills.io specification). `name` is the name in the registry,
 * which is not always the written one. {@link SkillDocument} has every key verbatim.
 */
export const skillFrontmatterSchema = z.object({
  name: z.string(),
  description: z.string(),
  license: z.string().optional(),
  compatibility: z.string().optional(),
  /** Of any JSON values; the specification allows text only. */
  metadata: z.record(z.string(), z.unknown()).optional(),
  /** Names of the tools that the skill needs, in the order written. Experimental in the specification. */
  allowedTools: z.array(z.string()).optional(),
});
export type SkillFrontmatter = z.infer<typeof skillFrontmatterSchema>;

/** A file beside SKILL.md. `path` is relative, with forward slashes, and never leaves the skill's folder. */
export const skillFileSchema = z.object({
  path: z.string(),
  content: z.string(),
  /** `base64` for what is not valid UTF-8. Either way the content is exactly the bytes of the file. */
  encoding: z.enum(['utf-8', 'base64']),
});
export type SkillFile = z.infer<typeof skillFileSchema>;

/** A parsed skill, ready to be published: frontmatter, the Markdown after it, and files. */
export const skillDocumentSchema = z.object({
  frontmatter: skillFrontmatterSchema,
  /** The frontmatter as written: all keys, with the values that YAML gives them. */
  attributes: z.record(z.string(), z.unknown()),
  /** The Markdown after the frontmatter, with LF line endings and without blank lines around it. */
  instructions: z.string(),
  /** SKILL.md as it is on disk, with its byte order mark and line endings. */
  source: z.string(),
  files: z.array(skillFileSchema),
  /** Deviations from the specification that do not prevent publication. */
  warnings: z.array(violationSchema),
  /** SHA-256 (hex) over the paths and the SHA-256 of the bytes of all files. */
  digest: z.string(),
});
export type SkillDocument = z.infer<typeof skillDocumentSchema>;

/** The origin of a skill: published over HTTP, or read from a watched directory. */
export const skillSourceSchema = z.enum(['published', 'directory']);
export type SkillSource = z.infer<typeof skillSourceSchema>;

/** A skill of the registry. Times are Unix milliseconds. */
export const skillSchema = z.object({
  skillId: z.string(),
  namespace: z.string(),
  name: z.string(),
  description: z.string(),
  /** The agent that first published it; only this agent, or an operator, may change or activate it. */
  ownerAgentId: z.string(),
  source: skillSourceSchema,
  latestVersion: z.int(),
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type Skill = z.infer<typeof skillSchema>;

/** Filters of a list of skills, which must all match. */
export const skillFilterSchema = z.object({
  query: filterTextSchema
    .optional()
    .describe('Only skills whose name or description contains this text, in any case of ASCII.'),
  state: z.enum(['active', 'inactive']).optional().describe('Only skills that are, or are not, in use as a tool.'),
  warnings: z
    .literal('some')
    .optional()
    .describe('Only skills whose latest version deviates from the Agent Skills specification.'),
});
export type SkillFilter = z.infer<typeof skillFilterSchema>;

/** A version of a skill without its document. `digest` is the document's; `createdAt` is Unix milliseconds. */
export const skillVersionSummarySchema = z.object({
  skillId: z.string(),
  version: z.int(),
  digest: z.string(),
  publishedBy: z.string(),
  createdAt: z.number(),
});
export type SkillVersionSummary = z.infer<typeof skillVersionSummarySchema>;

/** One immutable version of a skill; versions count from 1. */
export const skillVersionSchema = skillVersionSummarySchema
  .omit({ digest: true })
  .extend({ document: skillDocumentSchema });
export type SkillVersion = z.infer<typeof skillVersionSchema>;

/** An activation makes a skill the MCP tool `toolName`. A skill has at most one. Times are Unix milliseconds. */
export const activationSchema = z.object({
  activationId: z.string(),
  skillId: z.string(),
  skillName: z.string(),
  namespace: z.string(),
  toolName: z.string(),
  version: z.int(),
  agentId: z.string(),
  /** False where the tool's name was taken: the activation exists, the tool does not. */
  registered: z.boolean(),
  activatedAt: z.number(),
  expiresAt: z.number().optional(),
});
export type Activation = z.infer<typeof activationSchema>;

const toolNameLengthMax = 64;
const toolDigestLength = 8;

/**
 * The MCP tool name of a skill: `skill_` and the name, hyphens as underscores (docs/reference.md, "MCP"). Clients accept
 * `^[a-zA-Z0-9_-]{1,64}$`, so any other name becomes ASCII, is cut, and ends in a digest of the name.
 */
export function skillToolName(skillName: string): string {
  const plain = `skill_${skillName.replaceAll('-', '_')}`;
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(skillName) && plain.length <= toolNameLengthMax) return plain;
  const ascii = `skill_${skillName.normalize('NFKD').replace(/[^a-zA-Z0-9]+/g, '_')}`;
  const kept = ascii.slice(0, toolNameLengthMax - toolDigestLength - 1).replace(/_+$/, '');
  return `${kept}_${hash('sha256', skillName, 'hex').slice(0, toolDigestLength)}`;
}

/** A path of a file inside a skill's folder. */
export const skillFilePathSchema = z
  .string()
  .min(1)
  .max(255)
  .refine(
    (path) =>
      !path.startsWith('/') &&
      !path.includes('\\') &&
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression refuses control characters
      !/[\u0000-\u001f\u007f]/.test(path) &&
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a relative path with forward slashes that stays inside the skill folder',
  );

/** `PUT /v1/skills/{name}` as JSON: the SKILL.md text and the files beside it, by path. */
export const skillPublishSchema = z.strictObject({
  document: z.string().describe('The content of SKILL.md: frontmatter and instructions.'),
  files: z
    .record(
      skillFilePathSchema,
      z.union([z.string(), z.strictObject({ content: z.base64(), encoding: z.literal('base64') })]),
    )
    .default({})
    .describe('Files beside SKILL.md, by relative path: text, or `content` in base64.'),
});

/** The time to live of an activation, in whole seconds, at most a year. */
export const ttlSecondsSchema = z.int().min(1).max(skillLimits.ttlSecondsMax);

/** `POST /v1/skills/{name}/activate`. */
export const activateRequestSchema = z.strictObject({
  ttlSeconds: ttlSecondsSchema.optional(),
  version: z.int().min(1).optional().describe('The version to activate; by default the latest.'),
});

/** The arguments of a `skill_…` tool. */
export const skillToolArgumentsSchema = z.strictObject({
  arguments: z.string().max(65_536).optional(),
  file: z.string().max(1024).optional(),
  from: z.string().max(255).optional(),
});
export type SkillToolArguments = z.infer<typeof skillToolArgumentsSchema>;

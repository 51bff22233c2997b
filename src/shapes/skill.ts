/** Skills: the document of the Agent Skills specification, its versions, and its activation as an MCP tool. */
import { z } from 'zod';

/** Limits of a skill. Bytes are UTF-8. */
export const skillLimits = {
  documentBytesMax: 1_048_576,
  fileBytesMax: 1_048_576,
  filesMax: 200,
  filesBytesMax: 8_388_608,
  nameLengthMax: 64,
  descriptionLengthMax: 1024,
  /** Above the specification's limit and up to this one a description is accepted with a warning. */
  descriptionLengthTolerated: 4096,
  compatibilityLengthMax: 500,
  ttlSecondsMax: 31_536_000,
} as const;

/** The frontmatter of a SKILL.md, parsed and checked (agentskills.io specification). */
export interface SkillFrontmatter {
  name: string;
  description: string;
  license?: string;
  compatibility?: string;
  metadata?: Record<string, string>;
  /** Names of tools the skill says it needs, in the order written. Experimental in the specification. */
  allowedTools?: string[];
}

/** A file that lies beside SKILL.md. `path` is relative, with forward slashes, and never leaves the skill's folder. */
export interface SkillFile {
  path: string;
  content: string;
  /** `base64` for what is not valid UTF-8. */
  encoding: 'utf-8' | 'base64';
}

/** A parsed skill, ready to be published. `digest` is the SHA-256 (hex) of its canonical content. */
export interface SkillDocument {
  frontmatter: SkillFrontmatter;
  /** The Markdown after the frontmatter. */
  instructions: string;
  files: SkillFile[];
  digest: string;
}

/** Where a skill came from: published over HTTP, or read from a watched directory. */
export const skillSourceSchema = z.enum(['published', 'directory']);
export type SkillSource = z.infer<typeof skillSourceSchema>;

/** A skill as the registry knows it. Times are Unix milliseconds. */
export interface Skill {
  skillId: string;
  namespace: string;
  name: string;
  /** The agent that published it first; only it, or an operator, may change or activate it. */
  ownerAgentId: string;
  source: SkillSource;
  latestVersion: number;
  description: string;
  createdAt: number;
  updatedAt: number;
}

/** One immutable version of a skill; versions count from 1. */
export interface SkillVersion {
  skillId: string;
  version: number;
  document: SkillDocument;
  publishedBy: string;
  createdAt: number;
}

/** A skill in use as the MCP tool `toolName`. At most one per skill. Times are Unix milliseconds. */
export interface Activation {
  activationId: string;
  skillId: string;
  skillName: string;
  namespace: string;
  agentId: string;
  version: number;
  toolName: string;
  /** False where the tool's name was taken: the activation stands, the tool does not exist. */
  registered: boolean;
  activatedAt: number;
  expiresAt: number | undefined;
}

/** The MCP tool name of a skill: `skill_` and the name, hyphens as underscores (docs/reference.md, "MCP"). */
export function skillToolName(skillName: string): string {
  return `skill_${skillName.replaceAll('-', '_')}`;
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
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
      !/[\u0000-\u001f\u007f]/.test(path) &&
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a relative path with forward slashes that stays inside the skill folder',
  );

/** `PUT /v1/skills/{name}` as JSON: the SKILL.md text and the text files beside it, by path. */
export const skillPublishSchema = z.strictObject({
  document: z.string().describe('The whole SKILL.md, frontmatter and instructions.'),
  files: z
    .record(skillFilePathSchema, z.string())
    .default({})
    .describe('Text files that lie beside SKILL.md, by relative path.'),
});

/** Time to live of an activation in whole seconds, at most a year. */
export const ttlSecondsSchema = z.int().min(1).max(skillLimits.ttlSecondsMax);

/** `POST /v1/skills/{name}/activate`. */
export const activateRequestSchema = z.strictObject({ ttlSeconds: ttlSecondsSchema.optional() });

/** The arguments of a `skill_…` tool. */
export const skillToolArgumentsSchema = z.strictObject({
  arguments: z.string().max(65_536).optional(),
  file: z.string().max(255).optional(),
});
export type SkillToolArguments = z.infer<typeof skillToolArgumentsSchema>;

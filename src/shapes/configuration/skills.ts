/** Configuration of skills: the directories they are read from, and how strictly. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { namespaceSchema } from '../access.ts';

const skillDirectorySchema = z.strictObject({
  path: z.string().min(1).describe('A path, a path that begins with `~`, or a glob.'),
  prefix: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u, { error: 'must be up to 32 letters, digits, ".", "_" and "-"' })
    .optional()
    .describe('Put before the name of a skill whose name an earlier directory has. By default the parent folder.'),
});

const activationPatternsMax = 1000;

/** The name of a skill, or a glob of names. A character that no name has would make a pattern that never matches. */
const activationPatternSchema = z
  .string({ error: 'must be the name of a skill, or a glob' })
  .regex(/^[\p{L}\p{M}\p{N}._*?-]{1,64}$/u, {
    error: 'must be the name of a skill, or a glob: 1 to 64 letters, digits, ".", "_", "-", "*" and "?"',
  });

/** `skills` in `hestia.config.json`. */
export const skillsSchema = z
  .strictObject({
    directories: z
      .array(z.union([z.string().min(1), skillDirectorySchema]))
      .default([])
      .describe(
        'Folders that contain skills, at any place up to 10 folders deep: paths, paths that begin with `~`, or globs. The hub watches them.',
      ),
    linkTargets: z
      .array(z.string().min(1))
      .default([])
      .describe('Folders outside `directories` that symbolic links in them may lead to.'),
    graceSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe('Seconds that the folder of a skill may be missing before the skill is retired.'),
    namespace: namespaceSchema.default('default').describe('The namespace that skills from directories belong to.'),
    autoActivate: z
      .boolean()
      .default(false)
      .describe('A call of a published skill that is not active activates it. Any caller of its namespace may do so.'),
    activate: z
      .array(activationPatternSchema)
      .max(activationPatternsMax)
      .default([])
      .describe(
        'Names of skills of `skills.namespace` that are always active, or globs: `*` matches any text, `?` one character. Activated at the start and with each new version; what somebody activates or deactivates stays as it is until then.',
      ),
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse skills that deviate from the Agent Skills specification instead of warning about them.'),
  })
  .prefault({});

/** The configuration of skills. Directories and link targets are absolute paths; a directory may be a glob. */
export type SkillsConfiguration = Omit<z.infer<typeof skillsSchema>, 'directories'> & {
  directories: { path: string; prefix?: string | undefined }[];
};

/** Resolves paths against the folder of the configuration file, and `~` to the home folder. */
export function skillsConfiguration(
  skills: z.infer<typeof skillsSchema>,
  { folder, home }: { folder: string; home: string },
): SkillsConfiguration {
  const absolute = (path: string) =>
    resolve(
      folder,
      path.replace(/^~(?=\/|$)/, () => home),
    );
  return {
    ...skills,
    directories: skills.directories.map((directory) =>
      typeof directory === 'string' ? { path: absolute(directory) } : { ...directory, path: absolute(directory.path) },
    ),
    linkTargets: skills.linkTargets.map(absolute),
  };
}

/**
 * One use of a skill: instructions with arguments for placeholders, and the file that a link names.
 * Placeholders are those of Claude Code (code.claude.com/docs/en/skills, "Available string substitutions"). Pure.
 */
import { posix } from 'node:path';
import type { SkillDocument, SkillFile } from '../../shapes/skill.ts';
import { skillFileName } from './document.ts';

/** Instructions, and whether a placeholder was replaced by the arguments. */
export interface PreparedInstructions {
  text: string;
  substituted: boolean;
}

/**
 * Replaces `$ARGUMENTS`, `$ARGUMENTS[0]`, `$0`, and `$name` for each name that the frontmatter declares in `arguments`. The
 * arguments are split as a shell splits them. A placeholder of an argument that was not given, and one after a backslash or
 * inside a word such as `$B$2`, is left as it is.
 */
export function prepareInstructions(
  { instructions, attributes }: Pick<SkillDocument, 'instructions' | 'attributes'>,
  text: string | undefined,
): PreparedInstructions {
  const values = splitArguments(text ?? '');
  const names = declaredNames(attributes.arguments);
  let substituted = false;
  const replaced = instructions.replace(
    /(\\?)(?<![\w$])\$(?:(ARGUMENTS)(?:\[(\d{1,3})\])?|(\d{1,3})|([A-Za-z_][\w-]*))(?![\w$])/g,
    (written, backslash: string, all?: string, indexed?: string, short?: string, name?: string) => {
      const index = indexed ?? short;
      const position = index === undefined ? names.indexOf(name ?? '') : Number(index);
      const value = all !== undefined && indexed === undefined ? (text ?? '') : values[position];
      if (value === undefined) return written;
      if (backslash !== '') return written.slice(1);
      substituted = true;
      return value;
    },
  );
  return { text: replaced, substituted };
}

/** The declared names of arguments, in order: a list, or text that separates them by spaces. */
function declaredNames(declared: unknown): string[] {
  const names = typeof declared === 'string' ? declared.split(/[\s,]+/) : declared;
  return Array.isArray(names) ? names.map(String) : [];
}

function splitArguments(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double?.replace(/\\(.)/g, '$1') ?? single ?? plain ?? '',
  );
}

/**
 * The file of a skill that a path or link names: relative to the folder of the file `from`, or else to the skill's folder. An
 * anchor and percent-encoding are understood. A path out of the folder names no file.
 */
export function findSkillFile(
  { files, source }: Pick<SkillDocument, 'files' | 'source'>,
  path: string,
  from = skillFileName,
): SkillFile | undefined {
  const all = [{ path: skillFileName, content: source, encoding: 'utf-8' as const }, ...files];
  const link = decoded(path.replace(/[?#].*$/, ''));
  const candidates = [path, posix.join(posix.dirname(from), link), posix.normalize(link)];
  for (const candidate of candidates) {
    const file = all.find((one) => one.path === candidate);
    if (file !== undefined) return file;
  }
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The frontmatter of a SKILL.md against the Agent Skills specification: every rule checked, every violation named.
 * Knows text only: neither files nor folders, nor what becomes of a skill.
 */
import { parseDocument, type YAMLError } from 'yaml';
import type { Violation } from '../../shapes/error.ts';
import { type SkillFrontmatter, skillLimits } from '../../shapes/skill.ts';
import { printable, truncated } from '../../shapes/text.ts';

/**
 * Where violations are collected. `field` is ours or already made printable by {@link shown}.
 */
export type ReportViolation = (field: string, message: string) => void;

/** Frontmatter is at most this many UTF-16 units long: the YAML parser's time grows with the square of the key count. */
export const frontmatterLengthMax = 16_384;

const foundLengthMax = 80;
const yamlErrorsMax = 5;
const fieldsAllowed = ['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools'];

/** Text from outside as it may stand in a violation: printable, at most 80 UTF-16 units. */
export function shown(text: string): string {
  return truncated(printable(text), foundLengthMax);
}

/**
 * Parses and checks the YAML between the two `---` lines.
 * @param folderName the name of the skill's folder, which must equal the skill's; undefined where there is no folder.
 * @returns undefined where a violation was reported. All of them are reported, not only the first.
 * Source: agentskills.io/specification; in doubt its reference validator, skills-ref.
 */
export function parseFrontmatter(
  yaml: string,
  folderName: string | undefined,
  report: ReportViolation,
): SkillFrontmatter | undefined {
  let intact = true;
  const reportHere: ReportViolation = (field, message) => {
    intact = false;
    report(field, message);
  };
  const fields = parseYaml(yaml, reportHere);
  if (fields === undefined) return undefined;
  for (const key of fields.keys()) {
    if (!fieldsAllowed.includes(key)) {
      reportHere('frontmatter', `found the unknown key "${shown(key)}", allowed are ${fieldsAllowed.join(', ')}`);
    }
  }
  const name = checkName(fields.get('name'), folderName, reportHere);
  const description = checkDescription(fields.get('description'), reportHere);
  const license = checkText('license', fields.get('license'), reportHere);
  const compatibility = checkCompatibility(fields.get('compatibility'), reportHere);
  const metadata = checkMetadata(fields.get('metadata'), reportHere);
  const allowedTools = checkAllowedTools(fields.get('allowed-tools'), reportHere);
  if (!intact || name === undefined || description === undefined) return undefined;
  return {
    name,
    description,
    ...(license ? { license } : {}),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(allowedTools === undefined ? {} : { allowedTools }),
  };
}

/**
 * The failsafe schema leaves every scalar the text it was written as, so `version: 1.0` stays "1.0".
 * Aliases and tags are refused, as the reference validator's strict YAML refuses them.
 */
function parseYaml(yaml: string, report: ReportViolation): Map<string, unknown> | undefined {
  if (yaml.length > frontmatterLengthMax) {
    report('frontmatter', `found ${yaml.length} characters, at most ${frontmatterLengthMax} are allowed`);
    return undefined;
  }
  // The parser ends the document at such a line and says nothing of what follows.
  if (/^\.\.\.(?:\s|$)/m.test(yaml)) {
    report('frontmatter', 'found a line "..." that ends the YAML early, allowed is one mapping');
    return undefined;
  }
  // The line break stands for the opening `---`, so that lines are counted as in the file.
  const document = parseDocument(`\n${yaml}`, {
    version: '1.2',
    schema: 'failsafe',
    resolveKnownTags: false,
    merge: false,
    stringKeys: true,
    uniqueKeys: true,
    strict: true,
    prettyErrors: true,
    logLevel: 'silent',
  });
  const errors: YAMLError[] = [...document.errors, ...document.warnings];
  for (const error of errors.slice(0, yamlErrorsMax)) {
    const reason = error.message.split(':\n')[0] ?? error.code;
    report('frontmatter', `found YAML that does not parse: ${truncated(printable(reason), 160)}`);
  }
  if (errors.length > 0) return undefined;
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch {
    report('frontmatter', 'found a YAML alias, allowed are plain values only');
    return undefined;
  }
  const fields = entriesOf(value);
  if (fields === undefined) {
    report('frontmatter', `found ${described(value)}, must be a mapping with the keys name and description`);
    return undefined;
  }
  return new Map(fields);
}

function checkName(value: unknown, folderName: string | undefined, report: ReportViolation): string | undefined {
  const rule = `must be 1 to ${skillLimits.nameLengthMax} lowercase letters, digits and hyphens`;
  if (value === undefined) {
    report('name', `is missing, ${rule}`);
    return undefined;
  }
  if (typeof value !== 'string' || value.trim() === '') {
    report('name', `found ${described(value)}, ${rule}`);
    return undefined;
  }
  const name = value.trim().normalize('NFKC');
  const refuse = (allowed: string) => report('name', `found "${shown(name)}", ${allowed}`);
  const length = lengthOf(name);
  if (length > skillLimits.nameLengthMax) {
    refuse(`of ${length} characters, at most ${skillLimits.nameLengthMax} are allowed`);
  }
  if (name !== name.toLowerCase()) refuse('must be lowercase');
  if (!/^[\p{L}\p{N}-]+$/u.test(name)) refuse('only letters, digits and hyphens are allowed');
  if (name.startsWith('-') || name.endsWith('-')) refuse('must not begin or end with a hyphen');
  if (name.includes('--')) refuse('must not hold two hyphens in a row');
  if (folderName !== undefined && folderName.normalize('NFKC') !== name) {
    refuse(`must equal the name of its folder, "${shown(folderName)}"`);
  }
  return name;
}

function checkDescription(value: unknown, report: ReportViolation): string | undefined {
  const rule = `must be 1 to ${skillLimits.descriptionLengthMax} characters of text`;
  if (value === undefined) {
    report('description', `is missing, ${rule}`);
    return undefined;
  }
  const description = checkText('description', value, report)?.trim();
  if (description === undefined) return undefined;
  const length = lengthOf(description);
  if (length === 0) report('description', `found nothing, ${rule}`);
  if (length > skillLimits.descriptionLengthTolerated) report('description', `found ${length} characters, ${rule}`);
  return description;
}

/** Violations that do not keep a skill from being published: descriptions of well-known skills are over the limit. */
export function frontmatterWarnings({ description }: SkillFrontmatter): Violation[] {
  const length = lengthOf(description);
  if (length <= skillLimits.descriptionLengthMax) return [];
  const message = `found ${length} characters, the specification allows ${skillLimits.descriptionLengthMax}; other hosts may refuse it`;
  return [{ field: 'description', message }];
}

function checkCompatibility(value: unknown, report: ReportViolation): string | undefined {
  const compatibility = checkText('compatibility', value, report)?.trim();
  if (compatibility === undefined) return undefined;
  const length = lengthOf(compatibility);
  if (length === 0 || length > skillLimits.compatibilityLengthMax) {
    const found = length === 0 ? 'nothing' : `${length} characters`;
    report(
      'compatibility',
      `found ${found}, must be 1 to ${skillLimits.compatibilityLengthMax} characters, or left out`,
    );
  }
  return compatibility;
}

function checkMetadata(value: unknown, report: ReportViolation): Record<string, string> | undefined {
  if (value === undefined || value === '') return undefined;
  const entries = entriesOf(value);
  if (entries === undefined) {
    report('metadata', `found ${described(value)}, must be a mapping from text to text`);
    return undefined;
  }
  return Object.fromEntries(
    entries.map(([key, item]) => {
      checkText('metadata', key, report);
      return [key, checkText(`metadata.${shown(key)}`, item, report) ?? ''];
    }),
  );
}

/** The specification wants one text separated by blanks; many skills write commas, or a YAML list. */
function checkAllowedTools(value: unknown, report: ReportViolation): string[] | undefined {
  if (value === undefined || value === '') return undefined;
  if (!Array.isArray(value)) {
    const text = checkText('allowed-tools', value, report);
    // Blanks inside parentheses belong to the tool: `Bash(git add:*)`.
    return text === undefined ? undefined : (text.trim().match(/(?:[^\s,(]|\([^)]*\)?)+/g) ?? []);
  }
  return value.map((item: unknown, index) => {
    const tool = checkText(`allowed-tools.${index}`, item, report)?.trim();
    if (tool === '') report(`allowed-tools.${index}`, "found nothing, must be a tool's name");
    return tool ?? '';
  });
}

/** Text that may be logged, hashed and stored: YAML escapes can bring in what the file itself may not hold. */
function checkText(field: string, value: unknown, report: ReportViolation): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    report(field, `found ${described(value)}, must be text`);
    return undefined;
  }
  const control = findControlCharacter(value);
  if (control !== undefined) report(field, `found ${control}, only newline, carriage return and tab are allowed`);
  if (!value.isWellFormed()) report(field, 'found half a surrogate pair, must be well-formed Unicode');
  return value;
}

/** The first C0 control character besides newline, carriage return and tab, as `the control character U+0000`. */
export function findControlCharacter(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for here
  const code = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.exec(text)?.[0].charCodeAt(0);
  return code === undefined ? undefined : `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  if (!(value instanceof Map)) return undefined;
  const map: Map<unknown, unknown> = value;
  return [...map].map(([key, item]) => [String(key), item]);
}

/** Characters as the specification and its validator count them: code points. */
function lengthOf(text: string): number {
  return [...text].length;
}

function described(value: unknown): string {
  if (value === null || value === undefined || (typeof value === 'string' && value.trim() === '')) return 'nothing';
  if (value instanceof Map) return 'a mapping';
  if (Array.isArray(value)) return 'a list';
  return `"${shown(String(value))}"`;
}

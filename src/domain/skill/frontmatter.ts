/**
 * The parser of SKILL.md frontmatter, which checks every rule of the Agent Skills specification.
 * Reports all violations at once. Pure.
 */
import { parseDocument, type YAMLError } from 'yaml';
import type { Violation } from '../../shapes/error.ts';
import { type SkillFrontmatter, skillLimits } from '../../shapes/skill.ts';
import { printable, truncated } from '../../shapes/text.ts';

/** Reports one violation. `field` contains only fixed names and text made printable by {@link printableExcerpt}. */
export type ReportViolation = (field: string, message: string) => void;

/** The length limit of frontmatter, in UTF-16 units. The YAML parser takes quadratic time in the number of keys. */
export const frontmatterLengthMax = 16_384;

const foundLengthMax = 80;
const yamlErrorsMax = 5;
const fieldsAllowed = ['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools'];

/** Escapes and truncates untrusted text for a violation: printable, at most 80 UTF-16 units. */
export function printableExcerpt(text: string): string {
  return truncated(printable(text), foundLengthMax);
}

/**
 * Parses and checks the YAML between the two `---` lines. Reports every violation, not only the first.
 * Source: agentskills.io/specification and, where it is ambiguous, its reference validator skills-ref.
 * @param folderName the name of the skill's folder, which the skill's name must equal; undefined without a folder
 * @returns undefined if a violation was reported
 */
export function parseFrontmatter(
  yaml: string,
  folderName: string | undefined,
  report: ReportViolation,
): SkillFrontmatter | undefined {
  let valid = true;
  const reportInvalid: ReportViolation = (field, message) => {
    valid = false;
    report(field, message);
  };
  const fields = parseYaml(yaml, reportInvalid);
  if (fields === undefined) return undefined;
  for (const key of fields.keys()) {
    if (!fieldsAllowed.includes(key)) {
      reportInvalid(
        'frontmatter',
        `found the unknown key "${printableExcerpt(key)}", allowed are ${fieldsAllowed.join(', ')}`,
      );
    }
  }
  const name = checkName(fields.get('name'), folderName, reportInvalid);
  const description = checkDescription(fields.get('description'), reportInvalid);
  const license = checkText('license', fields.get('license'), reportInvalid);
  const compatibility = checkCompatibility(fields.get('compatibility'), reportInvalid);
  const metadata = checkMetadata(fields.get('metadata'), reportInvalid);
  const allowedTools = checkAllowedTools(fields.get('allowed-tools'), reportInvalid);
  if (!valid || name === undefined || description === undefined) return undefined;
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
 * Parses a YAML mapping. The failsafe schema keeps every scalar as text, so `version: 1.0` remains "1.0".
 * Aliases and tags are rejected, as in the strict YAML of the reference validator.
 */
function parseYaml(yaml: string, report: ReportViolation): Map<string, unknown> | undefined {
  if (yaml.length > frontmatterLengthMax) {
    report('frontmatter', `found ${yaml.length} characters, at most ${frontmatterLengthMax} are allowed`);
    return undefined;
  }
  // The parser would end the document at such a line and silently ignore the rest.
  if (/^\.\.\.(?:\s|$)/m.test(yaml)) {
    report('frontmatter', 'found a line "..." that ends the YAML early, allowed is one mapping');
    return undefined;
  }
  // The line break takes the place of the opening `---`, so that line numbers match the file.
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
    report('frontmatter', `found ${describeValue(value)}, must be a mapping with the keys name and description`);
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
    report('name', `found ${describeValue(value)}, ${rule}`);
    return undefined;
  }
  const name = value.trim().normalize('NFKC');
  const refuse = (allowed: string) => report('name', `found "${printableExcerpt(name)}", ${allowed}`);
  const length = lengthOf(name);
  if (length > skillLimits.nameLengthMax) {
    refuse(`of ${length} characters, at most ${skillLimits.nameLengthMax} are allowed`);
  }
  if (name !== name.toLowerCase()) refuse('must be lowercase');
  if (!/^[\p{L}\p{N}-]+$/u.test(name)) refuse('only letters, digits and hyphens are allowed');
  if (name.startsWith('-') || name.endsWith('-')) refuse('must not begin or end with a hyphen');
  if (name.includes('--')) refuse('must not hold two hyphens in a row');
  if (folderName !== undefined && folderName.normalize('NFKC') !== name) {
    refuse(`must equal the name of its folder, "${printableExcerpt(folderName)}"`);
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

/** Violations that do not prevent publication. Descriptions of some well-known skills are over the limit. */
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
    report('metadata', `found ${describeValue(value)}, must be a mapping from text to text`);
    return undefined;
  }
  return Object.fromEntries(
    entries.map(([key, item]) => {
      checkText('metadata', key, report);
      return [key, checkText(`metadata.${printableExcerpt(key)}`, item, report) ?? ''];
    }),
  );
}

/** The specification requires space-separated text. Commas and YAML lists are common and accepted too. */
function checkAllowedTools(value: unknown, report: ReportViolation): string[] | undefined {
  if (value === undefined || value === '') return undefined;
  if (!Array.isArray(value)) {
    const text = checkText('allowed-tools', value, report);
    // Spaces inside parentheses are part of the tool, as in `Bash(git add:*)`.
    return text === undefined ? undefined : (text.trim().match(/(?:[^\s,(]|\([^)]*\)?)+/g) ?? []);
  }
  return value.map((item: unknown, index) => {
    const tool = checkText(`allowed-tools.${index}`, item, report)?.trim();
    if (tool === '') report(`allowed-tools.${index}`, "found nothing, must be a tool's name");
    return tool ?? '';
  });
}

/** Checks that a value is text that may be logged, hashed and stored. YAML escapes can produce control characters. */
function checkText(field: string, value: unknown, report: ReportViolation): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    report(field, `found ${describeValue(value)}, must be text`);
    return undefined;
  }
  const control = findControlCharacter(value);
  if (control !== undefined) report(field, `found ${control}, only newline, carriage return and tab are allowed`);
  if (!value.isWellFormed()) report(field, 'found half a surrogate pair, must be well-formed Unicode');
  return value;
}

/** The first C0 control character besides newline, carriage return and tab, as `the control character U+0000`. */
export function findControlCharacter(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches control characters on purpose
  const code = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.exec(text)?.[0].charCodeAt(0);
  return code === undefined ? undefined : `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  if (!(value instanceof Map)) return undefined;
  const map: Map<unknown, unknown> = value;
  return [...map].map(([key, item]) => [String(key), item]);
}

/** The length in code points, which is what the specification and its validator count. */
function lengthOf(text: string): number {
  return [...text].length;
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined || (typeof value === 'string' && value.trim() === '')) return 'nothing';
  if (value instanceof Map) return 'a mapping';
  if (Array.isArray(value)) return 'a list';
  return `"${printableExcerpt(String(value))}"`;
}

/**
 * The parser of SKILL.md frontmatter, checked against the Agent Skills specification.
 * Lenient: what clients load is kept, with a warning for each deviation. Reports all violations at once. Pure.
 */
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { type SkillFrontmatter, skillLimits } from '../../shapes/skill.ts';
import { printable, truncated } from '../../shapes/text.ts';
import { readFrontmatterYaml } from './frontmatter-yaml.ts';
import { nameViolations, normalisedName, registryName } from './name.ts';

/** Reports one violation. `field` contains only fixed names and text made printable by {@link printableExcerpt}. */
export type ReportViolation = (field: string, message: string) => void;

/** Where the parser reports. */
export interface SkillReport {
  /** Called for what prevents publication. */
  violation: ReportViolation;
  /** Called for a deviation from the specification. In strict mode it prevents publication too. */
  warning: ReportViolation;
  /** Called for a deviation that never prevents publication. */
  notice: ReportViolation;
}

const foundLengthMax = 80;
const unknownKeysNamedMax = 10;
/** In strict mode, a longer description is refused. */
const descriptionLengthTolerated = 4096;
const specifiedKeys = new Set(['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools']);

/** Escapes and truncates untrusted text for a violation: printable, at most 80 UTF-16 units. */
export function printableExcerpt(text: string): string {
  return truncated(printable(text), foundLengthMax);
}

/** Parsed frontmatter: as the hub uses it, and every key as written. */
export interface ParsedFrontmatter {
  frontmatter: SkillFrontmatter;
  attributes: JsonObject;
}

/**
 * Parses and checks the YAML between the two `---` lines.
 * Sources: agentskills.io/specification, its reference validator skills-ref, and its guide for clients.
 * @param folderName the name of the skill's folder, which is the name of the skill; undefined without a folder
 * @returns undefined if a violation was reported
 */
export function parseFrontmatter(
  yaml: string,
  folderName: string | undefined,
  report: SkillReport,
): ParsedFrontmatter | undefined {
  const { attributes, problems } = readFrontmatterYaml(yaml);
  if (attributes === undefined) {
    const reasons = problems.length > 0 ? problems : ['must be a mapping with the keys name and description'];
    for (const reason of reasons) report.violation('frontmatter', reason);
    return undefined;
  }
  for (const problem of problems) report.warning('frontmatter', `${problem}; it was read line by line`);
  reportUnknownKeys(attributes, report);
  const name = checkName(own(attributes, 'name'), folderName, report);
  const description = checkDescription(own(attributes, 'description'), report);
  const license = checkText('license', own(attributes, 'license'), report);
  const compatibility = checkCompatibility(own(attributes, 'compatibility'), report);
  const metadata = checkMetadata(own(attributes, 'metadata'), report);
  const allowedTools = checkAllowedTools(own(attributes, 'allowed-tools'), report);
  if (name === undefined || description === undefined) return undefined;
  const frontmatter = {
    name,
    description,
    ...(license ? { license } : {}),
    ...(compatibility ? { compatibility } : {}),
    ...(metadata === undefined ? {} : { metadata }),
    ...(allowedTools === undefined ? {} : { allowedTools }),
  };
  return { frontmatter, attributes };
}

function own(attributes: JsonObject, key: string): unknown {
  return Object.hasOwn(attributes, key) ? attributes[key] : undefined;
}

function reportUnknownKeys(attributes: JsonObject, report: SkillReport): void {
  const unknown = Object.keys(attributes).filter((key) => !specifiedKeys.has(key));
  for (const key of unknown.slice(0, unknownKeysNamedMax)) {
    report.warning('frontmatter', `found the key "${printableExcerpt(key)}", which the specification does not have`);
  }
  const more = unknown.length - unknownKeysNamedMax;
  if (more > 0) report.warning('frontmatter', `found ${more} more keys that the specification does not have`);
}

/** The name in the registry: the folder's, or without a folder the written one. */
function checkName(value: unknown, folderName: string | undefined, report: SkillReport): string | undefined {
  const written = typeof value === 'string' || typeof value === 'number' ? normalisedName(String(value)) : '';
  const rule = `must be 1 to ${skillLimits.nameLengthMax} lowercase letters, digits and hyphens`;
  const name = registryName(folderName ?? written);
  if (name === undefined) {
    const found = folderName === undefined ? describeValue(value) : `the folder "${printableExcerpt(folderName)}"`;
    report.violation(
      'name',
      value === undefined && folderName === undefined ? `is missing, ${rule}` : `found ${found}, ${rule}`,
    );
    return undefined;
  }
  const used = `the skill is named "${name}"`;
  if (written === '') {
    report.warning(
      'name',
      value === undefined ? `is missing; ${used} after its folder` : `found ${describeValue(value)}, ${rule}; ${used}`,
    );
    return name;
  }
  for (const violation of nameViolations(written)) {
    report.warning('name', `found "${printableExcerpt(written)}", ${violation}; ${used}`);
  }
  if (folderName !== undefined && normalisedName(folderName) !== written) {
    report.warning(
      'name',
      `found "${printableExcerpt(written)}", must equal the name of its folder, "${printableExcerpt(folderName)}"; ${used}`,
    );
  } else if (name !== written && nameViolations(written).length === 0) {
    report.warning('name', `found "${printableExcerpt(written)}"; ${used}`);
  }
  return name;
}

function checkDescription(value: unknown, report: SkillReport): string | undefined {
  const { descriptionLengthMax } = skillLimits;
  const rule = `must be 1 to ${descriptionLengthMax} characters of text`;
  const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!isText || String(value).trim() === '') {
    report.violation(
      'description',
      value === undefined ? `is missing, ${rule}` : `found ${describeValue(value)}, ${rule}`,
    );
    return undefined;
  }
  const description = String(value).trim();
  if (!checkCharacters('description', description, report)) return undefined;
  if (typeof value !== 'string') report.warning('description', `found ${describeValue(value)}, must be text`);
  const length = lengthOf(description);
  if (length > descriptionLengthMax) {
    const refuse = length > descriptionLengthTolerated ? report.warning : report.notice;
    refuse(
      'description',
      `found ${length} characters, the specification allows ${descriptionLengthMax}; other hosts may refuse it`,
    );
  }
  return description;
}

function checkCompatibility(value: unknown, report: SkillReport): string | undefined {
  const compatibility = checkText('compatibility', value, report)?.trim();
  if (compatibility === undefined || value === null) return undefined;
  const length = lengthOf(compatibility);
  if (length === 0 || length > skillLimits.compatibilityLengthMax) {
    const found = length === 0 ? 'nothing' : `${length} characters`;
    report.warning(
      'compatibility',
      `found ${found}, must be 1 to ${skillLimits.compatibilityLengthMax} characters, or left out`,
    );
  }
  return compatibility;
}

function checkMetadata(value: unknown, report: SkillReport): JsonObject | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (!isJsonObject(value)) {
    report.warning('metadata', `found ${describeValue(value)}, must be a mapping from text to text`);
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'string' || item === null) continue;
    const refuse = typeof item === 'object' ? report.warning : report.notice;
    refuse(`metadata.${printableExcerpt(key)}`, `found ${describeValue(item)}, must be text`);
  }
  return value;
}

/** The specification requires space-separated text. Commas and YAML lists are common and accepted too. */
function checkAllowedTools(value: unknown, report: SkillReport): string[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (!Array.isArray(value)) {
    // Spaces inside parentheses are part of the tool, as in `Bash(git add:*)`.
    return (
      checkText('allowed-tools', value, report)
        ?.trim()
        .match(/(?:[^\s,(]|\([^)]*\)?)+/g) ?? undefined
    );
  }
  return value.flatMap((item: unknown, index) => {
    if (typeof item === 'string' && item.trim() !== '') return [item.trim()];
    report.warning(`allowed-tools.${index}`, `found ${describeValue(item)}, must be a tool's name`);
    return [];
  });
}

/** The value if it is text that may be shown. Anything else is reported and left to the verbatim attributes. */
function checkText(field: string, value: unknown, report: SkillReport): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    report.warning(field, `found ${describeValue(value)}, must be text`);
    return undefined;
  }
  return checkCharacters(field, value, report) ? value : undefined;
}

/** Reports control characters and half surrogate pairs, which YAML escapes can produce, and which a terminal obeys. */
function checkCharacters(field: string, text: string, report: SkillReport): boolean {
  const control = findControlCharacter(text);
  if (control !== undefined) {
    report.violation(field, `found ${control}, only newline, carriage return and tab are allowed`);
  }
  if (!text.isWellFormed()) report.violation(field, 'found half a surrogate pair, must be well-formed Unicode');
  return control === undefined && text.isWellFormed();
}

/** The first C0 control character besides newline, carriage return and tab, as `the control character U+0000`. */
export function findControlCharacter(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches control characters on purpose
  const code = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.exec(text)?.[0].charCodeAt(0);
  return code === undefined ? undefined : `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The length in code points, which is what the specification and its validator count. */
function lengthOf(text: string): number {
  return [...text].length;
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined || (typeof value === 'string' && value.trim() === '')) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return `"${printableExcerpt(String(value))}"`;
}

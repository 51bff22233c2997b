/**
 * The parser of skills: SKILL.md and its files, checked against the Agent Skills specification.
 * Reports all violations at once. Pure.
 */
import { hash } from 'node:crypto';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import {
  type SkillDocument,
  type SkillFile,
  type SkillFrontmatter,
  skillFilePathSchema,
  skillLimits,
} from '../../shapes/skill.ts';
import { fileDigest, rememberFileDigest } from '../../stores/skill/file-digest.ts';
import {
  findControlCharacter,
  parseFrontmatter,
  printableExcerpt,
  type ReportViolation,
  type SkillReport,
} from './frontmatter.ts';

/** The name of the file that makes a folder a skill. */
export const skillFileName = 'SKILL.md';

/** The input of {@link parseSkillDocument}. */
export interface SkillDocumentSource {
  /** The content of SKILL.md. Bytes must be UTF-8. A byte order mark and CRLF line endings are accepted. */
  document: Uint8Array | string;
  /** The other files of the skill, in any order. */
  files: readonly SkillFile[];
  /** The name of the skill's folder, if it has one. It is the name of the skill. */
  folderName?: string | undefined;
  /** The name in the registry, where another skill has that of the folder. */
  name?: string | undefined;
  /** Violations found while the files were read, reported together with the others. */
  violations?: readonly Violation[];
  /** Deviations found while the files were read. */
  warnings?: readonly Violation[];
  /** Refuse every deviation from the specification. */
  strict?: boolean;
}

/**
 * Parses a skill and checks it against the Agent Skills specification and `skillLimits`. Deviations that clients
 * tolerate become warnings. The bytes are kept as they are; files are sorted by path.
 * @throws HestiaError PAYLOAD_TOO_LARGE if SKILL.md is over its limit, INVALID_SKILL with all violations otherwise
 */
export function parseSkillDocument(input: SkillDocumentSource): SkillDocument {
  if (byteLengthOf(input.document) > skillLimits.documentBytesMax) {
    const limit = `found more than the ${skillLimits.documentBytesMax} bytes that are allowed`;
    throw new HestiaError('PAYLOAD_TOO_LARGE', `${skillFileName}: ${limit}`, {
      violations: [{ field: 'document', message: limit }],
    });
  }
  const violations: Violation[] = [...(input.violations ?? [])];
  const warnings: Violation[] = [...(input.warnings ?? [])];
  const report = reportTo({ violations, warnings, strict: input.strict ?? false });
  const source = decode(input.document, report.violation);
  const parts = source === undefined ? undefined : splitFrontmatter(textOf(source, report), report.violation);
  const parsed = parts === undefined ? undefined : parseFrontmatter(parts.yaml, input.folderName, report);
  checkFiles(input.files, byteLengthOf(input.document), report.violation);
  if (violations.length > 0 || source === undefined || parts === undefined || parsed === undefined) {
    throw invalidSkill(violations);
  }
  const { instructions } = parts;
  const frontmatter = named(parsed.frontmatter, input.name, report);
  const files = input.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    ...parsed,
    frontmatter,
    instructions,
    source,
    files,
    warnings: warnings.slice(0, warningsMax),
    digest: digestOf(source, files),
  };
}

function named(frontmatter: SkillFrontmatter, name: string | undefined, report: SkillReport): SkillFrontmatter {
  if (name === undefined || name === frontmatter.name) return frontmatter;
  report.notice('name', `another skill is named "${frontmatter.name}"; this skill is named "${name}"`);
  return { ...frontmatter, name };
}

const warningsMax = 50;

function reportTo({
  violations,
  warnings,
  strict,
}: {
  violations: Violation[];
  warnings: Violation[];
  strict: boolean;
}): SkillReport {
  const addTo =
    (list: Violation[]): ReportViolation =>
    (field, message) =>
      list.push({ field, message });
  return {
    violation: addTo(violations),
    warning: addTo(strict ? violations : warnings),
    notice: addTo(warnings),
  };
}

/** A file of a skill with these bytes: as text if they are UTF-8, so that they are scanned, else in base64. */
export function skillFile(path: string, bytes: Buffer): SkillFile {
  const content = decodeUtf8(bytes);
  const file: SkillFile =
    content === undefined
      ? { path, content: bytes.toString('base64'), encoding: 'base64' }
      : { path, content, encoding: 'utf-8' };
  rememberFileDigest(file, bytes);
  return file;
}

/** The error for a skill that violates the specification. The message contains the first violation and their count. */
export function invalidSkill(violations: readonly Violation[], cause?: unknown): HestiaError {
  const first = violations[0];
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const reason = first === undefined ? 'it breaks the specification' : `${first.field}: ${first.message}${more}`;
  return new HestiaError('INVALID_SKILL', `the skill is not valid: ${reason}`, { violations, cause });
}

function byteLengthOf(document: Uint8Array | string): number {
  return typeof document === 'string' ? Buffer.byteLength(document, 'utf8') : document.byteLength;
}

function decode(document: Uint8Array | string, report: ReportViolation): string | undefined {
  const text = typeof document === 'string' ? document : decodeUtf8(document);
  if (text === undefined) report('document', 'found bytes that are not UTF-8, must be UTF-8 text');
  if (text?.isWellFormed() !== false) return text;
  report('document', 'found half a surrogate pair, must be well-formed Unicode');
  return undefined;
}

/** The text without byte order mark, and with LF line endings. */
function textOf(source: string, report: SkillReport): string {
  const control = findControlCharacter(source);
  if (control !== undefined) {
    report.warning('document', `found ${control}, only newline, carriage return and tab are expected`);
  }
  return source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Splits a document into the YAML between the two `---` lines and the Markdown after them. */
function splitFrontmatter(text: string, report: ReportViolation): { yaml: string; instructions: string } | undefined {
  const opening = /^---[ \t]*\n/.exec(text);
  if (opening === null) {
    report('frontmatter', 'is missing, the file must begin with a line "---"');
    return undefined;
  }
  const rest = text.slice(opening[0].length);
  const closing = /^---[ \t]*(?:\n|$)/m.exec(rest);
  if (closing === null) {
    report('frontmatter', 'is not closed, a second line "---" must follow it');
    return undefined;
  }
  const body = rest.slice(closing.index + closing[0].length);
  return { yaml: rest.slice(0, closing.index), instructions: body.replace(/^(?:[ \t]*\n)+/, '').trimEnd() };
}

function checkFiles(files: readonly SkillFile[], documentBytes: number, report: ReportViolation): void {
  if (files.length + 1 > skillLimits.filesMax) {
    report('files', `found more than the ${skillLimits.filesMax} files that are allowed, ${skillFileName} included`);
  }
  const paths = new Set([skillFileName]);
  let bytesTotal = documentBytes;
  for (const file of files) {
    const field = `files/${printableExcerpt(file.path)}`;
    const parsed = skillFilePathSchema.safeParse(file.path);
    if (!parsed.success) report(field, parsed.error.issues[0]?.message ?? 'must be a relative path');
    if (paths.has(file.path)) report(field, 'found this path twice, each must be unique');
    paths.add(file.path);
    bytesTotal += Buffer.byteLength(file.content, file.encoding);
    if (!file.content.isWellFormed()) report(field, 'found half a surrogate pair, must be well-formed Unicode');
  }
  if (bytesTotal > skillLimits.bytesMax) {
    report('files', `found more than the ${skillLimits.bytesMax} bytes that are allowed for all files together`);
  }
}

/** SHA-256 (hex) of the lines `<SHA-256 of the bytes> <path>` of all files, SKILL.md first and then by path. */
function digestOf(source: string, files: readonly SkillFile[]): string {
  const lines = [{ path: skillFileName, content: source, encoding: 'utf-8' as const }, ...files].map(
    (file) => `${fileDigest(file)} ${file.path}\n`,
  );
  return hash('sha256', lines.join(''), 'hex');
}

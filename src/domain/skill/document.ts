/**
 * A SKILL.md and the files beside it, from bytes to a checked {@link SkillDocument}, all violations named at once.
 * Pure: knows neither where the bytes came from nor who wants them.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import { type SkillDocument, type SkillFile, skillFilePathSchema, skillLimits } from '../../shapes/skill.ts';
import { findControlCharacter, parseFrontmatter, type ReportViolation, shown } from './frontmatter.ts';

/** The name of the file that makes a folder a skill. */
export const skillFileName = 'SKILL.md';

/** What {@link parseSkillDocument} reads. */
export interface SkillDocumentSource {
  /** The whole SKILL.md; bytes must be UTF-8. A byte order mark and CRLF line ends are accepted. */
  document: Uint8Array | string;
  /** The files beside it, in any order. */
  files: readonly SkillFile[];
  /** The name of the skill's folder, where it has one; the skill must have the same name. */
  folderName?: string;
  /** Violations met while the files were read, to be reported with the rest. */
  violations?: readonly Violation[];
}

/**
 * Parses a skill and checks it against the Agent Skills specification and `skillLimits`.
 * Line ends become LF, blank lines around the instructions are dropped, files are sorted by path.
 * @throws HestiaError PAYLOAD_TOO_LARGE where SKILL.md is over its limit; INVALID_SKILL with every violation otherwise.
 */
export function parseSkillDocument(source: SkillDocumentSource): SkillDocument {
  if (byteLengthOf(source.document) > skillLimits.documentBytesMax) {
    const limit = `found more than the ${skillLimits.documentBytesMax} bytes that are allowed`;
    throw new HestiaError('PAYLOAD_TOO_LARGE', `${skillFileName}: ${limit}`, {
      violations: [{ field: 'document', message: limit }],
    });
  }
  const violations: Violation[] = [...(source.violations ?? [])];
  const report: ReportViolation = (field, message) => violations.push({ field, message });
  const text = decode(source.document, report);
  const parts = text === undefined ? undefined : divide(text, report);
  const frontmatter = parts === undefined ? undefined : parseFrontmatter(parts.yaml, source.folderName, report);
  checkFiles(source.files, report);
  if (violations.length > 0 || parts === undefined || frontmatter === undefined) throw invalidSkill(violations);
  const { instructions } = parts;
  const files = source.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { frontmatter, instructions, files, digest: digestOf({ frontmatter, instructions, files }) };
}

/** The error of a skill that breaks rules; its public message counts them and tells the first. */
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
  const text = typeof document === 'string' ? document.replace(/^\ufeff/, '') : decodeUtf8(document);
  if (text === undefined) {
    report('document', 'found bytes that are not UTF-8, must be UTF-8 text');
    return undefined;
  }
  if (!text.isWellFormed()) {
    report('document', 'found half a surrogate pair, must be well-formed Unicode');
    return undefined;
  }
  const control = findControlCharacter(text);
  if (control !== undefined) {
    report('document', `found ${control}, only newline, carriage return and tab are allowed`);
    return undefined;
  }
  return text.replaceAll('\r\n', '\n');
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The YAML between the two `---` lines, and the Markdown below them. */
function divide(text: string, report: ReportViolation): { yaml: string; instructions: string } | undefined {
  const opening = /^---[ \t]*\n/.exec(text);
  if (opening === null) {
    report('frontmatter', 'is missing, the file must begin with a line "---"');
    return undefined;
  }
  const rest = text.slice(opening[0].length);
  const closing = /^---[ \t]*(?:\n|$)/m.exec(rest);
  if (closing === null) {
    report('frontmatter', 'is not ended, a second line "---" must follow it');
    return undefined;
  }
  const body = rest.slice(closing.index + closing[0].length);
  return { yaml: rest.slice(0, closing.index), instructions: body.replace(/^(?:[ \t]*\n)+/, '').trimEnd() };
}

function checkFiles(files: readonly SkillFile[], report: ReportViolation): void {
  if (files.length > skillLimits.filesMax) {
    report('files', `found more than the ${skillLimits.filesMax} files that are allowed beside ${skillFileName}`);
  }
  const paths = new Set([skillFileName.toLowerCase()]);
  let bytesTotal = 0;
  for (const file of files) {
    const field = `files/${shown(file.path)}`;
    const parsed = skillFilePathSchema.safeParse(file.path);
    if (!parsed.success) report(field, parsed.error.issues[0]?.message ?? 'must be a relative path');
    // Two spellings of one path overwrite each other on file systems that do not tell them apart.
    const path = file.path.normalize('NFC').toLowerCase();
    if (paths.has(path)) report(field, 'found this path twice (letter case does not count), each must be unique');
    paths.add(path);
    const bytes = Buffer.byteLength(file.content, file.encoding);
    bytesTotal += bytes;
    if (bytes > skillLimits.fileBytesMax) {
      report(field, `found more than the ${skillLimits.fileBytesMax} bytes that are allowed for one file`);
    }
    if (!file.content.isWellFormed()) report(field, 'found half a surrogate pair, must be well-formed Unicode');
  }
  if (bytesTotal > skillLimits.filesBytesMax) {
    report('files', `found more than the ${skillLimits.filesBytesMax} bytes that are allowed for all files together`);
  }
}

/** SHA-256 (hex) over canonical JSON (RFC 8785). */
function digestOf(content: Omit<SkillDocument, 'digest'>): string {
  const json = canonicalize(content);
  if (json === undefined) throw new Error('a skill has no canonical JSON');
  return hash('sha256', json, 'hex');
}

/**
 * The parser of skills: SKILL.md and its files, checked against the Agent Skills specification.
 * Reports all violations at once. Pure.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import { type SkillDocument, type SkillFile, skillFilePathSchema, skillLimits } from '../../shapes/skill.ts';
import { findControlCharacter, parseFrontmatter, printableExcerpt, type ReportViolation } from './frontmatter.ts';

/** The name of the file that makes a folder a skill. */
export const skillFileName = 'SKILL.md';

/** The input of {@link parseSkillDocument}. */
export interface SkillDocumentSource {
  /** The content of SKILL.md. Bytes must be UTF-8. A byte order mark and CRLF line endings are accepted. */
  document: Uint8Array | string;
  /** The other files of the skill, in any order. */
  files: readonly SkillFile[];
  /** The name of the skill's folder, if it has one. The skill must have the same name. */
  folderName?: string;
  /** Violations found while the files were read, reported together with the others. */
  violations?: readonly Violation[];
}

/**
 * Parses a skill and checks it against the Agent Skills specification and `skillLimits`.
 * Line endings become LF, blank lines around the instructions are removed, and files are sorted by path.
 * @throws HestiaError PAYLOAD_TOO_LARGE if SKILL.md is over its limit, INVALID_SKILL with all violations otherwise
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
  const parts = text === undefined ? undefined : splitFrontmatter(text, report);
  const frontmatter = parts === undefined ? undefined : parseFrontmatter(parts.yaml, source.folderName, report);
  checkFiles(source.files, report);
  if (violations.length > 0 || parts === undefined || frontmatter === undefined) throw invalidSkill(violations);
  const { instructions } = parts;
  const files = source.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { frontmatter, instructions, files, digest: digestOf({ frontmatter, instructions, files }) };
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

function checkFiles(files: readonly SkillFile[], report: ReportViolation): void {
  if (files.length > skillLimits.filesMax) {
    report('files', `found more than the ${skillLimits.filesMax} files that are allowed beside ${skillFileName}`);
  }
  const paths = new Set([skillFileName.toLowerCase()]);
  let bytesTotal = 0;
  for (const file of files) {
    const field = `files/${printableExcerpt(file.path)}`;
    const parsed = skillFilePathSchema.safeParse(file.path);
    if (!parsed.success) report(field, parsed.error.issues[0]?.message ?? 'must be a relative path');
    // Paths that differ only in case or Unicode form are one file on some file systems.
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

/** SHA-256 (hex) of the canonical JSON (RFC 8785). */
function digestOf(content: Omit<SkillDocument, 'digest'>): string {
  const json = canonicalize(content);
  if (json === undefined) throw new Error('a skill has no canonical JSON');
  return hash('sha256', json, 'hex');
}

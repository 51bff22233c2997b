/** Builds and parses SKILL.md documents for tests, and returns their violations. */
import { expect } from 'vitest';
import { parseSkillDocument, type SkillDocumentSource } from '../../src/domain/skill/document.ts';
import { HestiaError } from '../../src/shapes/error.ts';
import type { SkillDocument, SkillFile } from '../../src/shapes/skill.ts';

/** The lines of a minimal valid frontmatter. */
export const minimal = ['name: pdf-processing', 'description: Extracts text from PDF files.'];

/** A document with these frontmatter lines and this body. */
export function withFrontmatter(lines: readonly string[], body = '# Steps\n'): string {
  return `---\n${lines.join('\n')}\n---\n${body}`;
}

/** Parses a document, without other files unless they are given. */
export function parse(
  document: SkillDocumentSource['document'],
  rest: Partial<SkillDocumentSource> = {},
): SkillDocument {
  return parseSkillDocument({ document, files: [], ...rest });
}

/** The error with which a document is refused. @throws Error if it is accepted */
export function failureOf(
  document: SkillDocumentSource['document'],
  rest: Partial<SkillDocumentSource> = {},
): HestiaError {
  try {
    parse(document, rest);
  } catch (error) {
    if (error instanceof HestiaError) return error;
    throw error;
  }
  throw new Error('the document was accepted');
}

/** The warnings of a document with these lines of frontmatter, as `field: message`. */
export function warningsOf(lines: readonly string[], rest: Partial<SkillDocumentSource> = {}): string[] {
  return parse(withFrontmatter(lines), rest).warnings.map(({ field, message }) => `${field}: ${message}`);
}

/** The violations in strict mode of a document with these lines of frontmatter, as `field: message`. */
export function violationsOf(lines: readonly string[], rest: Partial<SkillDocumentSource> = {}): string[] {
  const error = failureOf(withFrontmatter(lines), { strict: true, ...rest });
  expect(error.code).toBe('INVALID_SKILL');
  return error.violations.map(({ field, message }) => `${field}: ${message}`);
}

/** A text file beside the document. */
export function textFile(path: string, content = 'text'): SkillFile {
  return { path, content, encoding: 'utf-8' };
}

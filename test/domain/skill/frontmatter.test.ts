/** The frontmatter parser: a violation for each rule of the Agent Skills specification, and YAML that is refused. */
import { describe, expect, test } from 'vitest';
import { frontmatterLengthMax } from '../../../src/domain/skill/frontmatter.ts';
import { minimal, violationsOf } from '../../support/skill-parsing.ts';

describe('a name', () => {
  test.each([
    ['PDF-Processing', 'found "PDF-Processing", must be lowercase'],
    ['НАВЫК', 'found "НАВЫК", must be lowercase'],
    ['-pdf', 'found "-pdf", must not begin or end with a hyphen'],
    ['pdf-', 'found "pdf-", must not begin or end with a hyphen'],
    ['pdf--processing', 'found "pdf--processing", must not hold two hyphens in a row'],
    ['my_skill', 'found "my_skill", only letters, digits and hyphens are allowed'],
    ['my skill', 'found "my skill", only letters, digits and hyphens are allowed'],
    ['a/../b', 'found "a/../b", only letters, digits and hyphens are allowed'],
    ['a'.repeat(65), `found "${'a'.repeat(65)}", of 65 characters, at most 64 are allowed`],
    ['[a]', 'found a list, must be 1 to 64 lowercase letters, digits and hyphens'],
    ['{a: b}', 'found a mapping, must be 1 to 64 lowercase letters, digits and hyphens'],
    ['""', 'found nothing, must be 1 to 64 lowercase letters, digits and hyphens'],
  ])('%s is refused', (name, message) => {
    expect(violationsOf([`name: ${name}`, 'description: b'])).toEqual([`name: ${message}`]);
  });

  test('that is missing is refused', () => {
    expect(violationsOf(['description: b'])).toEqual([
      'name: is missing, must be 1 to 64 lowercase letters, digits and hyphens',
    ]);
  });

  test('that differs from the name of the folder is refused', () => {
    expect(violationsOf(minimal, { folderName: 'pdf' })).toEqual([
      'name: found "pdf-processing", must equal the name of its folder, "pdf"',
    ]);
  });
});

describe('a field', () => {
  test.each([
    ['description:', 'description: found nothing, must be 1 to 1024 characters of text'],
    ['description: "  "', 'description: found nothing, must be 1 to 1024 characters of text'],
    [`description: ${'x'.repeat(4097)}`, 'description: found 4097 characters, must be 1 to 1024 characters of text'],
    ['description: [a]', 'description: found a list, must be text'],
  ])('%s is refused', (line, violation) => {
    expect(violationsOf(['name: a', line])).toEqual([violation]);
  });

  test.each([
    ['compatibility: ""', 'compatibility: found nothing, must be 1 to 500 characters, or left out'],
    [
      `compatibility: ${'x'.repeat(501)}`,
      'compatibility: found 501 characters, must be 1 to 500 characters, or left out',
    ],
    ['compatibility: {a: b}', 'compatibility: found a mapping, must be text'],
    ['license: [MIT]', 'license: found a list, must be text'],
    ['metadata: text', 'metadata: found "text", must be a mapping from text to text'],
    ['metadata: {a: {b: c}}', 'metadata.a: found a mapping, must be text'],
    ['allowed-tools: {a: b}', 'allowed-tools: found a mapping, must be text'],
    ['allowed-tools: [Read, [a]]', 'allowed-tools.1: found a list, must be text'],
    ['allowed-tools: [""]', "allowed-tools.0: found nothing, must be a tool's name"],
    [
      'version: 1',
      'frontmatter: found the unknown key "version", allowed are name, description, license, compatibility, metadata, allowed-tools',
    ],
    [
      'license: "a\\u0000b"',
      'license: found the control character U+0000, only newline, carriage return and tab are allowed',
    ],
    [
      'metadata: {a: "\\e[2J"}',
      'metadata.a: found the control character U+001B, only newline, carriage return and tab are allowed',
    ],
    ['license: "\\ud800"', 'license: found half a surrogate pair, must be well-formed Unicode'],
  ])('%s is refused', (line, violation) => {
    expect(violationsOf([...minimal, line])).toEqual([violation]);
  });

  test('that is required and missing is refused', () => {
    expect(violationsOf(['name: a'])).toEqual(['description: is missing, must be 1 to 1024 characters of text']);
  });
});

describe('YAML', () => {
  test.each([
    ['a colon in plain text', 'description: Use when: asked', 'line 3'],
    ['a list that is not closed', 'license: [a', 'line 4'],
    ['a key written twice', 'name: b', 'Map keys must be unique at line 3'],
    ['a key that is a mapping', '? {a: b}\n: c', 'all keys must be strings'],
    ['a tag', 'license: !!binary aGVsbG8=', 'Unresolved tag'],
    ['an alias', 'license: &x a\ncompatibility: *x', 'found a YAML alias'],
    ['a document end', '...\nlicense: MIT', 'found a line "..."'],
    ['ten thousand open brackets', `license: ${'['.repeat(10_000)}`, 'Maximum call stack size exceeded'],
    ['more than its limit', `#${'x'.repeat(frontmatterLengthMax)}`, `at most ${frontmatterLengthMax} are allowed`],
  ])('with %s is refused', (_what, line, reason) => {
    const violations = violationsOf(['name: a', line]);
    expect(violations.length).toBeLessThanOrEqual(5);
    expect(violations.every((violation) => violation.startsWith('frontmatter: '))).toBe(true);
    expect(violations.join('\n')).toContain(reason);
  });

  test.each(['', 'text', '- a'])('that is not a mapping (%j) is refused', (yaml) => {
    expect(violationsOf([yaml])).toEqual([expect.stringContaining('must be a mapping')]);
  });

  test('at its length limit and made of keys only is parsed within a second of processor time', () => {
    const lines = Array.from({ length: 1_800 }, (_value, index) => `k${index}: a`);
    const before = process.threadCpuUsage();
    expect(violationsOf(lines)).toHaveLength(50);
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

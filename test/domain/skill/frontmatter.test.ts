/** The frontmatter parser: deviations from the Agent Skills specification, kept with a warning or refused. */
import { describe, expect, test } from 'vitest';
import { frontmatterLengthMax } from '../../../src/domain/skill/frontmatter-yaml.ts';
import { minimal, parse, violationsOf, warningsOf, withFrontmatter } from '../../support/skill-parsing.ts';

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
  ])('%s gets a warning and is replaced by the name of the folder; strict mode refuses it', (name, message) => {
    const lines = [`name: ${name}`, 'description: b'];
    const document = parse(withFrontmatter(lines), { folderName: 'pdf' });
    expect(document.frontmatter.name).toBe('pdf');
    expect(document.warnings[0]).toEqual({ field: 'name', message: `${message}; the skill is named "pdf"` });
    expect(violationsOf(lines, { folderName: 'pdf' })[0]).toContain(`name: ${message}`);
  });

  test('that is missing is the name of the folder, and without a folder the skill is refused', () => {
    expect(warningsOf(['description: b'], { folderName: 'pdf' })).toEqual([
      'name: is missing; the skill is named "pdf" after its folder',
    ]);
    expect(violationsOf(['description: b'], { strict: false })).toEqual([
      'name: is missing, must be 1 to 64 lowercase letters, digits and hyphens',
    ]);
  });

  test('that differs from the name of the folder gets a warning, and the name of the folder is used', () => {
    expect(warningsOf(minimal, { folderName: 'pdf' })).toEqual([
      'name: found "pdf-processing", must equal the name of its folder, "pdf"; the skill is named "pdf"',
    ]);
  });

  test.each([
    ['My Skill', 'My-Skill'],
    ['.hidden', 'hidden'],
    ['a/../../b', 'a-..-..-b'],
    ['launch_darkly', 'launch_darkly'],
    ['小说拆条', '小说拆条'],
    ['🚀', 'skill-ebbc0b28'],
    ['x'.repeat(80), `${'x'.repeat(55)}-d929cdee`],
  ])('of the folder %s becomes %s, which is safe in a path', (folderName, name) => {
    const { frontmatter } = parse(withFrontmatter(minimal), { folderName });
    expect(frontmatter.name).toBe(name);
    expect(name).not.toMatch(/^\.|[/\\]/);
  });

  test.each(['..', '/', '-', ' '])('of the folder %j, which leaves nothing, is refused', (folderName) => {
    expect(violationsOf(minimal, { folderName, strict: false })).toEqual([expect.stringContaining('the folder "')]);
  });
});

describe('a description', () => {
  test.each([
    ['description:', 'description: found nothing, must be 1 to 1024 characters of text'],
    ['description: "  "', 'description: found nothing, must be 1 to 1024 characters of text'],
    ['description: [a]', 'description: found a list, must be 1 to 1024 characters of text'],
    ['license: MIT', 'description: is missing, must be 1 to 1024 characters of text'],
  ])('that is absent (%s) is refused', (line, violation) => {
    expect(violationsOf(['name: a', line], { strict: false })).toEqual([violation]);
  });

  test('over 4,096 characters gets a warning, and strict mode refuses it', () => {
    const lines = ['name: a', `description: ${'x'.repeat(4097)}`];
    const message = 'description: found 4097 characters, the specification allows 1024; other hosts may refuse it';
    expect(warningsOf(lines)).toEqual([message]);
    expect(violationsOf(lines)).toEqual([message]);
    expect(warningsOf(['name: a', `description: ${'x'.repeat(4096)}`], { strict: true })).toHaveLength(1);
  });
});

describe('a deviation of another field', () => {
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
    ['allowed-tools: [Read, [a]]', "allowed-tools.1: found a list, must be a tool's name"],
    ['allowed-tools: [""]', "allowed-tools.0: found nothing, must be a tool's name"],
    ['version: 1', 'frontmatter: found the key "version", which the specification does not have'],
  ])('(%s) gets a warning, and strict mode refuses it', (line, violation) => {
    expect(warningsOf([...minimal, line])).toEqual([violation]);
    expect(violationsOf([...minimal, line])).toEqual([violation]);
  });

  test('is kept verbatim, with the values that YAML gives it', () => {
    const { attributes, frontmatter } = parse(
      withFrontmatter([
        ...minimal,
        'version: 1.0',
        'user-invocable: false',
        'hooks:\n  PreToolUse:\n    - matcher: "Bash"\n      timeout: 30',
        'metadata:\n  tags: [a, b]\n  nested: {deep: true}\n  id: 12345678901234567890',
        '__proto__: own',
      ]),
    );
    expect(Object.entries(attributes)).toEqual([
      ['name', 'pdf-processing'],
      ['description', 'Extracts text from PDF files.'],
      ['version', 1],
      ['user-invocable', false],
      ['hooks', { PreToolUse: [{ matcher: 'Bash', timeout: 30 }] }],
      ['metadata', { tags: ['a', 'b'], nested: { deep: true }, id: '12345678901234567890' }],
      ['__proto__', 'own'],
    ]);
    expect(frontmatter.metadata).toEqual(attributes.metadata);
  });

  test('of which there are many gets ten warnings and their count', () => {
    const lines = Array.from({ length: 15 }, (_value, index) => `key${index}: a`);
    expect(warningsOf([...minimal, ...lines])).toHaveLength(11);
  });

  test.each([
    ['license: "a\\u0000b"', 'license: found the control character U+0000'],
    ['description: "\\e[2J"', 'description: found the control character U+001B'],
    ['license: "\\ud800"', 'license: found half a surrogate pair'],
  ])('that a terminal or a store cannot hold (%s) is refused', (line, violation) => {
    const fields = ['name: a', ...(line.startsWith('description') ? [] : ['description: b']), line];
    expect(violationsOf(fields, { strict: false })).toEqual([expect.stringContaining(violation)]);
  });
});

describe('YAML', () => {
  test.each([
    ['a colon in plain text', 'description: Configure the harness: Hooks', 'Configure the harness: Hooks'],
    ['a hash in plain text', 'description: Fix: issue #12 # and more', 'Fix: issue #12 # and more'],
    ['quotes in plain text', 'description: Say: "hello" and \\ more', 'Say: "hello" and \\ more'],
    [
      'a colon in a value of several lines',
      'description: Use when: asked\n  to do: more',
      'Use when: asked to do: more',
    ],
    ['brackets that are not a list', 'description: [Beta] Does it: well', '[Beta] Does it: well'],
    ['a bracket that is not closed', 'description: Fine\nargument-hint: [file] [--all', 'Fine'],
    ['a block with a bad key beside it', 'description: >\n  Folded\n  text.\nargument-hint: <a>: [b', 'Folded text.'],
    ['a tag', 'description: Fine\nlicense: !!python/object:os.system x', 'Fine'],
    ['an alias', 'description: &x a\ncompatibility: *x', 'a'],
    ['a comment after plain text', 'description: Use when: asked\n# internal\nlicense: MIT', 'Use when: asked'],
    ['a document end', 'description: Fine\n...\nlicense: MIT', 'Fine'],
  ])('with %s is read line by line with a warning, and strict mode refuses it', (_what, yaml, description) => {
    const document = parse(withFrontmatter(['name: a', yaml]));
    expect(document.frontmatter).toMatchObject({ name: 'a', description });
    expect(document.warnings[0]).toEqual({
      field: 'frontmatter',
      message: expect.stringMatching(/; it was read line by line$/),
    });
    expect(violationsOf(['name: a', yaml])[0]).toMatch(/^frontmatter: found /);
  });

  test('that is read line by line keeps the nested values that do parse', () => {
    const { attributes } = parse(
      withFrontmatter([
        'name: a',
        'description: Use when: asked',
        'metadata:\n  tags:\n    - x',
        'tools: [Read, Bash]',
      ]),
    );
    expect(attributes).toMatchObject({ metadata: { tags: ['x'] }, tools: ['Read', 'Bash'] });
  });

  test.each([
    ['a key that is written twice', ['license: MIT', 'license: Apache-2.0'], { license: 'Apache-2.0' }],
    ['an alias', ['license: &x MIT', 'compatibility: *x'], { license: 'MIT', compatibility: '*x' }],
    [
      'tabs as indentation',
      ['metadata:', '\tauthor: x', '\ttags:', '\t\t- y'],
      { metadata: { author: 'x', tags: ['y'] } },
    ],
    ['text after a quotation', ['license: "MIT" or: later'], { license: '"MIT" or: later' }],
    ['an apostrophe in a quotation', ["license: 'It's free'"], { license: "It's free" }],
  ])('with %s keeps the values of the other keys', (_what, lines, kept) => {
    const others = ['allowed-tools:', '  - Read', '  - Write', 'version: 2', 'nothing:'];
    const { attributes, frontmatter } = parse(withFrontmatter([...minimal, ...lines, ...others]));
    expect(attributes).toMatchObject({ ...kept, 'allowed-tools': ['Read', 'Write'], version: 2, nothing: null });
    expect(frontmatter.allowedTools).toEqual(['Read', 'Write']);
  });

  test.each([
    ['a key written twice', 'name: b', 'Map keys must be unique'],
    ['ten thousand open brackets', `license: ${'['.repeat(10_000)}`, 'Maximum call stack size exceeded'],
    ['more than its limit', `#${'x'.repeat(frontmatterLengthMax)}`, `at most ${frontmatterLengthMax} are allowed`],
  ])('with %s is accepted with a warning', (_what, line, reason) => {
    expect(warningsOf(['name: a', 'description: b', line]).join('\n')).toContain(reason);
  });

  test.each(['', 'text', '- a'])('that is not a mapping (%j) is refused', (yaml) => {
    expect(violationsOf([yaml], { strict: false })).toEqual([expect.stringContaining('must be a mapping')]);
  });

  test('at its length limit and made of keys only is parsed within a second of processor time', () => {
    const lines = Array.from({ length: 1_800 }, (_value, index) => `k${index}: a`);
    const before = process.threadCpuUsage();
    expect(warningsOf([...minimal, ...lines])).toHaveLength(11);
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1000);
  });

  test('over its length limit is read in linear time', () => {
    const lines = Array.from({ length: 60_000 }, (_value, index) => `k${index}: a`);
    const before = process.threadCpuUsage();
    expect(parse(withFrontmatter([...minimal, ...lines])).frontmatter.name).toBe('pdf-processing');
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

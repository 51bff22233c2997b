/** The skill parser: what the Agent Skills specification allows, what the digest covers, and what is refused. */
import { describe, expect, test } from 'vitest';
import { HestiaError } from '../../../src/shapes/error.ts';
import { type SkillFile, skillLimits } from '../../../src/shapes/skill.ts';
import { printable } from '../../../src/shapes/text.ts';
import { failureOf, minimal, parse, textFile, withFrontmatter } from '../../support/skill-parsing.ts';

describe('a valid document', () => {
  test('is parsed into frontmatter, instructions and a digest', () => {
    const document = parse(
      withFrontmatter(
        [
          ...minimal,
          'license: Apache-2.0',
          'compatibility: Requires git and jq',
          'metadata:\n  author: example-org\n  version: 1.0\n  stable: true',
          'allowed-tools: Bash(git add:*) Bash(jq:*) Read',
        ],
        '\n\n  # Steps\r\n\r\n1. Look.\n\n',
      ),
      { folderName: 'pdf-processing' },
    );
    expect(document.frontmatter).toEqual({
      name: 'pdf-processing',
      description: 'Extracts text from PDF files.',
      license: 'Apache-2.0',
      compatibility: 'Requires git and jq',
      metadata: { author: 'example-org', version: 1, stable: true },
      allowedTools: ['Bash(git add:*)', 'Bash(jq:*)', 'Read'],
    });
    expect(document.instructions).toBe('  # Steps\n\n1. Look.');
    expect(document.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('needs no more than name and description, and no body', () => {
    const document = parse('---\nname: a\ndescription: b\n---');
    expect(document.frontmatter).toEqual({ name: 'a', description: 'b' });
    expect(document.instructions).toBe('');
  });

  test('may have a byte order mark and CRLF, which its source and digest keep, as text or as bytes', () => {
    const text = withFrontmatter(minimal);
    const windows = `\ufeff${text.replaceAll('\n', '\r\n')}`;
    const document = parse(windows);
    expect(document).toMatchObject({ frontmatter: parse(text).frontmatter, instructions: '# Steps', source: windows });
    expect(document.digest).not.toBe(parse(text).digest);
    expect(parse(new TextEncoder().encode(windows))).toEqual(document);
  });

  test.each(['技能', 'мой-навык', '0', 'a'.repeat(skillLimits.nameLengthMax)])('may be named %s', (name) => {
    expect(parse(withFrontmatter([`name: ${name}`, 'description: b'])).frontmatter.name).toBe(name);
  });

  test('may have a composed name in a folder with the decomposed name', () => {
    const document = parse(withFrontmatter(['name: caf\u00e9', 'description: b']), { folderName: 'cafe\u0301' });
    expect(document.frontmatter.name).toBe('caf\u00e9');
  });

  test('has its length counted in code points, without the line break that ends a block', () => {
    const description = '\u{1f525}'.repeat(skillLimits.descriptionLengthMax);
    const document = parse(withFrontmatter(['name: a', 'description: >', `  ${description}`]));
    expect(document.frontmatter.description).toBe(description);
  });

  test('may have a description over the limit of the specification, with a warning', () => {
    const warningsOf = (length: number) =>
      parse(withFrontmatter(['name: a', `description: ${'x'.repeat(length)}`])).warnings;
    expect(warningsOf(skillLimits.descriptionLengthMax)).toEqual([]);
    expect(warningsOf(skillLimits.descriptionLengthMax + 1)).toEqual([
      { field: 'description', message: expect.stringContaining('found 1025 characters') },
    ]);
    expect(warningsOf(9000)).toHaveLength(1);
  });

  test.each([
    ['allowed-tools: Read, Grep', ['Read', 'Grep']],
    ['allowed-tools: [Read, "Bash(git:*)"]', ['Read', 'Bash(git:*)']],
    ['allowed-tools:\n  - Read\n  - Grep', ['Read', 'Grep']],
    ['allowed-tools: Bash(a', ['Bash(a']],
    ['allowed-tools: " Read Bash(a "', ['Read', 'Bash(a']],
  ])('may list its tools as %j', (line, tools) => {
    expect(parse(withFrontmatter([...minimal, line])).frontmatter.allowedTools).toEqual(tools);
  });

  test('leaves out optional fields that are empty', () => {
    const document = parse(withFrontmatter([...minimal, 'license:', 'metadata:', 'allowed-tools:']));
    expect(Object.keys(document.frontmatter)).toEqual(['name', 'description']);
  });

  test('may have a line of hyphens in its body and a metadata key that objects inherit', () => {
    const document = parse(withFrontmatter([...minimal, 'metadata:\n  __proto__: x'], 'a\n---\nb'));
    expect(document.instructions).toBe('a\n---\nb');
    expect(Object.entries(document.frontmatter.metadata ?? {})).toEqual([['__proto__', 'x']]);
  });
});

describe('the digest', () => {
  const files = [textFile('references/b.md'), textFile('a.md')];

  test('does not depend on the order of files', () => {
    const document = parse(withFrontmatter(minimal), { files });
    expect(document.files.map(({ path }) => path)).toEqual(['a.md', 'references/b.md']);
    expect(parse(withFrontmatter(minimal), { files: files.toReversed() }).digest).toBe(document.digest);
  });

  test('changes with the description, the instructions, and the content or path of a file', () => {
    const digests = [
      parse(withFrontmatter(minimal), { files }),
      parse(withFrontmatter(['name: pdf-processing', 'description: Other.']), { files }),
      parse(withFrontmatter(minimal, 'Other.'), { files }),
      parse(withFrontmatter(minimal), { files: [textFile('references/b.md', 'other'), textFile('a.md')] }),
      parse(withFrontmatter(minimal), { files: [textFile('references/c.md'), textFile('a.md')] }),
    ].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a document with several violations', () => {
  test('is refused with all of them, and the message has the first and their count', () => {
    const error = failureOf(withFrontmatter(['name: Bad_', 'version: 1', 'license: [a]']), {
      strict: true,
      files: [textFile('../x')],
      violations: [{ field: 'files/y', message: 'cannot be read (EACCES)' }],
    });
    expect(error.violations.map(({ field }) => field)).toEqual([
      'files/y',
      'frontmatter',
      'name',
      'name',
      'description',
      'license',
      'files/../x',
    ]);
    expect(error.message).toBe('the skill is not valid: files/y: cannot be read (EACCES) (and 6 more)');
  });

  test('is refused in printable text that quotes at most 80 characters of each value', () => {
    const error = failureOf(
      withFrontmatter([`"k\\e\\u202e\\n${'x'.repeat(300)}": 1`, `name: "A\\u202e${'b'.repeat(300)}"`]),
      { strict: true },
    );
    expect(error.violations.length).toBeGreaterThan(3);
    for (const { field, message } of [...error.violations, { field: 'message', message: error.message }]) {
      expect(`${field}${message}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      for (const [, found] of message.matchAll(/"([^"]*)"/g)) expect(found?.length).toBeLessThanOrEqual(80);
    }
  });
});

describe('a file that is not a skill document', () => {
  test.each([
    ['without frontmatter', '# Steps\n', 'frontmatter', 'is missing'],
    ['with a blank line first', '\n---\nname: a\n---\n', 'frontmatter', 'is missing'],
    ['that is empty', '', 'frontmatter', 'is missing'],
    ['whose frontmatter is not closed', '---\nname: a\ndescription: b\n', 'frontmatter', 'is not closed'],
    ['with half a surrogate pair', withFrontmatter(minimal, '\ud800'), 'document', 'surrogate'],
  ])('%s is refused', (_what, text, field, reason) => {
    expect(failureOf(text).violations).toEqual([{ field, message: expect.stringContaining(reason) }]);
  });

  test('that is not UTF-8 is refused', () => {
    const bytes = Buffer.concat([Buffer.from(withFrontmatter(minimal)), Buffer.from([0xff, 0xfe])]);
    expect(failureOf(bytes).violations).toEqual([
      { field: 'document', message: 'found bytes that are not UTF-8, must be UTF-8 text' },
    ]);
  });

  test.each([
    ['bytes', (text: string) => Buffer.from(text)],
    ['text', (text: string) => text],
  ])('is refused one byte over the limit and accepted at the limit, as %s', (_what, form) => {
    const head = withFrontmatter(minimal, 'x');
    const full = head + 'é'.repeat((skillLimits.documentBytesMax - Buffer.byteLength(head)) / 2);
    const fill = full + 'x'.repeat(skillLimits.documentBytesMax - Buffer.byteLength(full));
    expect(parse(form(fill)).frontmatter.name).toBe('pdf-processing');
    expect(failureOf(form(`${fill}x`)).code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('the other files of a skill', () => {
  const filesRefused = (files: readonly SkillFile[]) =>
    failureOf(withFrontmatter(minimal), { files }).violations.map(({ field, message }) => `${field}: ${message}`);

  test.each(['/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a\\b', 'a\u0000', '', 'x'.repeat(256)])(
    'may not have the path %j',
    (path) => {
      expect(filesRefused([textFile(path)])).toEqual([expect.stringMatching(/^files\//)]);
    },
  );

  test.each([['a.md', 'a.md']])('may not have the same path twice (%s, %s)', (first, second) => {
    expect(filesRefused([textFile(first), textFile(second)])).toEqual([
      expect.stringContaining('found this path twice'),
    ]);
  });

  test('may not be called SKILL.md', () => {
    expect(filesRefused([textFile('SKILL.md')])).toEqual([expect.stringContaining('found this path twice')]);
  });

  test('may differ in letter case or Unicode form only, as some file systems allow', () => {
    const paths = ['README.md', 'caf\u00e9.md', 'cafe\u0301.md', 'readme.md', 'skill.md'];
    expect(parse(withFrontmatter(minimal), { files: paths.map((path) => textFile(path)) }).files).toHaveLength(5);
  });

  test('are at most 512 with SKILL.md', () => {
    const files = Array.from({ length: skillLimits.filesMax }, (_value, index) => textFile(`${index}.md`));
    expect(parse(withFrontmatter(minimal), { files: files.slice(1) }).files).toHaveLength(skillLimits.filesMax - 1);
    expect(filesRefused(files)).toEqual(['files: found more than the 512 files that are allowed, SKILL.md included']);
  });

  test('have at most 16 mebibytes in total with SKILL.md, counted in decoded bytes', () => {
    const head = Buffer.byteLength(withFrontmatter(minimal));
    const binary = (bytes: number): SkillFile => ({
      path: 'a.bin',
      content: Buffer.alloc(bytes, 0xff).toString('base64'),
      encoding: 'base64',
    });
    const largest = binary(skillLimits.bytesMax - head);
    expect(parse(withFrontmatter(minimal), { files: [largest] }).files).toEqual([largest]);
    expect(filesRefused([binary(skillLimits.bytesMax - head + 1)])).toEqual([
      'files: found more than the 16777216 bytes that are allowed for all files together',
    ]);
  });

  test('are well-formed Unicode', () => {
    expect(filesRefused([textFile('a.md', '\udc00')])).toEqual([expect.stringContaining('half a surrogate pair')]);
  });
});

describe('any document', () => {
  /** Mulberry32: a seeded generator of numbers from 0 up to but not including `below`, so that failures repeat. */
  function numbersFrom(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state + 0x6d2b79f5) | 0;
      const mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      const stirred = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return (((stirred ^ (stirred >>> 14)) >>> 0) * below) / 2 ** 32;
    };
  }
  const pieces =
    'a|Z|-|: |#|"|\'|[|]|{|}|,|&x |*x|!t |>|%|@|\\|\\u0000|---\n|...\n|\n- |\n|\t|\u0000|\u0085|\u202e|\ud800|\ufeff|é|🔥|name: a\n'.split(
      '|',
    );
  const draw = (next: (below: number) => number, from = pieces) => from[Math.floor(next(from.length))] ?? '';

  test.each([1, 2, 3, 4])('is accepted, or refused with printable violations (seed %i)', (seed) => {
    const next = numbersFrom(seed);
    const outcomes = { accepted: 0, refused: 0 };
    for (let round = 0; round < 500; round += 1) {
      let text = withFrontmatter([...minimal, 'metadata:', '  a: "b"', 'allowed-tools: Read Bash(x y)']);
      for (let edits = 1 + next(3); edits > 0; edits -= 1) {
        const at = next(text.length);
        text = text.slice(0, at) + draw(next) + text.slice(at + next(3));
      }
      const bytes = Buffer.from(text).map((byte) => (next(1000) < 2 ? next(256) : byte));
      try {
        expect(parse(round % 2 === 0 ? text : bytes).digest).toMatch(/^[0-9a-f]{64}$/);
        outcomes.accepted += 1;
      } catch (error) {
        if (!(error instanceof HestiaError)) throw new Error(`failed on ${JSON.stringify(text)}`, { cause: error });
        const texts = [error.message, ...error.violations.map(({ field, message }) => `${field}: ${message}`)];
        expect([error.code, texts.length > 1, texts]).toEqual(['INVALID_SKILL', true, texts.map(printable)]);
        outcomes.refused += 1;
      }
    }
    expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(10);
  });

  test('returns quoted text unchanged, whatever its characters', () => {
    const next = numbersFrom(5);
    const allowed = pieces.filter((piece) => piece !== '\u0000' && piece.isWellFormed());
    for (let round = 0; round < 500; round += 1) {
      const text = () => `x${Array.from({ length: next(12) }, () => draw(next, allowed)).join('')}x`;
      const [description, license, key] = [text(), text(), text()];
      const quoted = { name: 'a', description, license, metadata: { [key]: description } };
      const lines = Object.entries(quoted).map(([field, value]) => `${field}: ${JSON.stringify(value)}`);
      expect(parse(withFrontmatter(lines)).frontmatter).toEqual(quoted);
    }
  });
});

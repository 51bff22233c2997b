/** The architecture rules: each is tested on small sources that break it, then all are applied to `src/`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  cycleFindings,
  directionFindings,
  extensionFindings,
  fileLinesMax,
  folderFilesMax,
  folderFindings,
  lengthFindings,
  nameFindings,
  orphanFindings,
  roomFindings,
} from './support/architecture/rules.ts';
import { filePaths, parseSource, readSourceFiles, type SourceFile } from './support/architecture/source.ts';
import {
  docblockFindings,
  docstringFindings,
  environmentFindings,
  firstSentenceFindings,
  firstSentenceLengthMax,
  functionFindings,
  functionLinesMax,
  typeFindings,
} from './support/architecture/syntax.ts';
import { drawnFiles } from './support/architecture/tree.ts';

const sourceFolder = fileURLToPath(new URL('../src', import.meta.url));
const architectureFile = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url));

/** Parses sources given by path. */
function parsed(sources: Record<string, string>): SourceFile[] {
  return Object.entries(sources).map(([path, text]) => parseSource(path, text));
}

/** Parses one source. */
function parsedOne(text: string, path = 'domain/skill-service.ts'): SourceFile {
  return parseSource(path, text);
}

describe('the import order of the rooms', () => {
  const allowedImports = [
    ['http/skill-routes.ts', '../domain/skill-service.ts'],
    ['schedule.ts', './domain/expiration-sweep.ts'],
    ['domain/skill-service.ts', '../stores/skill-store.ts'],
    ['domain/skill-service.ts', '../telemetry/events.ts'],
    ['upstream/connection.ts', '../shapes/server.ts'],
    ['telemetry/events.ts', '../shapes/event.ts'],
    ['domain/skill-service.ts', '../search-index/tool-index.ts'],
    ['domain/skill-service.ts', '../flow/keyed-queue.ts'],
    ['domain/skill-service.ts', './skill/lookup.ts'],
    ['domain/skill/lookup.ts', '../access/guard.ts'],
    ['domain/scan/rules/override.ts', './rule.ts'],
    ['domain/scan/rules/hidden.ts', '../text.ts'],
    ['domain/call/record.ts', '../../stores/outcome-store.ts'],
    ['domain/audit/trail.ts', '../../journal/journal.ts'],
    ['stores/views/audit-views.ts', '../../journal/journal.ts'],
    ['wiring/doors.ts', '../http/app.ts'],
    ['wiring/audit.ts', '../domain/audit/trail.ts'],
    ['main.ts', './wiring/hub.ts'],
    ['config.ts', '../package.json'],
    ['hestia.ts', './main.ts'],
    ['hestia.ts', './cli/command-line.ts'],
    ['cli/skill-commands.ts', '../domain/skill-source.ts'],
    ['http/routes/skill.ts', '../../domain/skill-service.ts'],
  ] as const;
  test.each(allowedImports)('allows %s to import %s', (from, to) => {
    expect(directionFindings(parsed({ [from]: `import x from '${to}';` }))).toEqual([]);
  });

  const forbiddenImports = [
    ['stores/skill-store.ts', '../domain/skill-service.ts', 'stores may not import domain'],
    ['stores/skill-store.ts', '../upstream/connection.ts', 'stores may not import upstream'],
    ['upstream/connection.ts', '../stores/skill-store.ts', 'upstream may not import stores'],
    ['domain/skill-service.ts', '../http/app.ts', 'domain may not import http'],
    ['http/app.ts', '../mcp/hub-server.ts', 'http may not import mcp'],
    ['http/app.ts', '../stores/skill-store.ts', 'http may not import stores'],
    ['telemetry/events.ts', '../stores/skill-store.ts', 'telemetry may not import stores'],
    ['shapes/skill.ts', '../telemetry/names.ts', 'shapes may not import telemetry'],
    ['domain/skill-service.ts', '../config.ts', 'domain may not import config'],
    ['cli/command-line.ts', '../main.ts', 'cli may not import main'],
    ['cli/command-line.ts', '../stores/database.ts', 'cli may not import stores'],
    ['hestia.ts', './wiring/hub.ts', 'hestia may not import wiring'],
    ['domain/skill-service.ts', '../wiring/hub.ts', 'domain may not import wiring'],
    ['search-index/tool-index.ts', '../stores/database.ts', 'search-index may not import stores'],
    ['flow/keyed-queue.ts', '../shapes/id.ts', 'flow may not import shapes'],
    ['journal/journal.ts', '../stores/database.ts', 'journal may not import stores'],
    ['stores/skill-store.ts', '../journal/journal.ts', 'stores may not import journal'],
    ['http/routes/skill.ts', '../../domain/skill/folder.ts', 'http may import use cases of domain only'],
    ['domain/skill/lookup.ts', '../skill-service.ts', 'domain/skill may not import a use case'],
    ['domain/audit/trail.ts', '../access/guard.ts', 'domain/audit may not import domain/access'],
    ['domain/scan/rules/rule.ts', '../../audit/trail.ts', 'domain/scan may not import domain/audit'],
    ['domain/skill-service.ts', '../../test/support/fake.ts', 'outside of src/'],
    ['domain/skill-service.ts', '../../package.json', 'outside of src/'],
  ] as const;
  test.each(forbiddenImports)('refuses %s importing %s', (from, to, message) => {
    expect(directionFindings(parsed({ [from]: `import x from '${to}';` }))).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    `import type { X } from '../domain/x.ts';`,
    `export { x } from '../domain/x.ts';`,
    `export * from '../domain/x.ts';`,
    `const x = await import('../domain/x.ts');`,
    `type X = import('../domain/x.ts').X;`,
  ])('finds the import in: %s', (text) => {
    expect(directionFindings([parsedOne(text, 'stores/x.ts')])).toEqual([
      'stores/x.ts:1: stores may not import domain (domain/x.ts)',
    ]);
  });

  test('has a room for every file', () => {
    const files = parsed({
      'stray.ts': '',
      'lib/x.ts': '',
      'http.ts': '',
      'domain/lib/x.ts': '',
      'schedule/job.ts': '',
      'wiring/hub.ts': '',
      'domain/x.ts': '',
    });
    expect(roomFindings(files).map((finding) => finding.split(':')[0])).toEqual([
      'stray.ts',
      'lib/x.ts',
      'http.ts',
      'domain/lib/x.ts',
      'schedule/job.ts',
    ]);
  });
});

describe('imports', () => {
  test('a cycle is reported with its path, including type-only imports', () => {
    const files = parsed({
      'domain/a.ts': `import { b } from './b.ts';`,
      'domain/b.ts': `import type { C } from './c.ts';`,
      'domain/c.ts': `export * from './a.ts';`,
      'domain/d.ts': `import './a.ts';`,
    });
    expect(cycleFindings(files)).toEqual([
      'domain/a.ts: is part of an import cycle: domain/a.ts -> domain/b.ts -> domain/c.ts -> domain/a.ts',
    ]);
  });

  test('a file that imports itself is a cycle; two paths to one file are not', () => {
    expect(cycleFindings([parsedOne(`import './skill-service.ts';`)])).toHaveLength(1);
    const diamond = parsed({ 'a.ts': `import './b.ts'; import './c.ts';`, 'b.ts': `import './c.ts';`, 'c.ts': '' });
    expect(cycleFindings(diamond)).toEqual([]);
  });

  test('a file that is never imported is found, unless it is an entry point', () => {
    const files = parsed({ 'main.ts': `import './wiring/hub.ts';`, 'wiring/hub.ts': '', 'domain/lost.ts': '' });
    expect(orphanFindings(files, ['main.ts'])).toEqual(['domain/lost.ts: is never imported']);
  });

  test('a relative import without .ts is found; packages and data are not', () => {
    const text = `import './skill-store'; import 'hono/cors'; import x from './x.json' with { type: 'json' };`;
    expect(extensionFindings([parsedOne(text)])).toEqual([
      'domain/skill-service.ts:1: the import ./skill-store does not end in .ts',
    ]);
  });
});

describe('size', () => {
  test(`a file may have ${fileLinesMax} lines and no more`, () => {
    expect(lengthFindings('a.ts', '\n'.repeat(fileLinesMax))).toEqual([]);
    expect(lengthFindings('a.ts', '\n'.repeat(fileLinesMax + 1))).toEqual([
      'a.ts: has 301 lines, at most 300 are allowed',
    ]);
  });

  test(`a folder may hold ${folderFilesMax} files and no more, not counting its subfolders`, () => {
    const paths = [...Array.from({ length: folderFilesMax }, (_, at) => `a/${at}.ts`), 'a/b/x.ts'];
    expect(folderFindings(paths)).toEqual([]);
    expect(folderFindings([...paths, 'a/y.ts'])).toEqual(['a/: holds 21 files, at most 20 are allowed']);
  });

  const kinds = [
    ['declaration', (body: string) => `function f() {${body}}`],
    ['arrow', (body: string) => `const f = () => {${body}};`],
    ['method', (body: string) => `class C { f() {${body}} }`],
  ] as const;
  test.each(kinds)(`a %s may have ${functionLinesMax} lines and no more`, (_kind, source) => {
    expect(functionFindings(parsedOne(source('\n'.repeat(functionLinesMax - 1))))).toEqual([]);
    expect(functionFindings(parsedOne(source('\n'.repeat(functionLinesMax))))).toEqual([
      'domain/skill-service.ts:1: a function of 51 lines, at most 50 are allowed',
    ]);
  });
});

describe('names', () => {
  test.each(['domain/skillService.ts', 'domain/skill_service.ts', 'Stores/skill-store.ts', 'stores/Schema.sql'])(
    '%s is refused: not kebab-case',
    (path) => {
      expect(nameFindings([path])).toEqual([expect.stringContaining('is not kebab-case')]);
    },
  );

  test.each(['index', 'utils', 'helpers', 'common'])('domain/%s.ts is refused: the name says nothing', (name) => {
    expect(nameFindings([`domain/${name}.ts`])).toEqual([expect.stringContaining('does not name a subject')]);
  });

  test('nouns in kebab-case are accepted', () => {
    expect(nameFindings(['domain/skill-service.ts', 'stores/schema.sql', 'main.ts'])).toEqual([]);
  });
});

describe('comments', () => {
  test('a file begins with a docblock', () => {
    expect(docblockFindings(parsedOne('/** What it is for. */\n'))).toEqual([]);
    expect(docblockFindings(parsedOne('#!/usr/bin/env node\n/** What it is for. */\n'))).toEqual([]);
    expect(docblockFindings(parsedOne('// What it is for.\n'))).toEqual([expect.stringContaining('docblock')]);
  });

  test(`the first sentence of a file may have ${firstSentenceLengthMax} characters and no more`, () => {
    const sentence = 'x'.repeat(firstSentenceLengthMax);
    expect(firstSentenceFindings(parsedOne(`/** ${sentence}. More is said here. */\n`))).toEqual([]);
    expect(firstSentenceFindings(parsedOne(`/**\n * ${sentence}x.\n */\n`))).toEqual([
      'domain/skill-service.ts:1: begins with a sentence of 101 characters, at most 100 are allowed',
    ]);
  });

  const undocumented = [
    'export const x = 1;',
    'export function x() {}',
    'export interface x {}',
    'export class x {}',
    'export type x = string;',
    'const x = 1;\nexport { x };',
    '// Not a docstring.\nexport const x = 1;',
    '/** Of y. */\nconst y = 1;\nexport const x = 1;',
    'export type x = z.infer<typeof missingSchema>;',
  ];
  test.each(undocumented)('an export without a docstring is found: %j', (text) => {
    expect(docstringFindings(parsedOne(`/** The file. */\n${text}`))).toEqual([
      expect.stringContaining('the export of x has no docstring'),
    ]);
  });

  const documented = [
    '/** The file. */\n\n/** What it is. */\nexport const x = 1;',
    `/** The file. */\nexport { x } from './x.ts';\nexport * from './y.ts';`,
    `/** The file. */\nimport { x } from './x.ts';\nexport { x };`,
    '/** The file. */\n\n/** A role. */\nexport const roleSchema = 1;\nexport type Role = z.infer<typeof roleSchema>;',
    '/** The file. */\n\n/** Both. */\nexport function f(a: string): void;\nexport function f(a: number): void;',
  ];
  test.each(documented)('a documented export is accepted: %j', (text) => {
    expect(docstringFindings(parsedOne(text))).toEqual([]);
  });
});

describe('types', () => {
  const forbidden = [
    ['let x: any;', '`any`'],
    ['f<any>();', '`any`'],
    ['const x = y as string;', '`as`'],
    ['const x = <string>y;', '`<T>value`'],
    ['const x = y!;', '`!`'],
    ['let x!: string;', '`!`'],
    ['class C { x!: string }', '`!`'],
    ['// @ts-expect-error\nf();', '`@ts-expect-error`'],
  ] as const;
  test.each(forbidden)('%j is refused', (text, what) => {
    expect(typeFindings(parsedOne(text))).toEqual([`domain/skill-service.ts:1: ${what} is not allowed`]);
  });

  test('`as const`, `satisfies`, renaming and negation are accepted', () => {
    const text = `import { a as b } from './a.ts'; const x = [1] as const satisfies number[]; const y = !x; const z = y !== x;`;
    expect(typeFindings(parsedOne(text))).toEqual([]);
  });
});

describe('the environment', () => {
  test.each([
    'const x = process.env.HOME;',
    `const x = process['env'];`,
    'const x = globalThis.process.env;',
    'const { env } = process;',
    `import { env } from 'node:process';`,
  ])('is not read outside of config.ts: %s', (text) => {
    expect(environmentFindings(parsedOne(text))).toEqual([
      'domain/skill-service.ts:1: only config.ts reads the environment',
    ]);
  });

  test('may be read in config.ts and passed on in main.ts; other files may use the rest of process', () => {
    expect(environmentFindings(parsedOne('load(process.env);', 'config.ts'))).toEqual([]);
    expect(environmentFindings(parsedOne('load(process.env);', 'main.ts'))).toEqual([]);
    expect(environmentFindings(parsedOne('load(process.env);', 'hestia.ts'))).toEqual([]);
    expect(environmentFindings(parsedOne('const { pid } = process; const x = server.env;'))).toEqual([]);
  });
});

describe('the tree in ARCHITECTURE.md', () => {
  const fence = '```';
  const drawing = (...lines: string[]) =>
    `# House\n\n${fence}text\nother\n${fence}\n\n${fence}\n${lines.join('\n')}\n${fence}\n`;

  test('is parsed with its folders and without its comments', () => {
    const markdown = drawing(
      'src/            the hub',
      '  main.ts       process entry',
      '  stores/',
      '    schema.sql  tables',
      '  domain/',
      '    deep/',
      '      x.ts',
      '  wiring.ts     constructs',
    );
    expect(drawnFiles(markdown)).toEqual(['domain/deep/x.ts', 'main.ts', 'stores/schema.sql', 'wiring.ts']);
  });

  test('is refused if it is missing or not indented level by level', () => {
    expect(() => drawnFiles('# House\n')).toThrow('no fenced block begins with src/');
    expect(() => drawnFiles(drawing('src/', '   main.ts'))).toThrow('not indented');
    expect(() => drawnFiles(drawing('src/', '  main.ts', '    x.ts'))).toThrow('not indented');
    expect(() => drawnFiles(drawing('src/', 'main.ts'))).toThrow('not indented');
  });
});

describe('src/', () => {
  const files = readSourceFiles(sourceFolder);
  const paths = filePaths(sourceFolder);

  test('is read', () => {
    expect(paths).toContain('config.ts');
    expect(files.map(({ path }) => path)).toContain('shapes/skill.ts');
  });
  test('has every file in a room', () => expect(roomFindings(files)).toEqual([]));
  test('imports only in the allowed directions', () => expect(directionFindings(files)).toEqual([]));
  test('has no import cycle', () => expect(cycleFindings(files)).toEqual([]));
  // The entry points of the process and of worker threads.
  const entryPoints = [
    'hestia.ts',
    'domain/call/schema-worker.ts',
    'stores/sqlite/wal-checkpoint-worker.ts',
    'cli/faults/server-program.ts',
    'stores/views/projector-worker.ts',
  ];
  test('has no file that is never imported', () => expect(orphanFindings(files, entryPoints)).toEqual([]));
  test('imports with .ts', () => expect(extensionFindings(files)).toEqual([]));
  test(`holds at most ${folderFilesMax} files in a folder`, () => expect(folderFindings(paths)).toEqual([]));
  test('names files in kebab-case, by their subject', () => expect(nameFindings(paths)).toEqual([]));
  test(`has no file over ${fileLinesMax} lines`, () => {
    const findings = paths.flatMap((path) => lengthFindings(path, readFileSync(`${sourceFolder}/${path}`, 'utf8')));
    expect(findings).toEqual([]);
  });
  test(`has no function over ${functionLinesMax} lines`, () => expect(files.flatMap(functionFindings)).toEqual([]));
  test('begins every file with a docblock', () => expect(files.flatMap(docblockFindings)).toEqual([]));
  test(`begins with a sentence of at most ${firstSentenceLengthMax} characters, which is drawn in ARCHITECTURE.md`, () => {
    expect(files.flatMap(firstSentenceFindings)).toEqual([]);
  });
  test('has a docstring on every export', () => expect(files.flatMap(docstringFindings)).toEqual([]));
  test('never bypasses the type checker', () => expect(files.flatMap(typeFindings)).toEqual([]));
  test('reads the environment in one file only', () => expect(files.flatMap(environmentFindings)).toEqual([]));
  test('has the same files on disk as in the tree of ARCHITECTURE.md', () => {
    expect(drawnFiles(readFileSync(architectureFile, 'utf8'))).toEqual(paths);
  });
});

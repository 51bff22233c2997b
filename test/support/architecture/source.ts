/** Parses TypeScript files for the architecture rules: syntax tree, comments and imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix, relative, sep } from 'node:path';
import { type Comment, type Directive, type Program, parseSync, type Statement, Visitor } from 'oxc-parser';

/** An import of any form: static, type-only, dynamic, a re-export, a type query. */
export interface SourceImport {
  /** The specifier as written. */
  specifier: string;
  /** The imported file, relative to the root; undefined for packages. It may be outside of the root (`../…`). */
  target: string | undefined;
  line: number;
}

/** One parsed file. `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  path: string;
  text: string;
  program: Program;
  comments: readonly Comment[];
  statements: readonly (Directive | Statement)[];
  imports: readonly SourceImport[];
  /** The line, counted from 1, of an offset in the text. */
  lineOf(offset: number): number;
}

/** Every file below a folder, relative to it, with forward slashes, sorted. */
export function filePaths(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, `${entry.parentPath}${sep}${entry.name}`).replaceAll(sep, '/'))
    .sort();
}

/** Every TypeScript file below a folder, parsed. */
export function readSourceFiles(folder: string): SourceFile[] {
  return filePaths(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parseSource(path, readFileSync(`${folder}/${path}`, 'utf8')));
}

/**
 * Parses one file.
 * @throws Error where the text is not TypeScript.
 */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  return { path, text, program, comments, statements: program.body, imports: importsOf(path, program, lineOf), lineOf };
}

function importsOf(path: string, program: Program, lineOf: (offset: number) => number): SourceImport[] {
  const imports: SourceImport[] = [];
  const add = (source: { value?: unknown; start: number } | null) => {
    if (typeof source?.value !== 'string') return;
    const specifier = source.value;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    imports.push({ specifier, target, line: lineOf(source.start) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add('value' in node.source ? node.source : null),
    TSImportType: (node) => add(node.source),
  }).visit(program);
  return imports;
}

/**
 * Architecture rules about the content of a file: long functions, missing docstrings, bypasses of the type checker, reading of
 * the environment. Each takes a parsed file and returns findings, as `path:line: what is wrong`.
 */
import { type Expression, type Node, type Statement, type TSType, Visitor } from 'oxc-parser';
import type { SourceFile } from './source.ts';

/** The longest function, in lines from its first to its last; blank lines and comments count. */
export const functionLinesMax = 50;

/** Files that may access the environment: `config.ts` reads it, the two entry points pass it on. */
const environmentReaders = ['config.ts', 'main.ts', 'hestia.ts'];

/** Functions, methods and arrow functions that are too long. Nested functions count towards the outer one. */
export function functionFindings(file: SourceFile): string[] {
  const findings: string[] = [];
  const check = (node: Node) => {
    const line = file.lineOf(node.start);
    const lines = file.lineOf(node.end) - line + 1;
    if (lines <= functionLinesMax) return;
    findings.push(`${file.path}:${line}: a function of ${lines} lines, at most ${functionLinesMax} are allowed`);
  };
  new Visitor({ FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check }).visit(
    file.program,
  );
  return findings;
}

/** `any`, `as` other than `as const`, `<T>value`, `!` after a value or a declaration, and comments that suppress type errors. */
export function typeFindings(file: SourceFile): string[] {
  const findings: string[] = [];
  const add = (node: { start: number }, what: string) => {
    findings.push(`${file.path}:${file.lineOf(node.start)}: ${what} is not allowed`);
  };
  const definite = (node: Node & { definite?: boolean }) => {
    if (node.definite) add(node, '`!`');
  };
  new Visitor({
    TSAnyKeyword: (node) => add(node, '`any`'),
    TSAsExpression: (node) => {
      if (!isConst(node.typeAnnotation)) add(node, '`as`');
    },
    TSTypeAssertion: (node) => add(node, '`<T>value`'),
    TSNonNullExpression: (node) => add(node, '`!`'),
    VariableDeclarator: definite,
    PropertyDefinition: definite,
  }).visit(file.program);
  for (const comment of file.comments) {
    const suppression = /@ts-(?:ignore|expect-error|nocheck)/.exec(comment.value);
    if (suppression !== null) add(comment, `\`${suppression[0]}\``);
  }
  return findings;
}

function isConst(type: TSType): boolean {
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'const';
}

/** Uses of `process.env`, in any form, outside of the files that may access it. */
export function environmentFindings(file: SourceFile): string[] {
  if (environmentReaders.includes(file.path)) return [];
  const findings: string[] = [];
  const add = (node: Node) =>
    findings.push(`${file.path}:${file.lineOf(node.start)}: only config.ts reads the environment`);
  new Visitor({
    MemberExpression: (node) => {
      const name = node.property.type === 'Literal' ? node.property.value : propertyName(node.property);
      if (isProcess(node.object) && name === 'env') add(node);
    },
    VariableDeclarator: (node) => {
      if (node.init === null || !isProcess(node.init) || node.id.type !== 'ObjectPattern') return;
      if (node.id.properties.some((property) => property.type === 'Property' && propertyName(property.key) === 'env'))
        add(node);
    },
    ImportDeclaration: (node) => {
      if (!/^(?:node:)?process$/.test(node.source.value)) return;
      if (node.specifiers.some((one) => one.type === 'ImportSpecifier' && propertyName(one.imported) === 'env'))
        add(node);
    },
  }).visit(file.program);
  return findings;
}

function isProcess(node: Expression): boolean {
  if (node.type === 'Identifier') return node.name === 'process';
  return node.type === 'MemberExpression' && propertyName(node.property) === 'process';
}

function propertyName(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : undefined;
}

/** Reports a file that does not begin with a docblock. A `#!` line may precede it. */
export function docblockFindings(file: SourceFile): string[] {
  return /^(?:#!.*\n)?\/\*\*/.test(file.text) ? [] : [`${file.path}:1: does not begin with a docblock`];
}

/** The first sentence of the comment that a source file begins with, without its full stop. */
export function firstSentence(text: string): string {
  const comment = /^(?:#!.*\n)?(?:\/\*\*(?<block>[\s\S]*?)\*\/|--(?<line>.*))/.exec(text)?.groups ?? {};
  const prose = (comment.block ?? comment.line ?? '').replaceAll(/\n \*/g, ' ').replaceAll(/\s+/g, ' ').trim();
  return (/^.*?[.](?=\s|$)/.exec(prose)?.[0] ?? prose).replace(/\.$/, '');
}

/** The longest first sentence of a file, in characters: it is one line of the tree in ARCHITECTURE.md. */
export const firstSentenceLengthMax = 100;

/** Reports a file whose first sentence is too long for the tree. */
export function firstSentenceFindings({ path, text }: Pick<SourceFile, 'path' | 'text'>): string[] {
  const { length } = firstSentence(text);
  if (length <= firstSentenceLengthMax) return [];
  return [`${path}:1: begins with a sentence of ${length} characters, at most ${firstSentenceLengthMax} are allowed`];
}

/**
 * Exports without a docstring directly before them; the docblock of the file does not count. Re-exports need none, nor do
 * exports that share a name or schema with a documented one: overloads, and `z.infer` of a schema beside it.
 */
export function docstringFindings(file: SourceFile): string[] {
  const documented = new Set<string>();
  return file.statements.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' && statement.type !== 'ExportDefaultDeclaration') return [];
    if (statement.type === 'ExportNamedDeclaration' && isReExport(file, statement)) return [];
    const names = declaredNames(statement);
    const shared = [...names, ...inferredFrom(statement)].some((name) => documented.has(name));
    const has = hasDocstring(file, statement.start);
    if (has || shared) for (const name of names) documented.add(name);
    if (has || shared) return [];
    return [`${file.path}:${file.lineOf(statement.start)}: the export of ${names.join(', ')} has no docstring`];
  });
}

type ExportStatement = Extract<Statement, { type: 'ExportNamedDeclaration' | 'ExportDefaultDeclaration' }>;

function isReExport(file: SourceFile, statement: Extract<Statement, { type: 'ExportNamedDeclaration' }>): boolean {
  if (statement.source !== null) return true;
  if (statement.declaration !== null) return false;
  const imported = new Set(
    file.statements.flatMap((other) =>
      other.type === 'ImportDeclaration' ? other.specifiers.map((specifier) => specifier.local.name) : [],
    ),
  );
  return statement.specifiers.every(({ local }) => local.type === 'Identifier' && imported.has(local.name));
}

function declaredNames(statement: ExportStatement): string[] {
  if (statement.type === 'ExportDefaultDeclaration') return ['default'];
  const { declaration } = statement;
  if (declaration === null) return statement.specifiers.map(({ exported }) => propertyName(exported) ?? 'default');
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.map(({ id }) => propertyName(id) ?? 'a pattern');
  return 'id' in declaration && declaration.id !== null ? [propertyName(declaration.id) ?? 'a module'] : [];
}

/** The name of the schema in `type X = z.infer<typeof schema>`. */
function inferredFrom(statement: ExportStatement): string[] {
  if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'TSTypeAliasDeclaration')
    return [];
  const type = statement.declaration.typeAnnotation;
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'TSQualifiedName') return [];
  if (propertyName(type.typeName.left) !== 'z') return [];
  const [parameter] = type.typeArguments?.params ?? [];
  return parameter?.type === 'TSTypeQuery' ? [propertyName(parameter.exprName) ?? ''] : [];
}

function hasDocstring(file: SourceFile, offset: number): boolean {
  const before = file.comments.findLast((comment) => comment.end <= offset);
  if (before === undefined || before.start === 0 || !before.value.startsWith('*')) return false;
  return file.text.slice(before.end, offset).trim() === '';
}

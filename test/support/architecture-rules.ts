/**
 * The rules about files and about who imports whom. Each takes parsed files and answers one finding for each
 * breach, as `path:line: what is wrong`; no finding, no breach. Paths are relative to `src/`.
 */
import type { SourceFile } from './architecture-source.ts';

/** The longest file, in lines. */
export const fileLinesMax = 300;

const doors = ['http', 'mcp', 'cli', 'schedule'];

/** What each room, and each file beside the rooms, may import besides itself. `telemetry` knows no room; `shapes` knows nobody. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(doors.map((door) => [door, ['domain', 'shapes', 'telemetry']])),
  domain: ['stores', 'upstream', 'shapes', 'telemetry'],
  stores: ['shapes', 'telemetry'],
  upstream: ['shapes', 'telemetry'],
  telemetry: ['shapes'],
  shapes: [],
  config: ['shapes'],
  wiring: [...doors, 'domain', 'stores', 'upstream', 'telemetry', 'shapes', 'config'],
  main: [...doors, 'domain', 'stores', 'upstream', 'telemetry', 'shapes', 'config', 'wiring'],
  hestia: ['cli', 'config', 'main'],
};

/** The rooms that are folders; all others of the table are single files directly in `src/`. */
const folders = new Set(['http', 'mcp', 'cli', 'domain', 'stores', 'upstream', 'telemetry', 'shapes']);

/** Files outside of `src/` that may be imported, by who may import them. */
const outsideImports: Readonly<Record<string, readonly string[]>> = { 'config.ts': ['../package.json'] };

const forbiddenNames = new Set(['index', 'utils', 'util', 'helpers', 'helper', 'common']);
const kebabCase = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** The room a file belongs to: its folder, or its own name where it lies directly in `src/`. */
export function roomOf(path: string): string {
  const at = path.indexOf('/');
  return at === -1 ? path.replace(/\.ts$/, '') : path.slice(0, at);
}

/** Files that lie in no room of the house. */
export function roomFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !(roomOf(path) in allowedImports) || path.includes('/') !== folders.has(roomOf(path)))
    .map(({ path }) => `${path}: is in no room of the house`);
}

/** Imports against the row of rooms, and imports of files outside of `src/`. */
export function directionFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const from = roomOf(file.path);
    return file.imports.flatMap(({ target, line }) => {
      if (target === undefined || outsideImports[file.path]?.includes(target)) return [];
      if (target.startsWith('../')) return [`${file.path}:${line}: imports ${target}, which is outside of src/`];
      const to = roomOf(target);
      if (to === from || allowedImports[from]?.includes(to)) return [];
      return [`${file.path}:${line}: ${from} may not import ${to} (${target})`];
    });
  });
}

/** Circular imports, each told once as the path it goes; type-only imports count. */
export function cycleFindings(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const findings: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at !== -1) findings.push(`${path}: is imported in a circle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at !== -1 || finished.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) visit(target, [...trail, path]);
    }
    finished.add(path);
  };
  for (const { path } of files) visit(path, []);
  return findings;
}

/** Files that nobody imports, besides the entry points. */
export function orphanFindings(files: readonly SourceFile[], entryPoints: readonly string[]): string[] {
  const imported = new Set(files.flatMap((file) => file.imports.map(({ target }) => target)));
  return files
    .filter(({ path }) => !imported.has(path) && !entryPoints.includes(path))
    .map(({ path }) => `${path}: nobody imports it`);
}

/** Relative imports that do not end in `.ts` (or, for data, `.json`): Node resolves no extension. */
export function extensionFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== undefined && !/\.(?:ts|json)$/.test(target))
      .map(({ specifier, line }) => `${file.path}:${line}: the import ${specifier} does not end in .ts`),
  );
}

/** A file that is too long, by its path and text; blank lines and comments count. */
export function lengthFindings(path: string, text: string): string[] {
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines > fileLinesMax ? [`${path}: has ${lines} lines, at most ${fileLinesMax} are allowed`] : [];
}

/** Paths with a part that is not kebab-case, and file names that say nothing. */
export function nameFindings(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.replace(/\.[a-z]+$/, '').split('/');
    const wrong = parts.find((part) => !kebabCase.test(part));
    if (wrong !== undefined) return [`${path}: "${wrong}" is not kebab-case`];
    const name = parts.at(-1) ?? '';
    return forbiddenNames.has(name) ? [`${path}: "${name}" does not say what it is about`] : [];
  });
}

/**
 * Architecture rules about files and imports: rooms, directions, cycles, sizes and names. Each takes parsed files and returns
 * a finding, as `path:line: what is wrong`, for each violation. Paths are relative to `src/`.
 */
import type { SourceFile } from './source.ts';

/** The longest file, in lines. */
export const fileLinesMax = 300;

const doors = ['http', 'mcp', 'console', 'cli', 'schedule'];

/** The rooms below the domain: it may import them, and they may not import it. */
const foundations = ['stores', 'journal', 'search-index', 'upstream', 'telemetry', 'flow', 'shapes'];

/** What each room, and each file directly in `src/`, may import besides itself. `flow` and `shapes` import no other room. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(doors.map((door) => [door, ['domain', 'shapes', 'telemetry', 'flow']])),
  domain: foundations,
  stores: ['shapes', 'telemetry', 'flow'],
  journal: ['shapes', 'telemetry', 'flow'],
  'search-index': ['shapes', 'telemetry', 'flow'],
  upstream: ['shapes', 'telemetry', 'flow'],
  telemetry: ['shapes', 'flow'],
  flow: [],
  shapes: [],
  config: ['shapes', 'flow'],
  wiring: [...doors, 'domain', ...foundations, 'config'],
  main: [...doors, 'domain', ...foundations, 'config', 'wiring'],
  hestia: ['cli', 'config', 'main', 'shapes'],
};

/** By folder below a room: rooms of the same column that it may import. The views of the journal read its segments. */
const allowedBeside: Readonly<Record<string, readonly string[]>> = { 'stores/views/': ['journal'] };

/** What each inner room of `domain/` may import from the others. None imports the use cases, `domain/*.ts`. */
const allowedInDomain: Readonly<Record<string, readonly string[]>> = {
  audit: [],
  scan: [],
  access: ['audit'],
  server: ['audit'],
  offline: ['access', 'audit'],
  screening: ['audit', 'scan'],
  search: ['access'],
  skill: ['access'],
  resource: ['screening', 'skill'],
  call: ['audit', 'search'],
  login: ['access', 'audit'],
  offer: ['audit', 'access', 'call', 'screening'],
};

/** The rooms that are single files in `src/`; all others are folders. */
const singleFiles = new Set(['schedule', 'config', 'main', 'hestia']);

/** By importing file: files outside of `src/` that it may import. */
const outsideImports: Readonly<Record<string, readonly string[]>> = { 'config.ts': ['../package.json'] };

/** The most files in one folder. */
export const folderFilesMax = 20;

const forbiddenNames = new Set(['index', 'utils', 'util', 'helpers', 'helper', 'common']);
const kebabCase = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** The room a file belongs to: its top folder, or its own name where it lies directly in `src/`. */
export function roomOf(path: string): string {
  const at = path.indexOf('/');
  return at === -1 ? path.replace(/\.ts$/, '') : path.slice(0, at);
}

/** The inner room of `domain/` a file belongs to: undefined for a use case, and for a file of another room. */
function innerRoomOf(path: string): string | undefined {
  const [room, inner, file] = path.split('/');
  return room === 'domain' && file !== undefined ? inner : undefined;
}

/** Files that are in no known room. */
export function roomFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => {
      const inner = innerRoomOf(path);
      const isKnown = roomOf(path) in allowedImports && (inner === undefined || inner in allowedInDomain);
      return !isKnown || path.includes('/') === singleFiles.has(roomOf(path));
    })
    .map(({ path }) => `${path}: is in no known room`);
}

/** Imports that violate the order of the rooms or of the inner rooms of `domain/`, and imports from outside of `src/`. */
export function directionFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap(({ target, line }) => {
      if (target === undefined || outsideImports[file.path]?.includes(target)) return [];
      const reason = importFault(file.path, target);
      return reason === undefined ? [] : [`${file.path}:${line}: ${reason}`];
    }),
  );
}

function importFault(path: string, target: string): string | undefined {
  if (target.startsWith('../')) return `imports ${target}, which is outside of src/`;
  const [from, to] = [roomOf(path), roomOf(target)];
  if (to === 'domain') return domainImportFault(path, target);
  if (to === from || allowedImports[from]?.includes(to)) return undefined;
  if (Object.entries(allowedBeside).some(([folder, rooms]) => path.startsWith(folder) && rooms.includes(to)))
    return undefined;
  return `${from} may not import ${to} (${target})`;
}

function domainImportFault(path: string, target: string): string | undefined {
  const from = roomOf(path);
  const [inner, targetInner] = [innerRoomOf(path), innerRoomOf(target)];
  if (from !== 'domain') {
    if (!allowedImports[from]?.includes('domain')) return `${from} may not import domain (${target})`;
    const isUseCase = targetInner === undefined;
    return isUseCase || !doors.includes(from) ? undefined : `${from} may import use cases of domain only (${target})`;
  }
  if (inner === undefined || inner === targetInner) return undefined;
  if (targetInner === undefined) return `domain/${inner} may not import a use case (${target})`;
  if (allowedInDomain[inner]?.includes(targetInner)) return undefined;
  return `domain/${inner} may not import domain/${targetInner} (${target})`;
}

/** Folders with more than {@link folderFilesMax} files of their own, by the paths of all files. */
export function folderFindings(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > folderFilesMax)
    .map(([folder, count]) => `${folder}: holds ${count} files, at most ${folderFilesMax} are allowed`);
}

/** Import cycles, each reported once with its path. Type-only imports count. */
export function cycleFindings(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const findings: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at !== -1) findings.push(`${path}: is part of an import cycle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at !== -1 || finished.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) visit(target, [...trail, path]);
    }
    finished.add(path);
  };
  for (const { path } of files) visit(path, []);
  return findings;
}

/** Files that are never imported and are not entry points. */
export function orphanFindings(files: readonly SourceFile[], entryPoints: readonly string[]): string[] {
  const imported = new Set(files.flatMap((file) => file.imports.map(({ target }) => target)));
  return files
    .filter(({ path }) => !imported.has(path) && !entryPoints.includes(path))
    .map(({ path }) => `${path}: is never imported`);
}

/** Relative imports that do not end in `.ts` (or, for data, `.json`): Node resolves no extension. */
export function extensionFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== undefined && !/\.(?:ts|json)$/.test(target))
      .map(({ specifier, line }) => `${file.path}:${line}: the import ${specifier} does not end in .ts`),
  );
}

/** Reports a file that is too long. Blank lines and comments count. */
export function lengthFindings(path: string, text: string): string[] {
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines > fileLinesMax ? [`${path}: has ${lines} lines, at most ${fileLinesMax} are allowed`] : [];
}

/** Paths with a part that is not in kebab-case, and file names that do not name a subject. */
export function nameFindings(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.replace(/\.[a-z]+$/, '').split('/');
    const wrong = parts.find((part) => !kebabCase.test(part));
    if (wrong !== undefined) return [`${path}: "${wrong}" is not kebab-case`];
    const name = parts.at(-1) ?? '';
    return forbiddenNames.has(name) ? [`${path}: "${name}" does not name a subject`] : [];
  });
}

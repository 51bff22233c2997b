/** Finds the server entries of a file, where each MCP client has them, and the inputs of VS Code. */
import { isJsonObject, type JsonObject } from '../../json.ts';
import type { EntryNote, ServerInput } from './surroundings.ts';

/** A server entry and where it is. */
export interface FoundEntry {
  id: string;
  path: readonly string[];
  value: unknown;
}

/** The server entries of a file. */
export interface FoundServers {
  /** One entry for each id: the first. */
  entries: FoundEntry[];
  inputs: ServerInput[];
  warnings: EntryNote[];
  /** Keys of the file that were read as servers or inputs. */
  keysRead: ReadonlySet<string>;
}

/** Keys that hold servers by id, with the clients that use them. */
const serverMapKeys = [
  'mcpServers', // the hub, and most clients
  'servers', // VS Code
  'context_servers', // Zed
  'mcp_servers', // Codex
  'amp.mcpServers', // Amp
] as const;

/** Keys by which a value is recognised as a server where none is expected. */
const entryMarks = ['command', 'url', 'httpUrl', 'serverUrl', 'uri', 'cmd'] as const;

/** Finds the server entries in the parsed content of a file. `isOwnKey` names the keys that are never servers. */
export function findServers(file: JsonObject, isOwnKey: (key: string) => boolean): FoundServers {
  const found: FoundEntry[] = [];
  const warnings: EntryNote[] = [];
  const keysRead = new Set<string>();
  let inputs = inputsOf(file.inputs);
  const add = (path: readonly string[], value: unknown) => {
    keysRead.add(path[0] ?? '');
    found.push(...entriesOf(path, value, warnings));
  };
  for (const key of serverMapKeys) if (file[key] !== undefined) add([key], file[key]);
  const { mcp, extensions } = file;
  if (isJsonObject(mcp)) {
    keysRead.add('mcp');
    if (isJsonObject(mcp.servers)) {
      add(['mcp', 'servers'], mcp.servers);
      inputs = [...inputs, ...inputsOf(mcp.inputs)];
    } else if (Object.values(mcp).every(looksLikeEntry)) add(['mcp'], mcp);
    else warnings.push({ path: ['mcp'], text: 'ignored: it holds settings of a client, no servers' });
  }
  const goose = gooseExtensions(extensions);
  if (goose !== undefined) add(['extensions'], goose);
  if (file.inputs !== undefined) keysRead.add('inputs');
  for (const [key, value] of Object.entries(file)) {
    if (keysRead.has(key) || isOwnKey(key) || !looksLikeEntry(value)) continue;
    warnings.push({ path: [key], text: 'read as a server; servers belong into "mcpServers"' });
    add([key], { [key]: value });
  }
  return { ...firstOfEach(found, warnings), inputs, keysRead };
}

/** The servers of the projects in `~/.claude.json`, by project folder. */
export function projectServers(file: JsonObject): { folder: string; entries: FoundEntry[] }[] {
  if (!isJsonObject(file.projects)) return [];
  return Object.entries(file.projects).flatMap(([folder, project]) => {
    if (!isJsonObject(project)) return [];
    const entries = entriesOf(['projects', folder, 'mcpServers'], project.mcpServers, []);
    return entries.length === 0 ? [] : [{ folder, entries }];
  });
}

function looksLikeEntry(value: unknown): boolean {
  return isJsonObject(value) && entryMarks.some((mark) => value[mark] !== undefined);
}

/** Goose has its servers under `extensions`, each with a type, or in `config`; other clients have other things there. */
function gooseExtensions(value: unknown): JsonObject | undefined {
  if (!isJsonObject(value) && !Array.isArray(value)) return undefined;
  const items = Object.entries(value).map(([key, item]): [string, unknown] => {
    if (!isJsonObject(item)) return [key, item];
    const { config, enabled } = item;
    const flat = isJsonObject(config) ? { ...config, ...(enabled !== undefined && { enabled }) } : item;
    return [Array.isArray(value) && typeof flat.name === 'string' ? flat.name : key, flat];
  });
  const areTyped = items.every(([, item]) => isJsonObject(item) && typeof item.type === 'string');
  return items.length > 0 && areTyped ? Object.fromEntries(items) : undefined;
}

/** The entries of a map by id, or of a list of entries with `name`. */
function entriesOf(path: readonly string[], value: unknown, warnings: EntryNote[]): FoundEntry[] {
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => {
      const name = isJsonObject(item) ? item.name : undefined;
      return { id: typeof name === 'string' ? name : `server ${at + 1}`, path: [...path, `${at}`], value: item };
    });
  }
  if (isJsonObject(value)) {
    // A map that is pasted into a map, as in { "mcpServers": { "mcpServers": { … } } }.
    const inner = serverMapKeys.find((key) => Object.keys(value).length === 1 && isMapOfEntries(value[key]));
    if (inner !== undefined) return entriesOf([...path, inner], value[inner], warnings);
    const single = path.at(-1);
    const isWrapped = path.length === 1 && single !== undefined && Object.hasOwn(value, single);
    return Object.entries(value).map(([id, item]) => ({ id, path: isWrapped ? [id] : [...path, id], value: item }));
  }
  if (value !== undefined && value !== null) {
    warnings.push({ path, text: 'ignored: must be an object of servers by name' });
  }
  return [];
}

function isMapOfEntries(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).some(looksLikeEntry) && !looksLikeEntry(value);
}

function firstOfEach(found: readonly FoundEntry[], warnings: readonly EntryNote[]) {
  const first = new Map<string, FoundEntry>();
  const repeated: EntryNote[] = [];
  for (const entry of found) {
    if (first.has(entry.id)) repeated.push({ path: entry.path, text: 'ignored: a server of this name is given above' });
    else first.set(entry.id, entry);
  }
  return { entries: [...first.values()], warnings: [...warnings, ...repeated] };
}

function inputsOf(value: unknown): ServerInput[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (!isJsonObject(item) || typeof item.id !== 'string') return [];
    const text = (one: unknown) => (typeof one === 'string' ? one : undefined);
    const { id, description, password } = item;
    return [{ id, description: text(description), default: text(item.default), isSecret: password === true }];
  });
}

/**
 * Reads the text of `hestia.config.json`: the hub's settings, and servers as MCP clients write them.
 * A server that cannot be used is misconfigured; any other error stops the start.
 */
import { isJsonObject, type JsonObject } from '../../json.ts';
import { printable, truncated } from '../../text.ts';
import { type ConfigurationFile, configurationFileSchema } from '../config.ts';
import { ConfigurationError } from '../configuration-error.ts';
import { isCommentKey } from '../servers/entry-keys.ts';
import { findServers, projectServers } from '../servers/find-servers.ts';
import { nearestNameHint } from '../servers/nearest-name.ts';
import { type ReadServers, readServers } from '../servers/read-servers.ts';
import type { EntryNote, EntrySurroundings } from '../servers/surroundings.ts';
import { isClientSetting } from './client-settings.ts';
import { issueText } from './issue-text.ts';
import { type ParsedJsonText, parseJsonText } from './json-text.ts';

/** The content of a configuration file. */
export interface ConfigurationContent {
  settings: Omit<ConfigurationFile, 'mcpServers'>;
  servers: ReadServers;
}

/** A configuration file, and what its text is read with. */
export interface ConfigurationSource {
  /** The absolute path of the file. Errors name it, and warnings and reasons its last part. */
  file: string;
  surroundings: Omit<EntrySurroundings, 'inputs'>;
}

type ParsedText = Extract<ParsedJsonText, { outcome: 'parsed' }>;

const ownKeys = Object.keys(configurationFileSchema.shape);
const lineLengthMax = 500;

/** Reads the text. @throws ConfigurationError with one line: file, line, column, key, what was found, what to write */
export function readConfigurationText(text: string, { file, surroundings }: ConfigurationSource): ConfigurationContent {
  const parsed = parseJsonText(text);
  if (parsed.outcome === 'broken') {
    const { line, column } = parsed.place;
    throw new ConfigurationError(`${file}:${line}:${column}: not valid JSON: ${parsed.reason}`);
  }
  const { value } = parsed;
  if (!isJsonObject(value)) throw new ConfigurationError(`${file}: (the whole file): must be an object, { … }`);
  const describe = (note: EntryNote) => noteLine(file.replace(/^.*[/\\]/, ''), parsed, note);
  const found = findServers(value, (key) => ownKeys.includes(key));
  const servers = readServers(found, { ...surroundings, inputs: found.inputs }, describe);
  const isForeign = (key: string) => !ownKeys.includes(key) && !found.keysRead.has(key) && !isCommentKey(key);
  const foreign = Object.keys(value).filter(isForeign);
  servers.warnings.push(...fileWarnings({ file, parsed, value, foreign }, found.keysRead).map(describe));
  return { settings: parsedSettings(value, { file, parsed }), servers };
}

function noteLine(file: string, parsed: ParsedText, { path, text }: EntryNote): string {
  const { line, column } = parsed.placeOf(path);
  return truncated(printable(`${file}:${line}:${column}: ${keyText(path)}: ${text}`), lineLengthMax);
}

function keyText(path: readonly string[]): string {
  return path.join('.') || '(the whole file)';
}

interface OpenFile {
  file: string;
  parsed: ParsedText;
  value: JsonObject;
  /** Keys that are not the hub's and hold no servers. */
  foreign: readonly string[];
}

/** The most foreign keys that a warning names. */
const keysNamedMax = 8;

/** Warnings about keys of the file. @throws ConfigurationError for an unknown key, unless the file is that of a client */
function fileWarnings({ file, parsed, value, foreign }: OpenFile, keysRead: ReadonlySet<string>): EntryNote[] {
  const isOfClient = foreign.some(isClientSetting) || [...keysRead].some((key) => key !== 'mcpServers');
  for (const key of foreign) {
    const hint = isClientSetting(key) ? '' : nearestNameHint(key, ownKeys);
    if (isOfClient && hint === '') continue;
    const { line, column } = parsed.placeOf([key]);
    throw new ConfigurationError(`${file}:${line}:${column}: ${key}: unknown key${hint}`);
  }
  const named = foreign.slice(0, keysNamedMax).map((key) => `"${truncated(key, 40)}"`);
  const more = foreign.length > named.length ? ` and ${foreign.length - named.length} more` : '';
  const settings = { path: [], text: `ignored, since they are settings of a client: ${named.join(', ')}${more}` };
  return [
    ...(foreign.length > 0 ? [settings] : []),
    ...projectServers(value).map(({ folder, entries }) => ({
      path: ['projects', folder, 'mcpServers'],
      text: `ignored: the servers of one project (${entries.length}); hestia servers import reads them`,
    })),
    ...parsed.repeatedKeys.map(({ path }) => ({ path, text: 'given more than once; the last one counts' })),
  ];
}

function parsedSettings(value: JsonObject, { file, parsed }: Pick<OpenFile, 'file' | 'parsed'>) {
  const own = Object.fromEntries(
    Object.entries(value).filter(([key]) => ownKeys.includes(key) && key !== 'mcpServers'),
  );
  const checked = configurationFileSchema.omit({ mcpServers: true }).safeParse(own);
  if (!checked.success) {
    const { path, text } = issueText(checked.error, own, () => true);
    const { line, column } = parsed.placeOf(path);
    const hint = text === 'unknown key' ? siblingHint(path) : '';
    throw new ConfigurationError(`${file}:${line}:${column}: ${keyText(path)}: ${text}${hint}`);
  }
  requireAtMost(checked.data.limits, { key: 'callTimeoutMs', maxKey: 'callTimeoutMsMax' }, { file, parsed });
  requireAtMost(checked.data.limits, { key: 'reconnectDelayMs', maxKey: 'reconnectDelayMsMax' }, { file, parsed });
  return checked.data;
}

/** The hint about a misspelled key of a group, such as `limits`. */
function siblingHint(path: readonly string[]): string {
  const defaults: unknown = configurationFileSchema.parse({});
  let group = defaults;
  for (const part of path.slice(0, -1)) group = isJsonObject(group) ? group[part] : undefined;
  return isJsonObject(group) ? nearestNameHint(path.at(-1) ?? '', Object.keys(group)) : '';
}

type Limits = ConfigurationFile['limits'];

/** A limit that has a default. */
type LimitKey = Exclude<keyof Limits, 'memoryBytesMax'>;

function requireAtMost(
  limits: Limits,
  { key, maxKey }: { key: LimitKey; maxKey: LimitKey },
  { file, parsed }: Pick<OpenFile, 'file' | 'parsed'>,
): void {
  if (limits[key] <= limits[maxKey]) return;
  const { line, column } = parsed.placeOf(['limits', key]);
  throw new ConfigurationError(
    `${file}:${line}:${column}: limits.${key}: found ${limits[key]}, must be at most limits.${maxKey} (${limits[maxKey]})`,
  );
}

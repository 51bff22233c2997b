/**
 * Translates one server entry from the notation of any known MCP client into the hub's form. Variables stay in it, as
 * `${NAME}`. A problem makes this server misconfigured, and no other.
 */
import { isJsonObject, type JsonObject } from '../../json.ts';
import { splitCommand } from './command-line.ts';
import { aliases, clientKeys, isCommentKey, knownKeys, type OwnKey, ownKeys, refusedKeys } from './entry-keys.ts';
import { type TranslatedOauth, translateOauth } from './entry-oauth.ts';
import { serverType } from './entry-type.ts';
import { booleanValue, kindOf, listValue, mapValue, textValue, type ValueContext } from './entry-values.ts';
import { nearestNameHint } from './nearest-name.ts';
import { type EntryNote, EntryProblem, type EntrySurroundings } from './surroundings.ts';
import { expandHome } from './variables.ts';

/** An entry in the hub's form, before variables are replaced. */
export type TranslatedEntry =
  | {
      command: string;
      args: string[];
      env: Record<string, string>;
      cwd?: string;
      autoConnect?: false;
      disabledTools?: string[];
    }
  | {
      type?: 'http' | 'sse';
      url: string;
      headers: Record<string, string>;
      oauth?: TranslatedOauth;
      autoConnect?: false;
      disabledTools?: string[];
    };

/** The translation of one entry. `keyOf` maps the hub's keys to those of the entry. */
export type EntryTranslation = { warnings: EntryNote[]; keyOf: ReadonlyMap<string, string> } & (
  | { outcome: 'translated'; entry: TranslatedEntry }
  | { outcome: 'misconfigured'; problem: EntryNote }
);

/** Translates an entry. Never throws. */
export function translateEntry(value: unknown, surroundings: EntrySurroundings): EntryTranslation {
  const warnings: EntryNote[] = [];
  const fields = new Map<OwnKey, Field>();
  const warn = (path: readonly string[], text: string) => void warnings.push({ path, text });
  const keyOf = () => new Map([...fields].map(([key, { name }]) => [key, name]));
  try {
    collectFields(value, fields, warn);
    const entry = translatedEntry(fields, isJsonObject(value) ? value : {}, { surroundings, warn });
    return { outcome: 'translated', entry, warnings, keyOf: keyOf() };
  } catch (error) {
    if (!(error instanceof EntryProblem)) throw error;
    return { outcome: 'misconfigured', problem: { path: error.path, text: error.message }, warnings, keyOf: keyOf() };
  }
}

/** A value of the entry, and the key it was written under. */
interface Field {
  name: string;
  value: unknown;
}

/** Sorts the keys of an entry: collects the hub's, warns about those of clients, refuses unknown ones. */
function collectFields(value: unknown, fields: Map<OwnKey, Field>, warn: ValueContext['warn']): void {
  if (!isJsonObject(value)) {
    throw new EntryProblem(
      [],
      `found ${kindOf(value)}, must be { "command", "args", "env", "cwd" } or { "url", "headers" }`,
    );
  }
  for (const [name, found] of Object.entries(value)) {
    const key = ownKeys.find((own) => own === name) ?? (Object.hasOwn(aliases, name) ? aliases[name] : undefined);
    if (key !== undefined) addField(fields, key, { name, value: found }, warn);
    else if (isRefused(name, value)) throw new EntryProblem([name], refusedKeys[name] ?? '');
    else if (clientKeys.has(name)) warn([name], `ignored: ${clientKeys.get(name)}`);
    else if (!knownKeys.includes(name) && !isCommentKey(name)) {
      throw new EntryProblem([name], `unknown key${nearestNameHint(name, knownKeys) || '; remove it'}`);
    }
  }
}

/** An empty object of settings asks for nothing, and settings beside a command are for the editor only. */
function isRefused(name: string, entry: JsonObject): boolean {
  if (!Object.hasOwn(refusedKeys, name)) return false;
  return name !== 'settings' || (entry.command === undefined && entry.url === undefined);
}

function addField(fields: Map<OwnKey, Field>, key: OwnKey, field: Field, warn: ValueContext['warn']): void {
  const other = fields.get(key);
  // Some clients write null or an empty text for a key that they do not use.
  const isUnused = field.value === null || ((key === 'url' || key === 'command') && isBlank(field.value));
  if (isUnused) return;
  if (other === undefined) return void fields.set(key, field);
  const streamable = [other, field].find(({ name }) => name === 'httpUrl');
  if (key === 'url' && streamable !== undefined) {
    warn([key], `ignored: "httpUrl" is used`);
    fields.set(key, streamable);
    return;
  }
  throw new EntryProblem([field.name], `"${other.name}" and "${field.name}" mean the same; write one of them`);
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

function translatedEntry(
  fields: ReadonlyMap<OwnKey, Field>,
  entry: JsonObject,
  context: ValueContext,
): TranslatedEntry {
  const pathOf = (key: OwnKey) => [fields.get(key)?.name ?? key];
  const has = { command: fields.has('command'), url: fields.has('url') };
  const type = serverType(fields.get('type')?.value, pathOf('type'), has);
  const ignored = type === 'stdio' ? 'url' : 'command';
  if (has[ignored]) context.warn(pathOf(ignored), `ignored: the type of the server is ${type}`);
  const disabledTools = fields.has('disabledTools')
    ? listValue(fields.get('disabledTools')?.value, pathOf('disabledTools'), context)
    : [];
  const state = {
    ...(isOff(fields, pathOf) && ({ autoConnect: false } as const)),
    ...(disabledTools.length > 0 && { disabledTools }),
  };
  if (type === 'stdio') return { ...stdioEntry(fields, entry, context), ...state };
  const url = textValue(fields.get('url')?.value, pathOf('url'), context).trim();
  const oauth = fields.has('oauth') ? translateOauth(fields.get('oauth')?.value, pathOf('oauth'), context) : undefined;
  const login = oauth === undefined ? {} : { oauth };
  return { ...(type !== 'remote' && { type }), url, headers: headersOf(fields, entry, context), ...login, ...state };
}

function isOff(fields: ReadonlyMap<OwnKey, Field>, pathOf: (key: OwnKey) => string[]): boolean {
  const flag = (key: OwnKey, byDefault: boolean) =>
    fields.has(key) ? booleanValue(fields.get(key)?.value, pathOf(key)) : byDefault;
  return flag('disabled', false) || !flag('enabled', true) || !flag('autoConnect', true);
}

function stdioEntry(fields: ReadonlyMap<OwnKey, Field>, entry: JsonObject, context: ValueContext) {
  const { home } = context.surroundings;
  const path = [fields.get('command')?.name ?? 'command'];
  const written = commandParts(fields.get('command')?.value, path, context);
  const args = fields.has('args') ? listValue(fields.get('args')?.value, ['args'], context) : [];
  const given = { command: written.command, args: [...written.args, ...args] };
  const line = written.isWhole ? given : splitCommand(given, { path, ...context });
  const cwd = fields.get('cwd');
  return {
    command: expandHome(textValue(line.command, path, context), home),
    args: line.args.map((arg) => textValue(arg, path, context)),
    env: { ...written.env, ...environmentOf(fields, entry, context) },
    ...(cwd !== undefined && { cwd: expandHome(textValue(cwd.value, [cwd.name], context), home) }),
  };
}

/**
 * A command is a text, which may be a command line, a list (opencode), or an object of `path`, `args` and `env` (Zed
 * before 2025). `isWhole`: the command is one word, whatever it contains.
 */
function commandParts(value: unknown, path: readonly string[], context: ValueContext) {
  if (Array.isArray(value)) {
    const [command, ...args] = listValue(value, path, context);
    if (command === undefined) throw new EntryProblem(path, 'an empty list; write the program to start');
    return { command, args, env: {}, isWhole: true };
  }
  if (isJsonObject(value)) {
    return {
      command: textValue(value.path, [...path, 'path'], context),
      args: value.args === undefined ? [] : listValue(value.args, [...path, 'args'], context),
      env: isJsonObject(value.env) ? mapValue(value.env, [...path, 'env'], context) : {},
      isWhole: true,
    };
  }
  if (typeof value !== 'string') {
    throw new EntryProblem(path, `found ${kindOf(value)}, must be the program to start, as text`);
  }
  return { command: value, args: [], env: {}, isWhole: false };
}

function environmentOf(fields: ReadonlyMap<OwnKey, Field>, entry: JsonObject, context: ValueContext) {
  const field = fields.get('env');
  const env = field === undefined ? {} : mapValue(field.value, [field.name], context);
  for (const key of ['env_keys', 'env_vars'] as const) {
    for (const item of Array.isArray(entry[key]) ? entry[key] : []) {
      const name: unknown = isJsonObject(item) ? item.name : item;
      if (typeof name !== 'string') throw new EntryProblem([key], 'must be a list of names of variables');
      env[name] ??= `\${${name}}`;
    }
  }
  return env;
}

function headersOf(fields: ReadonlyMap<OwnKey, Field>, entry: JsonObject, context: ValueContext) {
  const field = fields.get('headers');
  const headers = field === undefined ? {} : mapValue(field.value, [field.name], context);
  const { requestInit, env_http_headers: variables, bearer_token_env_var: variable, bearerToken: token } = entry;
  if (isJsonObject(requestInit) && requestInit.headers !== undefined) {
    Object.assign(headers, mapValue(requestInit.headers, ['requestInit', 'headers'], context));
  }
  if (variables !== undefined && variables !== null) {
    const names = Object.entries(mapValue(variables, ['env_http_headers'], context));
    for (const [header, name] of names) headers[header] = `\${${name}}`;
  }
  if (typeof variable === 'string') headers.Authorization = `Bearer \${${variable}}`;
  if (typeof token === 'string' && token !== '') {
    headers.Authorization = `Bearer ${textValue(token, ['bearerToken'], context)}`;
  }
  return headers;
}

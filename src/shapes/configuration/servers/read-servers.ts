/** Reads all server entries of a file into the hub's form, with variables replaced. A bad entry affects no other. */
import type { z } from 'zod';
import { isJsonObject } from '../../json.ts';
import {
  type MisconfiguredServer,
  type ServerConfiguration,
  serverConfigurationSchema,
  serverIdSchema,
} from '../../server.ts';
import { issueText } from '../file/issue-text.ts';
import { type TranslatedEntry, translateEntry } from './entry.ts';
import type { FoundEntry, FoundServers } from './find-servers.ts';
import { type EntryNote, EntryProblem, type EntrySurroundings } from './surroundings.ts';
import { expandVariables } from './variables.ts';

/** The servers of a file. */
export interface ReadServers {
  servers: Record<string, ServerConfiguration>;
  misconfigured: MisconfiguredServer[];
  /** One line each. */
  warnings: string[];
}

/** Reads the entries. `describe` makes the line for a note, given the whole path in the file. Never throws. */
export function readServers(
  found: FoundServers,
  surroundings: EntrySurroundings,
  describe: (note: EntryNote) => string,
): ReadServers {
  const servers: ReadServers['servers'] = {};
  const misconfigured: MisconfiguredServer[] = [];
  const warnings = found.warnings.map(describe);
  for (const entry of found.entries) {
    const inFile = ({ path, text }: EntryNote) => describe({ path: [...entry.path, ...path], text });
    const read = readEntry(entry, surroundings);
    warnings.push(...read.warnings.map(inFile));
    if ('configuration' in read) servers[entry.id] = read.configuration;
    else {
      const { id: serverId, value } = entry;
      misconfigured.push({ serverId, transport: transportOf(value), reason: inFile(read.problem) });
    }
  }
  return { servers, misconfigured, warnings };
}

type ReadEntry = { warnings: EntryNote[] } & ({ configuration: ServerConfiguration } | { problem: EntryNote });

/** Reads one entry: checks its id, translates it, replaces its variables and checks the result. */
export function readEntry({ id, value }: Pick<FoundEntry, 'id' | 'value'>, surroundings: EntrySurroundings): ReadEntry {
  const idChecked = serverIdSchema.safeParse(id);
  if (!idChecked.success) return { problem: { path: [], text: idText(idChecked.error) }, warnings: [] };
  const translation = translateEntry(value, surroundings);
  const { warnings } = translation;
  if (translation.outcome === 'misconfigured') return { problem: translation.problem, warnings };
  const written = ([key = '', ...rest]: readonly string[]) => [translation.keyOf.get(key) ?? key, ...rest];
  try {
    const checked = serverConfigurationSchema.safeParse(expandedEntry(translation.entry, surroundings));
    if (checked.success) return { configuration: checked.data, warnings };
    const { path, text } = issueText(checked.error, translation.entry, () => false);
    return { problem: { path: written(path), text }, warnings };
  } catch (error) {
    if (!(error instanceof EntryProblem)) throw error;
    return { problem: { path: written(error.path), text: error.message }, warnings };
  }
}

function expandedEntry(entry: TranslatedEntry, surroundings: EntrySurroundings): object {
  const expand = (text: string, ...path: string[]) => expandVariables(text, path, surroundings);
  const expandMap = (map: Record<string, string>, key: string) =>
    Object.fromEntries(Object.entries(map).map(([name, text]) => [name, expand(text, key, name)]));
  if ('url' in entry) {
    const { oauth, ...rest } = entry;
    const { scopes, ...texts } = oauth ?? {};
    const login = oauth && { ...expandMap(texts, 'oauth'), ...(scopes && { scopes }) };
    const { url, headers } = rest;
    return { ...rest, url: expand(url, 'url'), headers: expandMap(headers, 'headers'), ...(login && { oauth: login }) };
  }
  return {
    ...entry,
    command: expand(entry.command, 'command'),
    args: entry.args.map((arg, at) => expand(arg, 'args', `${at}`)),
    env: expandMap(entry.env, 'env'),
    ...(entry.cwd !== undefined && { cwd: expand(entry.cwd, 'cwd') }),
  };
}

function idText(error: z.ZodError): string {
  return `the name of a server ${error.issues[0]?.message ?? 'is not valid'}`;
}

function transportOf(value: unknown): MisconfiguredServer['transport'] {
  const hasUrl = isJsonObject(value) && ['url', 'serverUrl', 'httpUrl', 'uri'].some((key) => value[key] !== undefined);
  return hasUrl ? 'http' : 'stdio';
}

/** Translates the servers of the file of an MCP client, and says what was left out and why. */
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { type TranslatedEntry, translateEntry } from '../../shapes/configuration/servers/entry.ts';
import {
  type FoundEntry,
  type FoundServers,
  findServers,
  projectServers,
} from '../../shapes/configuration/servers/find-servers.ts';
import type { EntryNote, EntrySurroundings, ServerInput } from '../../shapes/configuration/servers/surroundings.ts';
import { inputVariableName } from '../../shapes/configuration/servers/variables.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { serverIdSchema } from '../../shapes/server.ts';
import { printable } from '../../shapes/text.ts';

/** A server in the hub's form. Variables are kept as `${NAME}`. */
export interface TakenServer {
  serverId: string;
  entry: TranslatedEntry;
  /** What was ignored or adapted. */
  remarks: string[];
}

/** A server that cannot be taken. */
export interface LeftOutServer {
  serverId: string;
  reason: string;
}

/** The servers of a file. */
export interface TranslatedFile {
  taken: TakenServer[];
  leftOut: LeftOutServer[];
  remarks: string[];
  /** The inputs that taken servers use, by the name of their variable. */
  inputs: Map<string, ServerInput>;
}

/** Translates all servers of a file, those of projects too. */
export function translateFile(
  content: JsonObject,
  { file, environment, home }: Pick<EntrySurroundings, 'environment' | 'home'> & { file: string },
): TranslatedFile {
  const found = findServers(content, () => false);
  const translated: TranslatedFile = {
    taken: [],
    leftOut: [],
    remarks: found.warnings.map(noteText),
    inputs: new Map(),
  };
  const surroundings = {
    environment,
    home,
    inputs: found.inputs,
    hasFile: (path: string) => isAbsolute(path) && existsSync(path),
  };
  translateAll(found.entries, { ...surroundings, folder: workspaceOf(file) }, translated);
  for (const { folder, entries } of projectServers(content)) {
    translateAll(entries, { ...surroundings, folder }, translated);
  }
  for (const input of usedInputs(found, translated.taken)) translated.inputs.set(inputVariableName(input.id), input);
  return translated;
}

function translateAll(entries: readonly FoundEntry[], surroundings: EntrySurroundings, into: TranslatedFile): void {
  for (const { id: serverId, value } of entries) {
    const idChecked = serverIdSchema.safeParse(serverId);
    if (!idChecked.success) {
      into.leftOut.push({ serverId, reason: `the name ${idChecked.error.issues[0]?.message ?? 'is not valid'}` });
      continue;
    }
    if (into.taken.some((server) => server.serverId === serverId)) {
      into.leftOut.push({
        serverId,
        reason: `a server of this name is taken already (this one is for ${surroundings.folder})`,
      });
      continue;
    }
    const translation = translateEntry(value, surroundings);
    if (translation.outcome === 'misconfigured') into.leftOut.push({ serverId, reason: noteText(translation.problem) });
    else into.taken.push({ serverId, entry: translation.entry, remarks: translation.warnings.map(noteText) });
  }
}

function noteText({ path, text }: EntryNote): string {
  return printable(path.length === 0 ? text : `${path.join('.')}: ${text}`);
}

/** The folder that `${workspaceFolder}` means: the file's, or the one above a folder such as `.vscode`. */
function workspaceOf(file: string): string {
  const folder = dirname(file);
  return basename(folder).startsWith('.') ? dirname(folder) : folder;
}

function usedInputs({ inputs }: FoundServers, taken: readonly TakenServer[]): ServerInput[] {
  const text = JSON.stringify(taken.map(({ entry }) => entry));
  return inputs.filter(({ id }) => text.includes(`\${${inputVariableName(id)}`));
}

/** Puts the value of an input in place of its variable. */
export function withInput({ entry, ...server }: TakenServer, variable: string, value: string): TakenServer {
  const placeholder = new RegExp(`\\$\\{${variable}(?::-[^}]*)?\\}`, 'g');
  const replaced = (text: string) => text.replace(placeholder, () => value);
  const replacedMap = (map: Record<string, string>) =>
    Object.fromEntries(Object.entries(map).map(([name, text]) => [name, replaced(text)]));
  if ('url' in entry) {
    return { ...server, entry: { ...entry, url: replaced(entry.url), headers: replacedMap(entry.headers) } };
  }
  const { command, args, env } = entry;
  return {
    ...server,
    entry: { ...entry, command: replaced(command), args: args.map(replaced), env: replacedMap(env) },
  };
}

/** The environment variables without a default that the servers need. */
export function variablesOf(taken: readonly TakenServer[]): string[] {
  const text = JSON.stringify(taken.map(({ entry }) => entry));
  const found = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => name);
  return [...new Set(found)].sort();
}

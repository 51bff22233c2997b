/** Adds imported servers to `hestia.config.json`. */
import { systemErrorCode } from '../../flow/system-error.ts';
import { readTextFile, replaceTextFile } from '../../flow/text-file.ts';
import { parseJsonText } from '../../shapes/configuration/file/json-text.ts';
import { withServerEntry } from '../../shapes/configuration/file/servers-edit.ts';
import type { TranslatedEntry } from '../../shapes/configuration/servers/entry.ts';
import { findServers } from '../../shapes/configuration/servers/find-servers.ts';
import { isJsonObject } from '../../shapes/json.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** The text of a configuration file, and the ids of its servers. */
export interface OpenConfiguration {
  text: string;
  serverIds: ReadonlySet<string>;
}

/** Servers may hold secrets, so only the owner may read a new file. */
const newFileMode = 0o600;

/** Opens a configuration file, which may be missing. @throws CommandError if it cannot be read or is not valid */
export function openConfiguration(file: string): OpenConfiguration {
  const text = readIfPresent(file);
  const parsed = parseJsonText(text);
  if (parsed.outcome === 'broken') {
    const { line, column } = parsed.place;
    throw new CommandError(exitCodes.failed, `${file}:${line}:${column}: not valid JSON: ${parsed.reason}`);
  }
  if (!isJsonObject(parsed.value)) throw new CommandError(exitCodes.failed, `${file}: must hold an object`);
  const { entries } = findServers(parsed.value, () => false);
  return { text, serverIds: new Set(entries.map(({ id }) => id)) };
}

function readIfPresent(file: string): string {
  try {
    return readTextFile(file);
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    if (code === 'ENOENT') return '{}\n';
    throw new CommandError(exitCodes.failed, `${file}: cannot be read (${code})`, { cause });
  }
}

/** The text with these servers, in the hub's form. Keys without a value are left out. */
export function withServers(text: string, servers: readonly { serverId: string; entry: TranslatedEntry }[]): string {
  return servers.reduce((edited, { serverId, entry }) => withServerEntry(edited, serverId, compactEntry(entry)), text);
}

/** An entry without its empty keys. */
function compactEntry(entry: TranslatedEntry): Record<string, unknown> {
  const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined && !isEmpty(value)));
}

/** Replaces the file in one step. @throws CommandError if it cannot be written */
export function writeConfiguration(file: string, text: string): void {
  try {
    replaceTextFile(file, text, newFileMode);
  } catch (cause) {
    const reason = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(exitCodes.failed, `${file}: cannot be written (${reason})`, { cause });
  }
}

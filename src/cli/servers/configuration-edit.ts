/** Edits the servers in `hestia.config.json`. Comments and the layout of the rest stay as they are. */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import jsonc from 'jsonc-parser';
import { systemErrorCode } from '../../flow/system-error.ts';
import { parseJsonText } from '../../shapes/configuration/file/json-text.ts';
import type { TranslatedEntry } from '../../shapes/configuration/servers/entry.ts';
import { isJsonObject } from '../../shapes/json.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** The text of a configuration file, and the ids of its servers. */
export interface OpenConfiguration {
  text: string;
  serverIds: ReadonlySet<string>;
  /** Permission bits of the file; only its owner may read a new one, since servers may hold secrets. */
  mode: number;
}

const newFileMode = 0o600;

/** Opens a configuration file, which may be missing. @throws CommandError if it cannot be read or is not valid */
export function openConfiguration(file: string): OpenConfiguration {
  let text = '{}\n';
  let mode = newFileMode;
  try {
    text = readFileSync(file, 'utf8').replace(/^\ufeff/, '');
    mode = statSync(file).mode & 0o777;
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') {
      throw new CommandError(
        exitCodes.failed,
        `${file}: cannot be read (${systemErrorCode(cause) ?? 'unknown reason'})`,
      );
    }
  }
  const parsed = parseJsonText(text);
  if (parsed.outcome === 'broken') {
    const { line, column } = parsed.place;
    throw new CommandError(exitCodes.failed, `${file}:${line}:${column}: not valid JSON: ${parsed.reason}`);
  }
  const servers = isJsonObject(parsed.value) ? (parsed.value.mcpServers ?? {}) : undefined;
  if (!isJsonObject(servers)) throw new CommandError(exitCodes.failed, `${file}: mcpServers: must be an object`);
  return { text, serverIds: new Set(Object.keys(servers)), mode };
}

/** The text with these servers in `mcpServers`, in the hub's form. Keys without a value are left out. */
export function withServers(text: string, servers: readonly { serverId: string; entry: TranslatedEntry }[]): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  return servers.reduce((edited, { serverId, entry }) => {
    const edits = jsonc.modify(edited, ['mcpServers', serverId], compactEntry(entry), { formattingOptions });
    return jsonc.applyEdits(edited, edits);
  }, text);
}

/** An entry without its empty keys. */
function compactEntry(entry: TranslatedEntry): Record<string, unknown> {
  const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined && !isEmpty(value)));
}

/** Replaces the file in one step, also behind a symbolic link. @throws CommandError if it cannot be written */
export function writeConfiguration(file: string, text: string, mode: number): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, target);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(exitCodes.failed, `${file}: cannot be written (${reason})`, { cause });
  }
}

/** The store of server entries: the configuration file, which people edit too. */
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { systemErrorCode } from '../../flow/system-error.ts';
import { readTextFile, replaceTextFile } from '../../flow/text-file.ts';
import { ConfigurationError } from '../../shapes/configuration/configuration-error.ts';
import { type ConfigurationSource, readConfigurationText } from '../../shapes/configuration/file/configuration-text.ts';
import { findEntry, withServerEntry } from '../../shapes/configuration/file/servers-edit.ts';
import type { ReadServers } from '../../shapes/configuration/servers/read-servers.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';

/** The server entries. A file that was never there is an empty one. */
export interface ServersFile {
  /** Reads all entries. @throws ConfigurationError if the file is not valid; the error of the system if it cannot be read */
  read(): ReadServers;
  /** An entry as it is written. */
  entry(serverId: string): JsonObject | undefined;
  /**
   * Writes an entry, or removes it. Returns a function that undoes it.
   * @throws HestiaError CONFLICT if the file cannot be written
   */
  write(serverId: string, entry: JsonObject | undefined): () => void;
  /** Calls `onChange` within a second of each change, until the result is disposed of. */
  watch(onChange: () => void): Disposable;
}

/** The time between two checks for a change. */
const watchIntervalMs = 1000;
/** Servers may hold secrets, so only the owner may read a new file. */
const newFileMode = 0o600;

/** Creates the store. It reads nothing yet. */
export function createServersFile(source: ConfigurationSource): ServersFile {
  const { file } = source;
  let hasExisted = existsSync(file);
  const text = () => {
    try {
      const read = readTextFile(file);
      hasExisted = true;
      return read;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      // Some editors delete a file before they write it, which must not remove all servers.
      if (hasExisted) throw new ConfigurationError(`${file}: no such file`, { cause: error });
      return '{}\n';
    }
  };
  const replace = (content: string) => {
    try {
      replaceTextFile(file, content, newFileMode);
    } catch (cause) {
      const reason = systemErrorCode(cause) ?? 'unknown reason';
      throw new HestiaError('CONFLICT', `the configuration file cannot be written (${reason})`, { cause });
    }
  };
  return {
    read: () => readConfigurationText(text(), source).servers,
    entry: (serverId) => {
      const value = findEntry(text().replace(/^\ufeff/, ''), serverId)?.value;
      return isJsonObject(value) ? value : undefined;
    },
    write: (serverId, entry) => {
      const before = text();
      replace(withServerEntry(before, serverId, entry));
      return () => replace(before);
    },
    watch: (onChange) => {
      // Polling one file costs nothing measurable, and sees replaced files, links and mounted ones alike.
      const listener = () => onChange();
      watchFile(file, { interval: watchIntervalMs, persistent: false }, listener);
      return { [Symbol.dispose]: () => unwatchFile(file, listener) };
    },
  };
}

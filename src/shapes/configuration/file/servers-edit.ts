/** Edits of server entries in the text of a configuration file. Comments and the layout of the rest stay as they are. */
import jsonc from 'jsonc-parser';
import { isJsonObject, type JsonObject } from '../../json.ts';
import { type FoundEntry, findServers } from '../servers/find-servers.ts';
import { parseJsonText } from './json-text.ts';

const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };

/** The text with this entry, in place of the one of the same id if there is one; undefined removes it. */
export function withServerEntry(text: string, serverId: string, entry: JsonObject | undefined): string {
  const plain = text.replace(/^\ufeff/, '');
  const path = [...(findEntry(plain, serverId)?.path ?? ['mcpServers', serverId])];
  return jsonc.applyEdits(plain, jsonc.modify(plain, path, entry, { formattingOptions }));
}

/** The entry of this id as it is written, and where it is. */
export function findEntry(text: string, serverId: string): FoundEntry | undefined {
  const parsed = parseJsonText(text);
  if (parsed.outcome === 'broken' || !isJsonObject(parsed.value)) return undefined;
  return findServers(parsed.value, () => false).entries.find(({ id }) => id === serverId);
}

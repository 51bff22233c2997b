/** The type of a server entry: the transport, in the words of each client. */

import { kindOf } from './entry-values.ts';
import { EntryProblem } from './surroundings.ts';

/** The transports that the hub's form has. `remote`: one of the two over HTTP, to be found out. */
export type EntryType = 'stdio' | 'http' | 'sse' | 'remote';

/** Other words for the transports, in lower case and without `-` and `_`. */
const typeWords: Readonly<Record<string, EntryType>> = {
  stdio: 'stdio',
  local: 'stdio', // opencode, Copilot
  command: 'stdio',
  http: 'http',
  streamablehttp: 'http',
  streamable: 'http',
  remote: 'remote', // opencode
  sse: 'sse',
};

/** Types of Goose and of agent frameworks that name a part of the client, not a server. */
const clientTypes = new Set(['builtin', 'platform', 'frontend', 'inlinepython', 'sdk', 'inprocess']);

/**
 * The type of a server: as written, or by whether it has a command or a URL.
 * @throws EntryProblem if the type is unknown, or the key that it needs is missing
 */
export function serverType(
  written: unknown,
  path: readonly string[],
  has: { command: boolean; url: boolean },
): EntryType {
  const type = written === undefined ? undefined : writtenType(written, path);
  if (type === undefined && has.command && has.url) {
    throw new EntryProblem([], 'has both "command" and "url"; remove one, or write "type": "stdio" or "type": "http"');
  }
  const needed = type === undefined ? undefined : type === 'stdio' ? 'command' : 'url';
  if (needed !== undefined && !has[needed]) {
    const other = needed === 'url' ? has.command : has.url;
    const remedy = other ? `; remove the type, or write "${needed}"` : `; write "${needed}"`;
    throw new EntryProblem(path, `a server of this type needs "${needed}"${remedy}`);
  }
  if (type !== undefined) return type;
  if (!has.command && !has.url) {
    throw new EntryProblem(
      [],
      'must be { "command", "args", "env", "cwd" } or { "url", "headers" }: write "command" or "url"',
    );
  }
  return has.command ? 'stdio' : 'remote';
}

function writtenType(written: unknown, path: readonly string[]): EntryType {
  if (typeof written !== 'string') {
    throw new EntryProblem(path, `found ${kindOf(written)}, must be "stdio", "http" or "sse"`);
  }
  const word = written.toLowerCase().replace(/[-_ ]/g, '');
  const type = Object.hasOwn(typeWords, word) ? typeWords[word] : undefined;
  if (type !== undefined) return type;
  const reason = clientTypes.has(word)
    ? 'is a part of the client, not a server that the hub could start; remove it'
    : word === 'ws' || word === 'websocket'
      ? 'the hub does not speak MCP over WebSocket; write "type": "http" and the address of Streamable HTTP'
      : 'unknown type; write "stdio", "http" or "sse"';
  throw new EntryProblem(path, reason);
}

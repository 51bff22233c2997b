/** Streams that clients of each kind open, and that take a place. */
import type { AttackKey } from './attacked-hub.ts';

const modernVersion = '2026-07-28';

/** Opens a stream of a 2025-era client. */
export function openStream(key: AttackKey, signal?: AbortSignal): Promise<Response> {
  const headers = { accept: 'text/event-stream', 'mcp-session-id': 'any' };
  return key.fetch('/mcp', { headers, ...(signal && { signal }) });
}

/** Opens a subscription of 2026-07-28 to changes of the tools. */
export function openSubscription(key: AttackKey, signal?: AbortSignal): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'attack', version: '1.0.0' },
  };
  const params = { notifications: { toolsListChanged: true }, _meta: meta };
  return key.fetch('/mcp', {
    json: { jsonrpc: '2.0', id: 7, method: 'subscriptions/listen', params },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': modernVersion,
      'mcp-method': 'subscriptions/listen',
    },
    ...(signal && { signal }),
  });
}

/** Opens a session of HTTP+SSE. */
export function openSse(key: AttackKey, signal?: AbortSignal): Promise<Response> {
  return key.fetch('/sse', { headers: { accept: 'text/event-stream' }, ...(signal && { signal }) });
}

/** Begins a session of a 2025-era client at the endpoint of a server, and opens its stream. */
export async function openServerStream(key: AttackKey, serverId: string, signal?: AbortSignal): Promise<Response> {
  const clientInfo = { name: 'attack', version: '1.0.0' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const opened = await key.fetch(`/mcp/${serverId}`, {
    json: { jsonrpc: '2.0', id: 1, method: 'initialize', params },
    headers: { accept: 'application/json, text/event-stream' },
  });
  await opened.text();
  const headers = { accept: 'text/event-stream', 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  return key.fetch(`/mcp/${serverId}`, { headers, ...(signal && { signal }) });
}

/** Streams of list changes at `/mcp`, as clients of either kind open them. */
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

/** A hub in this process that listens on a free loopback port, and the official MCP clients to connect to it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { serve } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, vi } from 'vitest';
import { json, startTestHub, type TestHub, type TestHubOptions, type TestKey } from './hub.ts';

/** A hub that listens on `url`. */
export interface ListeningHub extends TestHub {
  url: string;
}

/** Starts a hub that listens on a port, by default a free one. */
export async function startListeningHub({
  port: wanted = 0,
  ...options
}: TestHubOptions & { port?: number } = {}): Promise<ListeningHub> {
  const hub = await startTestHub(options);
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const server = serve({ fetch: hub.hub.fetch, hostname: '127.0.0.1', port: wanted }, (info) => resolve(info.port));
  return {
    ...hub,
    url: `http://127.0.0.1:${await port}`,
    [Symbol.asyncDispose]: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** Waits until all the servers are connected. */
export async function untilConnected(hub: TestHub, ...serverIds: string[]): Promise<void> {
  const connected = Object.fromEntries(serverIds.map((id) => [id, 'connected']));
  await vi.waitFor(
    async () => {
      const { items } = await json(hub.operator.fetch('/v1/servers'));
      const states = items.map((item: { serverId: string; state: string }) => [item.serverId, item.state]);
      expect(Object.fromEntries(states)).toMatchObject(connected);
    },
    { timeout: 60_000, interval: 20 },
  );
}

/** The fields of a tool result that tests read. */
export interface ClientAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what the test finds out
  content: any[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  structuredContent?: any;
  isError?: boolean | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  _meta?: any;
}

/** The common interface of the two client libraries. */
export interface AnyClient extends AsyncDisposable {
  protocolVersion(): string | undefined;
  listTools(): Promise<string[]>;
  call(
    name: string,
    args?: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (progress: unknown) => void },
  ): Promise<ClientAnswer>;
  /** Number of received `tools/list_changed` notifications. */
  listChanges(): number;
}

/** The client libraries and protocol versions that a hub must serve. */
export const clientKinds = ['2.x, 2026-07-28', '2.x, 2025-11-25', '1.x', '1.x over HTTP+SSE'] as const;

/** Connects a client of one kind. */
export function connectClient(kind: (typeof clientKinds)[number], hub: ListeningHub, key: TestKey): Promise<AnyClient> {
  const url = new URL(`${hub.url}/mcp`);
  const requestInit = { headers: { authorization: `Bearer ${key.secret}` } };
  if (kind === '1.x') return connectOld(new OldTransport(url, { requestInit }));
  if (kind === '1.x over HTTP+SSE') return connectOld(sseTransport(hub, key));
  return connectNew(kind === '2.x, 2026-07-28' ? 'auto' : 'legacy', url, requestInit);
}

/** The transport of the 1.x library over HTTP+SSE, to `/sse` or another path. */
export function sseTransport(hub: ListeningHub, key: TestKey, path = '/sse'): SSEClientTransport {
  const authorization = `Bearer ${key.secret}`;
  const fetchWithKey = (url: string | URL, init?: RequestInit) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', authorization);
    return fetch(url, { ...init, headers });
  };
  return new SSEClientTransport(new URL(path, hub.url), { fetch: fetchWithKey });
}

async function connectNew(mode: 'auto' | 'legacy', url: URL, requestInit: RequestInit): Promise<AnyClient> {
  let changes = 0;
  const onChanged = () => {
    changes += 1;
  };
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode }, listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } } },
  );
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  return {
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options),
    listChanges: () => changes,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connectOld(transport: OldTransport | SSEClientTransport): Promise<AnyClient> {
  let changes = 0;
  const client = new OldClient({ name: 'test', version: '1.0.0' });
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes += 1;
  });
  await client.connect(transport);
  return {
    protocolVersion: () => ('protocolVersion' in transport ? transport.protocolVersion : undefined),
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args = {}, options = {}) =>
      CallToolResultSchema.parse(await client.callTool({ name, arguments: args }, undefined, options)),
    listChanges: () => changes,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A port that was free a moment ago, for a hub whose configuration names its own address. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

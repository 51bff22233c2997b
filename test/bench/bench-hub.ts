/** Starts the hub for a benchmark, with upstreams and a receiver of its signals, and loads it. */
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { benchFile } from './bench-process.ts';
import { type HttpLoader, httpLoader, mcpHeaders, openMcpSession, toolsCall } from './load.ts';

/** Options of a hub. */
export interface BenchHubOptions {
  servers: Record<string, unknown>;
  /** The receiver of its signals. Without it they are not sent. */
  otlpUrl?: string;
  environment?: Record<string, string>;
  file?: Record<string, unknown>;
  /** An audit trail other than the product's; see bench-hub-process.ts. */
  trail?: 'watched' | 'unwatched' | 'inline' | 'filled';
  /** How many records a filled trail has. */
  records?: number;
}

/** Starts a hub and waits until its servers are connected. With `otlpUrl`, all its signals are on. */
export async function startBenchHub({
  servers,
  otlpUrl,
  records = 0,
  ...options
}: BenchHubOptions): Promise<HubProcess> {
  await using parts = new AsyncDisposableStack();
  const hub = parts.use(
    await startHubProcess({
      file: { limits: { requestsPerMinute: 100_000_000 }, ...options.file, mcpServers: servers },
      environment: {
        ...(otlpUrl !== undefined && { OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl }),
        ...options.environment,
      },
      ...(options.trail !== undefined && {
        entry: [benchFile('bench-hub-process.ts'), options.trail, String(records)],
      }),
    }),
  );
  await hub.ready();
  await untilServersConnected(hub, ...Object.keys(servers));
  parts.move();
  return hub;
}

/** The echo server as a child process of the hub. */
export const echoOverStdio = { command: process.execPath, args: [benchFile('processes/echo-server.ts')] };

/** The argument of each call: a hundred characters. */
export const message = 'x'.repeat(100);

/** Whether a response is the echo of {@link message}. */
export const isEcho = (body: string) => body.includes(`Echo: ${message}`);

/** The protocol by which the hub is called. */
export type Way = 'mcp-2025' | 'mcp-2026' | 'rest';

/** Load of calls to `echo` on one of the hub's servers. */
export function hubLoader(hub: HubProcess, serverId: string, way: Way = 'mcp-2025', tool = 'echo'): HttpLoader {
  const authorization = `Bearer ${hub.key()}`;
  const { url } = hub;
  const pid = hub.child.pid ?? 0;
  const args = { message };
  if (way === 'rest') {
    const headers = { authorization, 'content-type': 'application/json' };
    const body = JSON.stringify({ arguments: args });
    const path = `/v1/tools/${serverId}/${tool}/call`;
    return httpLoader({ url, path, headers, body: () => body, isAnswer: isEcho, pid });
  }
  const headers = {
    ...mcpHeaders,
    authorization,
    ...(way === 'mcp-2026' ? modernHeaders : { 'mcp-session-id': 'bench' }),
  };
  const callArguments = { server_id: serverId, tool_name: tool, arguments: args };
  const body = toolsCall('call_mcp_tool', callArguments, way === 'mcp-2026' ? modernMeta : undefined);
  return httpLoader({ url, path: '/mcp', headers, body, isAnswer: isEcho, pid });
}

/** Load of calls to `tool` at an endpoint that has it under this name, by a client that has initialized (2025-11-25). */
export async function endpointLoader(hub: HubProcess, path: string, tool: string): Promise<HttpLoader> {
  const { url } = hub;
  const headers = await openMcpSession(`${url}${path}`, { authorization: `Bearer ${hub.key()}` });
  const body = toolsCall(tool, { message });
  return httpLoader({ url, path, headers, body, isAnswer: isEcho, pid: hub.child.pid ?? 0 });
}

const modernHeaders = {
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'call_mcp_tool',
};
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

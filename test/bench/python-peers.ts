/** Gateways from PyPI that the hub is compared with, each started from a Python virtual environment that has it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isEcho, message } from './bench-hub.ts';
import { type BenchProcess, benchFile, startBenchProcess } from './bench-process.ts';
import { type HttpLoader, httpLoader, openMcpSession, toolsCall } from './load.ts';

/** Starts a gateway before a stdio server, with what it owns, and returns its load of calls to `echo`. */
export type PeerStart = (owned: AsyncDisposableStack, folder: string) => Promise<HttpLoader>;

/** Options of the gateways: virtual environments, the command of the stdio server, and the receiver of signals. */
export interface PythonPeersOptions {
  environments: readonly string[];
  upstream: readonly string[];
  otlpUrl: string;
}

/** The gateways that are installed in one of the virtual environments, by name. */
export function pythonPeers({ environments, upstream, otlpUrl }: PythonPeersOptions): Record<string, PeerStart> {
  const peers: Record<string, PeerStart> = {};
  for (const environment of environments) {
    const has = (program: string) => existsSync(join(environment, 'bin', program));
    if (has('fastmcp')) peers.fastmcp = fastmcp(environment, upstream);
    if (!has('mcpgateway')) continue;
    peers.ContextForge = contextForge(environment, upstream, {});
    peers['ContextForge with audit and traces'] = contextForge(environment, upstream, {
      AUDIT_TRAIL_ENABLED: 'true',
      OTEL_ENABLE_OBSERVABILITY: 'true',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${otlpUrl}/v1/traces`,
    });
  }
  return peers;
}

function fastmcp(environment: string, upstream: readonly string[]): PeerStart {
  return async (owned) => {
    const args = (port: number) => [benchFile('processes/fastmcp-proxy.py'), `${port}`, ...upstream];
    return streamable(
      owned.use(await startBenchProcess(join(environment, 'bin/python'), args, { stopSignal: 'SIGTERM' })),
    );
  };
}

/** ContextForge calls stdio servers over HTTP: its own translator stands between. `signals` are further variables. */
function contextForge(
  environment: string,
  upstream: readonly string[],
  signals: Readonly<Record<string, string>>,
): PeerStart {
  return async (owned, folder) => {
    const variables = contextForgeVariables(join(folder, `contextforge-${randomUUID()}.db`), folder);
    const toHttp = (port: number) => [
      ...['-m', 'mcpgateway.translate', '--stdio', upstream.join(' '), '--expose-streamable-http'],
      ...['--port', `${port}`, '--logLevel', 'error'],
    ];
    const python = join(environment, 'bin/python');
    const server = owned.use(
      await startBenchProcess(python, toHttp, { environment: variables, stopSignal: 'SIGTERM' }),
    );
    const gateway = owned.use(
      await startBenchProcess(join(environment, 'bin/mcpgateway'), (port) => ['--port', `${port}`], {
        environment: { ...variables, ...signals },
        path: '/health',
        stopSignal: 'SIGTERM',
      }),
    );
    const registered = await fetch(`${gateway.url}/gateways`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...registration, url: `${server.url}/mcp` }),
    });
    if (!registered.ok) throw new Error(`ContextForge registered no server: ${await registered.text()}`);
    return streamable(gateway, 'everything-echo');
  };
}

const registration = { name: 'everything', transport: 'STREAMABLEHTTP', visibility: 'public' };

/** The least that ContextForge can do: no keys, no rate limit, no plugins, a file of SQLite. It refuses weak secrets. */
function contextForgeVariables(database: string, home: string): Record<string, string> {
  return {
    HOME: home,
    DATABASE_URL: `sqlite:///${database}`,
    CACHE_TYPE: 'memory',
    AUTH_REQUIRED: 'false',
    MCP_REQUIRE_AUTH: 'false',
    ALLOW_UNAUTHENTICATED_ADMIN: 'true',
    RATE_LIMITING_ENABLED: 'false',
    SSRF_ALLOW_LOCALHOST: 'true',
    SSRF_ALLOW_PRIVATE_NETWORKS: 'true',
    PLUGINS_ENABLED: 'false',
    LOG_LEVEL: 'ERROR',
    JWT_SECRET_KEY: randomBytes(48).toString('base64'),
    AUTH_ENCRYPTION_SECRET: randomBytes(48).toString('base64'),
  };
}

/** Load of calls to the tool `echo` in one session of Streamable HTTP. Gateways may give it another name. */
export async function streamable({ url, pid }: BenchProcess, tool = 'echo'): Promise<HttpLoader> {
  const headers = await openMcpSession(`${url}/mcp`);
  return httpLoader({ url, path: '/mcp', headers, body: toolsCall(tool, { message }), isAnswer: isEcho, pid });
}

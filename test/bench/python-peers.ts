/** Gateways from PyPI that the hub is compared with, started from a Python virtual environment. */
import { join } from 'node:path';
import { isEcho, message } from './bench-hub.ts';
import { type BenchProcess, benchFile, startBenchProcess } from './bench-process.ts';
import { type HttpLoader, httpLoader, openMcpSession, toolsCall } from './load.ts';

/** Starts a gateway before a stdio server, with what it owns, and returns its load of calls to `echo`. */
export type PeerStart = (owned: AsyncDisposableStack, folder: string) => Promise<HttpLoader>;

/** The gateways of a virtual environment, by name. `upstream` is the command of the stdio server. */
export function pythonPeers(environment: string, upstream: readonly string[]): Record<string, PeerStart> {
  const python = join(environment, 'bin/python');
  return {
    fastmcp: async (owned) => {
      const args = (port: number) => [benchFile('processes/fastmcp-proxy.py'), `${port}`, ...upstream];
      return streamable(owned.use(await startBenchProcess(python, args, { stopSignal: 'SIGTERM' })));
    },
  };
}

/** Load of calls to `echo` in one session of Streamable HTTP. */
export async function streamable({ url, pid }: BenchProcess): Promise<HttpLoader> {
  const headers = await openMcpSession(`${url}/mcp`);
  return httpLoader({ url, path: '/mcp', headers, body: toolsCall('echo', { message }), isAnswer: isEcho, pid });
}

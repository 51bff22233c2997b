/** The hub compared with other gateways in front of the same stdio server, all called over MCP. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realServer } from '../../support/servers/real-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { hubLoader, isEcho, message, startBenchHub } from '../bench-hub.ts';
import { startBenchProcess, startBenchScript } from '../bench-process.ts';
import { type Finding, ratioFinding } from '../findings.ts';
import type { HttpLoader } from '../load.ts';
import { sseLoader } from '../processes/sse-loader.ts';
import { type PeerStart, pythonPeers, streamable } from '../python-peers.ts';
import type { Suite } from '../suite.ts';

const everything = realServer('everything', ['stdio']);
const upstream = [everything.command, ...everything.args];

export const suite: Suite = {
  name: 'peers',
  about: 'other gateways before the same server',
  async run({ paired, python: environments, reportProgress }) {
    if (environments.length === 0) reportProgress('peers: without --python, those from PyPI are left out');
    await using owned = new AsyncDisposableStack();
    const folder = owned.adopt(await mkdtemp(join(tmpdir(), 'hestia-bench-')), (path) => rm(path, { recursive: true }));
    const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
    const peers = { ...starts, ...pythonPeers({ environments, upstream, otlpUrl: sink.url }) };
    const hub = owned.use(await startBenchHub({ servers: { everything }, otlpUrl: sink.url }));
    const loaders: [string, HttpLoader][] = [['Hestia', owned.use(hubLoader(hub, 'everything'))]];
    for (const [name, start] of Object.entries(peers)) {
      loaders.push([name, owned.use(await start(owned, folder))]);
    }
    const findings: Finding[] = [];
    for (const [inFlight, measure] of [
      [64, 'throughput'],
      [1, 'p50'],
    ] as const) {
      const subjects = loaders.map(([name, loader]) => loader.subject(name, inFlight));
      const settings = { noiseMeasure: measure, warmUp: measure === 'p50' ? 'short' : 'long' } as const;
      const run = await paired(`peers, ${inFlight} in flight`, subjects, settings);
      const hestia = { subject: 'Hestia', measure };
      const named = (name: string, what: string = measure) => `Hestia against ${name}, ${inFlight} in flight, ${what}`;
      for (const base of Object.keys(peers)) {
        findings.push(
          ratioFinding(run, { ...hestia, base, name: named(base) }),
          ratioFinding(run, { ...hestia, base, measure: 'cpu', name: named(base, 'cpu') }),
        );
      }
    }
    return findings;
  },
};

const program = (name: string) => fileURLToPath(new URL(`../../../node_modules/.bin/${name}`, import.meta.url));

/** Starts each gateway according to its manual, for one stdio server and clients with sessions. */
const starts: Record<string, PeerStart> = {
  'mcp-proxy': async (owned) => {
    const args = (port: number) => [
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--server',
      'stream',
      '--',
      ...upstream,
    ];
    return streamable(owned.use(await startBenchProcess(program('mcp-proxy'), args)));
  },
  supergateway: async (owned) => {
    const args = (port: number) => [
      ...['--stdio', upstream.join(' '), '--outputTransport', 'streamableHttp', '--stateful'],
      ...['--port', `${port}`, '--logLevel', 'none'],
    ];
    return streamable(owned.use(await startBenchProcess(program('supergateway'), args)));
  },
  'mcp-hub': async (owned, folder) => {
    const file = join(folder, 'mcp-hub.json');
    await writeFile(file, JSON.stringify({ mcpServers: { everything } }));
    const args = (port: number) => ['--port', `${port}`, '--config', file];
    // It answers before its server is connected.
    const gateway = owned.use(await startBenchProcess(program('mcp-hub'), args, { environment: { HOME: folder } }));
    await waitFor(async () => {
      const { servers } = JSON.parse(await (await fetch(`${gateway.url}/api/servers`)).text());
      if (!servers.every((server: { status: string }) => server.status === 'connected'))
        throw new Error('not connected');
    });
    const call = { name: 'everything__echo', args: { message }, isAnswer: isEcho, pid: gateway.pid };
    return sseLoader(`${gateway.url}/mcp`, call);
  },
};

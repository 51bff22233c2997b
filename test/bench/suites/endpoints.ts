/** Calls at the endpoint of a server, `/mcp/{server}` and `/mcp/all`, compared with the same call by `call_mcp_tool` at `/mcp`. */
import { echoOverStdio, endpointLoader, hubLoader, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, ratioFinding } from '../findings.ts';
import type { Suite } from '../suite.ts';

const endpoints = [
  { path: '/mcp/{server}', server: 'echo', tool: 'echo' },
  { path: '/mcp/all', server: 'all', tool: 'echo__echo' },
] as const;

export const suite: Suite = {
  name: 'endpoints',
  about: 'calls at /mcp/{server} and /mcp/all against those at /mcp',
  async run({ paired }) {
    await using sink = await startBenchScript('processes/signal-sink.ts');
    await using hub = await startBenchHub({ servers: { echo: echoOverStdio }, otlpUrl: sink.url });
    await using base = hubLoader(hub, 'echo');
    await using owned = new AsyncDisposableStack();
    const loaders = new Map(
      await Promise.all(
        endpoints.map(async ({ path, server, tool }) => {
          const loader = await endpointLoader(hub, `/mcp/${server}`, tool);
          return [path, owned.use(loader)] as const;
        }),
      ),
    );
    const findings: Finding[] = [];
    for (const [inFlight, measure] of [
      [16, 'throughput'],
      [1, 'p50'],
    ] as const) {
      const subjects = [
        base.subject('/mcp', inFlight),
        ...[...loaders].map(([path, loader]) => loader.subject(path, inFlight)),
      ];
      const run = await paired(`endpoints, ${inFlight} in flight`, subjects, { noiseMeasure: measure });
      for (const path of loaders.keys()) {
        const named = (what: string) => `${path} against /mcp, ${inFlight} in flight, ${what}`;
        findings.push(
          ratioFinding(run, { name: named(measure), measure, subject: path }),
          ratioFinding(run, { name: named('cpu'), measure: 'cpu', subject: path }),
        );
      }
    }
    return findings;
  },
};

/** Calls through the hub with all signals, compared with the direct call of an HTTP server (R0). */

import { residentMiB } from '../../support/hub/hub-process.ts';
import { waitFor } from '../../support/wait-for.ts';
import { echoOverStdio, hubLoader, isEcho, message, startBenchHub, type Way } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, figureFinding, ratioFinding } from '../findings.ts';
import { httpLoader, openMcpSession, toolsCall } from '../load.ts';
import { type Suite, warmUpOf } from '../suite.ts';

const upstreams = ['HTTP', 'stdio'] as const;
const ways: Record<Way, string> = { 'mcp-2025': '', 'mcp-2026': ' by 2026-07-28', rest: ' by REST' };

export const suite: Suite = {
  name: 'calls',
  about: 'calls through the hub against direct ones',
  async run({ paired }) {
    await using floor = await startBenchScript('processes/floor-server.ts');
    await using sink = await startBenchScript('processes/signal-sink.ts');
    const servers = { HTTP: { type: 'http', url: `${floor.url}/mcp` }, stdio: echoOverStdio };
    await using hub = await startBenchHub({ servers, otlpUrl: sink.url });
    await using direct = httpLoader({
      url: floor.url,
      path: '/mcp',
      headers: await openMcpSession(`${floor.url}/mcp`),
      body: toolsCall('echo', { message }),
      isAnswer: isEcho,
      pid: floor.pid,
    });
    await using loaders = new AsyncDisposableStack();
    const findings: Finding[] = [];
    const subjectsAt = (inFlight: number) =>
      upstreams.flatMap((upstream) =>
        (['mcp-2025', 'mcp-2026', 'rest'] as const).map((way) =>
          loaders.use(hubLoader(hub, upstream, way)).subject(`${upstream} upstream against R0${ways[way]}`, inFlight),
        ),
      );
    // One in flight is measured last, when everything is warmed up.
    for (const inFlight of [16, 64, 1]) {
      const subjects = subjectsAt(inFlight);
      const measure = inFlight === 1 ? 'p50' : 'throughput';
      const all = [direct.subject('R0', inFlight), ...subjects];
      const run = await paired(`calls, ${inFlight} in flight`, all, {
        noiseMeasure: measure,
        warmUp: warmUpOf(inFlight),
      });
      for (const { name } of subjects) {
        findings.push(
          ratioFinding(run, { name: `${name}, ${inFlight} in flight, ${measure}`, measure, subject: name }),
          ratioFinding(run, { name: `${name}, ${inFlight} in flight, cpu`, measure: 'cpu', subject: name }),
        );
      }
    }
    await checkSignals(sink.url);
    return [...findings, figureFinding('memory of the hub after the calls', 'MiB', residentMiB(hub))];
  },
};

/** Metrics are exported every 15 seconds. */
const metricsMsMax = 20_000;

/** Checks that each signal has reached the receiver. */
async function checkSignals(sinkUrl: string): Promise<void> {
  await waitFor(async () => {
    const counts: Record<string, number> = JSON.parse(await (await fetch(sinkUrl)).text());
    for (const signal of ['traces', 'metrics', 'logs']) {
      if (!counts[signal]) throw new Error(`the hub sent no ${signal}`);
    }
  }, metricsMsMax);
}

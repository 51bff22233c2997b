/** What one call does in the hub: source files and functions it enters, promises it creates, bytes it allocates. */
import { freePort, startHubProcess, untilServersConnected } from '../../support/hub/hub-process.ts';
import { hubLoader } from '../bench-hub.ts';
import { benchFile, startBenchScript } from '../bench-process.ts';
import { type Finding, figureFinding } from '../findings.ts';
import type { Suite } from '../suite.ts';

/** Calls before anything is counted: caches are filled, code is compiled. */
const warmUpCalls = { full: 2000, quick: 50 };
/** Calls whose allocation is averaged. */
const measuredCalls = 200;
/** Single calls that are counted; the least of each count is reported, since background work may run during a call. */
const countedCalls = 9;
/** The young generation is this large, in MiB, so that no collection takes place while bytes are counted. */
const youngGenerationMiB = 256;

const names = {
  files: 'source files that one call enters',
  functions: 'functions of the source that one call enters',
  promises: 'promises that one call creates',
} as const;

export const suite: Suite = {
  name: 'call-path',
  about: 'what one call does: files, functions, promises, bytes',
  async run({ isQuick }) {
    await using floor = await startBenchScript('processes/floor-server.ts');
    await using sink = await startBenchScript('processes/signal-sink.ts');
    const probePort = await freePort();
    await using hub = await startHubProcess({
      file: { mcpServers: { HTTP: { type: 'http', url: `${floor.url}/mcp` } }, scheduler: { enabled: false } },
      environment: { OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
      entry: [
        '--expose-gc',
        `--min-semi-space-size=${youngGenerationMiB}`,
        `--max-semi-space-size=${youngGenerationMiB}`,
        benchFile('processes/hub-probe.ts'),
        String(probePort),
      ],
    });
    await hub.ready();
    await untilServersConnected(hub, 'HTTP');
    await using loader = hubLoader(hub, 'HTTP');
    const probe = async (command: string): Promise<Record<string, number>> =>
      JSON.parse(await (await fetch(`http://127.0.0.1:${probePort}/${command}`, { method: 'POST' })).text());
    const call = async (times: number) => {
      for (let at = 0; at < times; at += 1) await loader.call();
    };
    await call(isQuick ? warmUpCalls.quick : warmUpCalls.full);
    await probe('begin?memory');
    await call(measuredCalls);
    const bytes = (await probe('end?memory')).bytes ?? 0;
    const counts: Record<string, number>[] = [];
    for (let at = 0; at < countedCalls; at += 1) {
      await probe('begin');
      await call(1);
      counts.push(await probe('end'));
    }
    const findings = Object.entries(names).map(
      ([key, name]): Finding => figureFinding(name, 'count', Math.min(...counts.map((each) => each[key] ?? 0))),
    );
    return [...findings, figureFinding('bytes that one call allocates', 'kB', bytes / measuredCalls / 1000)];
  },
};

/** The cost of records that survive a loss of power, with and without group commit. */
import { echoOverStdio, hubLoader, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, ratioFinding } from '../findings.ts';
import { type Suite, warmUpOf } from '../suite.ts';

const full = { storage: { durability: 'full' } };

export const suite: Suite = {
  name: 'durability',
  about: 'records that survive a loss of power',
  async run({ paired }) {
    await using owned = new AsyncDisposableStack();
    const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
    const loader = async (trail: 'watched' | 'inline', file: Record<string, unknown> = {}) => {
      const hub = owned.use(await startBenchHub({ servers: { stdio: echoOverStdio }, otlpUrl: sink.url, trail, file }));
      return owned.use(hubLoader(hub, 'stdio'));
    };
    const grouped = await loader('watched', full);
    const inline = await loader('inline', full);
    const normal = await loader('watched');
    const findings: Finding[] = [];
    for (const [inFlight, measure] of [
      [16, 'throughput'],
      [1, 'p50'],
    ] as const) {
      const subjects = [
        inline.subject('inline', inFlight),
        grouped.subject('full', inFlight),
        normal.subject('normal', inFlight),
      ];
      const settings = { noiseMeasure: measure, warmUp: warmUpOf(inFlight) };
      const run = await paired(`durability, ${inFlight} in flight`, subjects, settings);
      const named = (what: string) => `${what}, ${inFlight} in flight, ${measure}`;
      const perTurn = named('durability full, a transaction a turn against one a record');
      findings.push(
        ratioFinding(run, { name: perTurn, measure, subject: 'full' }),
        ratioFinding(run, { name: named('durability full against normal'), measure, subject: 'full', base: 'normal' }),
      );
    }
    return findings;
  },
};

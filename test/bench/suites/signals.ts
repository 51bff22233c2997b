/** The cost of signals: the hub with all signals, with none, and without each of them. */
import type { HubProcess } from '../../support/hub/hub-process.ts';
import { type BenchHubOptions, echoOverStdio, hubLoader, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, ratioFinding } from '../findings.ts';
import type { Measure } from '../paired.ts';
import { type Suite, warmUpOf } from '../suite.ts';

const withoutLog = { HESTIA_LOG_LEVEL: 'error' };
const exporting = (signal: 'TRACES' | 'METRICS' | 'LOGS') => ({ [`OTEL_${signal}_EXPORTER`]: 'none' });

/** Hubs by the signals they omit. */
const hubs: Record<string, Pick<BenchHubOptions, 'trail' | 'environment'> & { isSilent?: true }> = {
  'all signals': { trail: 'watched' },
  'no signals': { trail: 'unwatched', environment: withoutLog, isSilent: true },
  'no traces': { trail: 'watched', environment: exporting('TRACES') },
  'no metrics': { trail: 'watched', environment: exporting('METRICS') },
  'no log records to the collector': { trail: 'watched', environment: exporting('LOGS') },
  'no log lines': { trail: 'watched', environment: withoutLog },
  'no audit record and no outcome': { trail: 'unwatched' },
};

const measures: readonly { inFlight: number; measure: Measure }[] = [
  { inFlight: 1, measure: 'p50' },
  { inFlight: 16, measure: 'throughput' },
  { inFlight: 16, measure: 'cpu' },
];

export const suite: Suite = {
  name: 'signals',
  about: 'all signals against none, and what each one costs',
  async run({ paired }) {
    await using owned = new AsyncDisposableStack();
    const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
    const started = new Map<string, HubProcess>();
    for (const [name, { isSilent, ...options }] of Object.entries(hubs)) {
      const otlp = isSilent ? {} : { otlpUrl: sink.url };
      started.set(name, owned.use(await startBenchHub({ servers: { stdio: echoOverStdio }, ...otlp, ...options })));
    }
    const findings: Finding[] = [];
    for (const inFlight of [16, 1]) {
      const subjects = [...started].map(([name, hub]) => owned.use(hubLoader(hub, 'stdio')).subject(name, inFlight));
      const noiseMeasure = inFlight === 1 ? 'p50' : 'throughput';
      const run = await paired(`signals, ${inFlight} in flight`, subjects, {
        noiseMeasure,
        warmUp: warmUpOf(inFlight),
      });
      for (const { measure } of measures.filter((each) => each.inFlight === inFlight)) {
        const named = (what: string) => `${what}, ${inFlight} in flight, ${measure}`;
        const all = { measure, subject: 'all signals', base: 'no signals' };
        findings.push(ratioFinding(run, { ...all, name: named('all signals against none') }));
        for (const name of [...started.keys()].slice(2)) {
          findings.push(ratioFinding(run, { measure, subject: name, name: named(`${name} against all signals`) }));
        }
      }
    }
    return findings;
  },
};

/** Calls with a failing collector (refused, hanging, answering 503), compared with a healthy one. */
import { freePort } from '../../support/hub/hub-process.ts';
import { echoOverStdio, hubLoader, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, ratioFinding } from '../findings.ts';
import type { Subject } from '../paired.ts';
import { type Suite, warmUpOf } from '../suite.ts';

export const suite: Suite = {
  name: 'collector',
  about: 'a collector that fails against one that is up',
  async run({ paired }) {
    await using owned = new AsyncDisposableStack();
    const script = async (manner: string) => owned.use(await startBenchScript('processes/signal-sink.ts', manner)).url;
    const collectors = {
      up: await script('ok'),
      refused: `http://127.0.0.1:${await freePort()}`,
      hanging: await script('hang'),
      'answering 503': await script('503'),
    };
    const loaders = [];
    for (const [name, otlpUrl] of Object.entries(collectors)) {
      const hub = owned.use(await startBenchHub({ servers: { stdio: echoOverStdio }, otlpUrl }));
      loaders.push({ name: `collector ${name}`, loader: owned.use(hubLoader(hub, 'stdio')) });
    }
    const findings: Finding[] = [];
    for (const [inFlight, measure] of [
      [16, 'throughput'],
      [1, 'p50'],
    ] as const) {
      const subjects: Subject[] = loaders.map(({ name, loader }) => loader.subject(name, inFlight));
      const settings = { noiseMeasure: measure, warmUp: warmUpOf(inFlight) };
      const run = await paired(`collector, ${inFlight} in flight`, subjects, settings);
      for (const { name } of subjects.slice(1)) {
        const found = { name: `${name} against up, ${inFlight} in flight, ${measure}`, measure, subject: name };
        findings.push(ratioFinding(run, found));
      }
    }
    return findings;
  },
};

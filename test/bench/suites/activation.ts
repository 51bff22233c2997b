/** The cost of signals for activations of skills: the hub with all signals compared with none. */
import type { HubProcess } from '../../support/hub/hub-process.ts';
import { startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { ratioFinding } from '../findings.ts';
import { cpuMs } from '../load.ts';
import type { Subject } from '../paired.ts';
import type { Suite } from '../suite.ts';

export const suite: Suite = {
  name: 'activation',
  about: 'activations watched and unwatched',
  async run({ paired }) {
    await using sink = await startBenchScript('processes/signal-sink.ts');
    const silent = { HESTIA_LOG_LEVEL: 'error' };
    await using watched = await startBenchHub({ servers: {}, otlpUrl: sink.url, trail: 'watched' });
    await using unwatched = await startBenchHub({ servers: {}, trail: 'unwatched', environment: silent });
    const subjects = [await activations('unwatched', unwatched), await activations('watched', watched)];
    const run = await paired('activations, 1 in flight', subjects, { noiseMeasure: 'p50' });
    return [
      ratioFinding(run, { name: 'an activation watched against unwatched, p50', measure: 'p50', subject: 'watched' }),
    ];
  },
};

const skill = '---\nname: bench\ndescription: Helps with benchmarks.\n---\n\nMeasure in pairs.\n';

/** Activations of one skill; the deactivations between them are not measured. */
async function activations(name: string, hub: HubProcess): Promise<Subject> {
  const send = async (path: string, init: RequestInit) => {
    const response = await hub.fetch(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  };
  await send('/v1/skills/bench', { method: 'PUT', body: skill, headers: { 'content-type': 'text/markdown' } });
  return {
    name,
    slice: async (durationMs) => {
      const latenciesMs: number[] = [];
      const cpuBefore = cpuMs(hub.child.pid ?? 0);
      const startedAt = performance.now();
      while (performance.now() < startedAt + durationMs) {
        const sentAt = performance.now();
        await send('/v1/skills/bench/activate', { method: 'POST' });
        latenciesMs.push(performance.now() - sentAt);
        await send('/v1/skills/bench/deactivate', { method: 'POST' });
      }
      return { latenciesMs, wallMs: performance.now() - startedAt, cpuMs: cpuMs(hub.child.pid ?? 0) - cpuBefore };
    },
  };
}

/** One key that floods the hub at full speed, and what another key feels of it. Quiet and flooded times alternate in one run. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, type AttackKey, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';

const upstream = createHostileUpstream();
let hub: AttackedHub;
let good: AttackKey;
let flooder: Worker;

const windowMs = 2000;
const connections = 64;
/** More rounds average the noise of a busy machine out. */
const roundsMin = 4;
const roundsMax = 12;

beforeAll(async () => {
  hub = await startAttackedHub({ file: { mcpServers: { plain: upstream.configuration } } });
  await untilServersConnected(hub, 'plain');
  good = await hub.agent('good');
  const { secret } = await hub.agent('flooder');
  flooder = new Worker(new URL('./support/flood-worker.ts', import.meta.url), {
    workerData: { port: hub.port, secret, path: '/v1/tools/plain/run/call', body: '{"arguments":{}}', connections },
  });
});
afterAll(async () => {
  await flooder?.terminate();
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

/** The durations of calls, one after the other, for the length of a window, in milliseconds. */
async function callsInWindow(): Promise<number[]> {
  const durations: number[] = [];
  const until = performance.now() + windowMs;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const { status } = await good.call('plain', 'run');
    durations.push(performance.now() - startedAt);
    expect(status).toBe(200);
  }
  return durations;
}

function median(values: number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('a key that floods the hub over 64 connections', () => {
  test('leaves the calls of another key within 1.5 times of their quiet median, and is itself answered', async () => {
    const quiet: number[] = [];
    const flooded: number[] = [];
    let answered = 0;
    await callsInWindow();
    const ratio = () => median(flooded) / median(quiet);
    for (let round = 0; round < roundsMin || (round < roundsMax && ratio() > 1.5); round += 1) {
      quiet.push(...(await callsInWindow()));
      flooder.postMessage('start');
      flooded.push(...(await callsInWindow()));
      const reported = once(flooder, 'message');
      flooder.postMessage('stop');
      answered += Number((await reported)[0]);
      await delay(500);
    }
    const figures = {
      quietMs: median(quiet),
      floodedMs: median(flooded),
      ratio: ratio(),
      quietCalls: quiet.length,
      floodedCalls: flooded.length,
      floodAnswered: answered,
    };
    console.info('flood', figures);
    expect(figures.ratio).toBeLessThan(1.5);
    expect(answered).toBeGreaterThan(connections);
  });
});

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
let flooders: Worker[] = [];

const windowMs = 2000;
const connections = 64;
/** More rounds average the noise of a busy machine out. */
const roundsMin = 4;
const roundsMax = 12;

const batch = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' }));
const floods = [
  { what: 'calls', path: '/v1/tools/plain/run/call', body: '{"arguments":{}}', requests: 1 },
  { what: 'batches of messages', path: '/mcp', body: JSON.stringify(batch), requests: batch.length },
] as const;

async function startFlooder({ path, body }: (typeof floods)[number], index: number): Promise<Worker> {
  const { secret } = await hub.agent(`flooder-${index}`);
  return new Worker(new URL('./support/flood-worker.ts', import.meta.url), {
    workerData: { port: hub.port, secret, path, body, connections },
  });
}

beforeAll(async () => {
  hub = await startAttackedHub({ file: { mcpServers: { plain: upstream.configuration } } });
  await untilServersConnected(hub, 'plain');
  good = await hub.agent('good');
  flooders = await Promise.all(floods.map(startFlooder));
});
afterAll(async () => {
  await Promise.all(flooders.map((flooder) => flooder.terminate()));
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

describe.each(floods)('a key that floods the hub with $what over 64 connections', ({ what, requests }) => {
  test('leaves the calls of another key within 1.5 times of their quiet median', async () => {
    const flooder = flooders[floods.findIndex((flood) => flood.what === what)];
    if (flooder === undefined) throw new Error(`no flooder with ${what}`);
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
    console.info('flood', what, figures);
    expect(figures.ratio).toBeLessThan(1.5);
    // It is slowed, not stopped. Of batches, which are answered when all of their messages are, none may be by then.
    if (requests === 1) expect(answered).toBeGreaterThan(connections);
  });
});

/** One key that takes all it can get of what others need: streams, subscriptions, calls of a server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skillText } from '../support/hub/hub.ts';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, type AttackKey, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';
import { openServerStream, openSse, openStream, openSubscription } from './support/open-streams.ts';

const upstream = createHostileUpstream();
const streamsMax = 64;
const callsRunningPerServerMax = 64;
let hub: AttackedHub;

beforeAll(async () => {
  hub = await startAttackedHub({
    file: { mcpServers: { slow: upstream.configuration }, limits: { streamsMax, callsRunningPerServerMax } },
  });
  await untilServersConnected(hub, 'slow');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

/** Opens as many as the hub admits, and returns how many that is. */
async function openAll(open: (signal: AbortSignal) => Promise<Response>, signal: AbortSignal): Promise<number> {
  for (let count = 0; ; count += 1) {
    const response = await open(signal);
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      return count;
    }
  }
}

describe('a key that opens all streams and subscriptions that it gets', () => {
  test('gets half of the places, others their share of the rest, an operator all that is left, and all are free again', async () => {
    const hoarder = await hub.agent('hoarder');
    const modest = await hub.agent('modest');
    const closing = new AbortController();
    const asStreams = (key: AttackKey) => openAll((signal) => openStream(key, signal), closing.signal);
    const asSubscriptions = (key: AttackKey) => openAll((signal) => openSubscription(key, signal), closing.signal);
    expect(await asSubscriptions(hoarder)).toBe(streamsMax / 2);
    expect((await openStream(hoarder, closing.signal)).status).toBe(503);
    expect(await asStreams(modest)).toBe(streamsMax / 4);
    expect(await asStreams(hub.operator)).toBe(streamsMax / 4);
    closing.abort();
    const again = new AbortController();
    await expect
      .poll(async () => {
        const response = await openSubscription(hoarder, again.signal);
        return response.status;
      })
      .toBe(200);
    again.abort();
  });
});

describe('a key that opens streams of all endpoints', () => {
  test('has one share of places for them together, which are free again when it disconnects', async () => {
    const hoarder = await hub.agent('stream-hoarder');
    const modest = await hub.agent('stream-modest');
    const closing = new AbortController();
    const opened = [
      openSse,
      openSubscription,
      (key: AttackKey, signal?: AbortSignal) => openServerStream(key, 'slow', signal),
    ];
    // A response that nothing refers to is collected, which closes its stream.
    const held: Response[] = [];
    for (const open of opened) {
      for (let count = 0; count < streamsMax / 8; count += 1) held.push(await open(hoarder, closing.signal));
    }
    expect(await openAll((signal) => openStream(hoarder, signal), closing.signal)).toBe(streamsMax / 8);
    for (const open of opened) expect((await open(hoarder, closing.signal)).status).toBe(503);
    for (const open of opened) expect((await open(modest, closing.signal)).status).toBe(200);
    for (const { headers } of held) expect(headers.get('content-type')).toContain('text/event-stream');
    closing.abort();
    const again = new AbortController();
    await expect.poll(() => openAll((signal) => openSse(modest, signal), again.signal)).toBe(streamsMax / 2);
    again.abort();
  });
});

describe('a key that calls a slow server as often as it can', () => {
  test('gets half of the places of the server, and the calls of another key are answered', async () => {
    const hoarder = await hub.agent('call-hoarder');
    const modest = await hub.agent('call-modest');
    const closing = new AbortController();
    const hang = () =>
      hoarder.fetch('/v1/tools/slow/run/call', { json: { arguments: { answers: false } }, signal: closing.signal });
    const refused: Response[] = [];
    const hanging = Array.from({ length: 2 * callsRunningPerServerMax }, () =>
      hang().then(
        (response) => refused.push(response),
        () => undefined,
      ),
    );
    await expect.poll(() => refused.length).toBe(hanging.length - callsRunningPerServerMax / 2);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    expect(await refused[0]?.json()).toMatchObject({
      code: 'OVERLOADED',
      detail: '32 calls of this key to this server are under way, which is its share; try again',
    });
    expect((await modest.call('slow', 'run')).status).toBe(200);
    closing.abort();
    await Promise.all(hanging);
    await expect.poll(async () => (await hoarder.call('slow', 'run')).status).toBe(200);
  });
});

describe('a key that publishes version after version', () => {
  test('may store a bounded number of bytes in an hour, and other keys publish', async () => {
    const skillBytesPerHour = 16_777_216;
    await using attacked = await startAttackedHub({ file: { limits: { skillBytesPerHour } } });
    const writer = await attacked.agent('writer');
    const publish = async (key: AttackKey, name: string, at: number) => {
      const json = { document: skillText(name), files: { 'data.txt': String(at).repeat(1_000_000) } };
      return (await key.fetch(`/v1/skills/${name}`, { method: 'PUT', json })).status;
    };
    const statuses: number[] = [];
    // A version has two megabytes.
    for (let at = 10; at < 40; at += 1) statuses.push(await publish(writer, 'many-versions', at));
    const accepted = statuses.filter((status) => status < 300).length;
    console.info('versions', { accepted, refused: statuses.length - accepted });
    expect(new Set(statuses)).toEqual(new Set([201, 200, 429]));
    expect(accepted * 2_000_000).toBeLessThanOrEqual(skillBytesPerHour);
    expect(await publish(await attacked.agent('other-writer'), 'another-skill', 10)).toBe(201);
  });
});

/** Bodies that make the hub hold memory or refuse others, against a hub with a heap as in a container of 1 GiB. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttackedHub, type AttackKey, startAttackedHub } from './support/attacked-hub.ts';

/** The heap that Node 24 gives a process in a container of 1 GiB is larger. */
const heapMib = 256;
let hub: AttackedHub;
let attacker: AttackKey;
let other: AttackKey;

beforeAll(async () => {
  hub = await startAttackedHub({ nodeOptions: [`--max-old-space-size=${heapMib}`] });
  attacker = await hub.agent('attacker');
  other = await hub.agent('other');
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Sends a body to `/mcp`, and returns the status; 0 if the connection was closed first. */
async function post(key: AttackKey, body: string): Promise<number> {
  const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  try {
    const response = await key.fetch('/mcp', { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

const search = async (key: AttackKey) =>
  (await key.fetch('/v1/tools/search', { json: { query: 'read a file' } })).status;

describe('bodies of empty arrays, over and over', () => {
  test('do not end the process, and other keys are served', async () => {
    const bodies = [`[${'[],'.repeat(4_000_000)}[]]`, `[${'[],'.repeat(1_300_000)}[]]`, `[${'[],'.repeat(80_000)}[]]`];
    const statuses = new Set<number>();
    const others: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const attacks = bodies.flatMap((body) => Array.from({ length: 6 }, () => post(attacker, body)));
      others.push(await search(other));
      for (const status of await Promise.all(attacks)) statuses.add(status);
    }
    expect([hub.child.exitCode, hub.child.signalCode]).toEqual([null, null]);
    console.info('arrays', { statuses: [...statuses], others });
    expect(others).toEqual(others.map(() => 200));
    expect(statuses).not.toContain(200);
  });
});

/** The longest body. Sixty-four of them are all bytes that the hub holds of requests, to the last one. */
const declaredBytes = 4_194_304;

describe('sockets that declare a body and send none', () => {
  test('leave the requests of other keys alone', async () => {
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(hub.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${attacker.secret}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${declaredBytes}\r\n\r\n{`,
      );
      return socket;
    });
    await new Promise((resolve) => sockets.at(-1)?.once('ready', resolve));
    // The hub takes a moment to read the headers of all.
    const until = performance.now() + 4000;
    while (performance.now() < until) expect(await search(other)).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

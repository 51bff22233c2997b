/** Slow clients and oversized headers: the hub closes their connections and serves the others. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';

let hub: HubProcess;
beforeAll(async () => {
  hub = await startHubProcess({ file: { limits: { headersTimeoutMs: 200, requestTimeoutMs: 400 } } });
  await hub.ready();
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Opens a connection and sends `text`. `closed` resolves with the response once the hub closes the connection. */
function openConnection(text: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(hub.port, '127.0.0.1', () => socket.write(text));
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(answer))) };
}

describe('a client that is too slow', () => {
  test.each([
    ['with its headers', 'GET /livez HTTP/1.1\r\nHost: localhost\r\n'],
    ['with its body', 'POST /v1/tools/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{'],
  ])('%s receives an error and is disconnected, while others are served', async (_part, text) => {
    const slow = Array.from({ length: 20 }, () => openConnection(text));
    expect((await hub.fetch('/v1/skills')).status).toBe(200);
    for (const answer of await Promise.all(slow.map(({ closed }) => closed))) {
      expect(answer).toMatch(/^HTTP\/1\.1 4(01|08) /);
    }
  });
});

describe('headers beyond the limit', () => {
  test('are refused with 431', async () => {
    const { closed } = openConnection(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: ${'x'.repeat(40_000)}\r\n\r\n`);
    expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
  });
});

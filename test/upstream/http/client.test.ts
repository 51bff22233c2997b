/** Bodies of upstream servers over HTTP, by the length that their headers state. */
import { createServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpClient } from '../../../src/upstream/http/client.ts';
import { freePort } from '../../support/hub/hub-process.ts';

const bytesMax = 1000;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** A server that answers each connection with these bytes and closes it. */
async function serverOf(head: readonly string[], body: Buffer | string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(`${['HTTP/1.1 200 OK', 'content-type: application/json', ...head].join('\r\n')}\r\n\r\n`);
      socket.end(body);
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
  return `http://127.0.0.1:${port}/mcp`;
}

async function read(head: readonly string[], body: Buffer | string) {
  const url = await serverOf(head, body);
  const client = createHttpClient(bytesMax);
  open.push({ [Symbol.asyncDispose]: client.close });
  const seen = { exceeded: 0, ended: 0 };
  const count = (what: keyof typeof seen) => () => {
    seen[what] += 1;
  };
  const observer = { onExceeded: count('exceeded'), onEnded: count('ended') };
  const request = { method: 'POST', headers: {}, body: '{}', signal: null } as const;
  const result = await client.send(url, request, observer).then(
    ({ body: text }) => text,
    () => 'refused',
  );
  return { result, ...seen };
}

const long = 'x'.repeat(bytesMax + 1);
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const bomb = gzipSync('x'.repeat(100_000));

describe('a body', () => {
  test.each([
    ['with its length', ['content-length: 5'], '"äb"'],
    ['without a length', ['transfer-encoding: chunked'], chunked('"abc"')],
    ['that ends with its connection', ['connection: close'], '"abc"'],
    ['as long as the limit', [`content-length: ${bytesMax}`], 'x'.repeat(bytesMax)],
  ])('%s is read to its end', async (_what, head, body) => {
    const { result, ...seen } = await read(head, body);
    expect(seen).toEqual({ exceeded: 0, ended: 1 });
    expect(result).toBe(head[0]?.startsWith('transfer') ? '"abc"' : body);
  });

  test.each([
    ['with its length', [`content-length: ${long.length}`], long],
    ['without a length', ['transfer-encoding: chunked'], chunked(long)],
    ['that ends with its connection', ['connection: close'], long],
    ['compressed to less', ['content-encoding: gzip', `content-length: ${bomb.length}`], bomb],
  ])('%s that is longer than the limit is refused', async (_what, head, body) => {
    expect(await read(head, body)).toEqual({ result: 'refused', exceeded: 1, ended: 0 });
  });

  test.each([
    ['is cut off', ['content-length: 100'], '"abc"'],
    ['has two lengths', ['content-length: 5', 'content-length: 2000'], long],
    ['has a length and is chunked', ['content-length: 5', 'transfer-encoding: chunked'], chunked(long)],
  ])('that %s is refused', async (_what, head, body) => {
    const { result, ended } = await read(head, body);
    expect([result, ended]).toEqual(['refused', 0]);
  });
});

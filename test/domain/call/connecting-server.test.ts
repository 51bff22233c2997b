/** The first seconds of a hub: a server that is still connecting, what probes and searches say, and calls that wait for it. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StdioServer, stdioServerSchema } from '../../../src/shapes/server.ts';
import { json, startTestHub, type TestHub } from '../../support/hub/hub.ts';

const serverFile = fileURLToPath(new URL('../../support/servers/faulty-server.ts', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-connecting-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A server that starts when the file exists. */
function heldServer(file: string): StdioServer {
  const script = `const held = setInterval(() => {
    if (!require('node:fs').existsSync(${JSON.stringify(file)})) return;
    clearInterval(held);
    import(${JSON.stringify(serverFile)});
  }, 20);`;
  return stdioServerSchema.parse({ command: process.execPath, args: ['-e', script] });
}

const call = (hub: TestHub) => hub.operator.fetch('/v1/tools/held/pid/call', { json: {} });

describe('a server that is connecting', () => {
  let hub: TestHub;
  const file = () => join(folder, 'first');
  beforeAll(async () => {
    hub = await startTestHub({
      file: { mcpServers: { held: heldServer(file()) }, limits: { connectWaitMs: 600_000 } },
    });
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  test('does not make the hub unready, which says how many are connected', async () => {
    const response = await hub.fetch('/readyz');
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({
      status: 'ready',
      message: 'servers still connecting (0 of 1)',
      dependencies: { servers: { state: 'connecting', connected: 0, total: 1 } },
    });
  });

  test('is named by a search', async () => {
    const answer = await json(hub.operator.fetch('/v1/tools/search', { json: { query: 'process id' } }));
    expect(answer).toMatchObject({ serversConnecting: ['held'] });
  });

  test('gets the calls that were made meanwhile, once it is connected', async () => {
    let isAnswered = false;
    const calling = call(hub).then((response) => {
      isAnswered = true;
      return response;
    });
    await json(hub.operator.fetch('/v1/servers'));
    expect(isAnswered).toBe(false);
    writeFileSync(file(), '');
    const response = await calling;
    expect([response.status, (await json(response)).outcome]).toEqual([200, 'success']);
    expect(await json(hub.fetch('/readyz'))).not.toHaveProperty('message');
  });
});

test('a call waits no longer than limits.connectWaitMs, and not at all where that is 0', async () => {
  const file = join(folder, 'never');
  await using hub = await startTestHub({
    file: { mcpServers: { held: heldServer(file) }, limits: { connectWaitMs: 0 } },
  });
  const response = await call(hub);
  expect([response.status, (await json(response)).detail]).toEqual([
    503,
    expect.stringContaining('the server is connecting'),
  ]);
});

test('a caller that gives up ends the wait', async () => {
  const file = join(folder, 'never');
  await using hub = await startTestHub({
    file: { mcpServers: { held: heldServer(file) }, limits: { connectWaitMs: 600_000 } },
  });
  const signal = AbortSignal.timeout(200);
  const response = await hub.operator.fetch('/v1/tools/held/pid/call', { json: {}, signal });
  expect(response.status).not.toBe(200);
});

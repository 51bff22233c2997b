/** How much a hub has in hand at once: requests, their bodies together, and memory. */
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemResponse } from '../../src/http/problem.ts';
import { limitBodies, limitRunning, type RequestLimits } from '../../src/http/request-limits.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';

describe('request bodies that together exceed the limit of the hub', () => {
  let hub: HubProcess;
  beforeAll(async () => {
    hub = await startHubProcess({ file: { limits: { requestBytesHeldMax: 100_000 } } });
    await hub.ready();
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  const search = () => hub.fetch('/v1/tools/search', { json: { query: 'read a file' } });

  test('are refused before they are read, with or without a key, and accepted again below the limit', async () => {
    const slow = connect(hub.port, '127.0.0.1');
    // One body passes whatever its length: it is the others that it leaves no room for.
    slow.write(
      `POST /v1/tools/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${hub.key()}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n{',
    );
    await expect.poll(async () => (await search()).status).toBe(503);
    const refused = await search();
    expect(refused.headers.get('retry-after')).toBe('1');
    const problem = await refused.json();
    expect(problem).toMatchObject({
      code: 'OVERLOADED',
      detail: '100000 bytes of requests are under way, which is the limit; try again',
    });
    const stranger = await fetch(`${hub.url}/v1/tools/search`, { method: 'POST', body: '{}' });
    expect([stranger.status, await stranger.json()]).toEqual([503, problem]);
    // What has no body is answered, and so are probes.
    expect((await hub.fetch('/v1/skills')).status).toBe(200);
    expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
    slow.destroy();
    await expect.poll(async () => (await search()).status).toBe(200);
  });
});

describe('requests beyond the concurrency limit', () => {
  test('are refused at once, and accepted again below the limit', async () => {
    const waiting = Promise.withResolvers<void>();
    const app = await limitedApp({ ...limits, requestsRunningMax: 2 });
    app.get('/', async (c) => {
      await waiting.promise;
      return c.text('answered');
    });
    const taken = [app.request('/'), app.request('/')];
    const refused = await app.request('/');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await refused.json()).toMatchObject({
      code: 'OVERLOADED',
      detail: '2 requests are under way, which is the limit; try again',
    });
    expect(counted).toEqual([{ 'http.request.method': 'GET', 'url.scheme': 'http', 'http.response.status_code': 503 }]);
    waiting.resolve();
    for (const response of await Promise.all(taken)) expect(response.status).toBe(200);
    expect((await app.request('/')).status).toBe(200);
  });
});

describe('a process over its memory limit', () => {
  test('answers 503 with Retry-After until it uses less', async () => {
    let memoryBytes = 100;
    const app = await limitedApp(limits, () => memoryBytes);
    app.post('/', (c) => c.text('taken'));
    const ask = () => app.request('/', { method: 'POST', body: 'x', headers: { 'content-length': '1' } });
    expect((await ask()).status).toBe(200);
    memoryBytes = 101;
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({
      code: 'OVERLOADED',
      detail: 'the hub holds 100 bytes of memory, which is the limit; try again',
    });
    memoryBytes = 100;
    expect((await ask()).status).toBe(200);
  });
});

const limits = { requestsRunningMax: 10, requestBytesMax: 1000, requestBytesHeldMax: 1000, memoryBytesMax: 100 };

const counted: object[] = [];

/** An application with nothing but the limits. */
async function limitedApp(allowed: RequestLimits, memoryBytes: () => number = () => 0): Promise<Hono> {
  const log = await openLog({ file: '/dev/null', level: 'error', standardOutput: 'none' });
  const app = new Hono();
  app.onError((error) => problemResponse(error, { log, challenge: '' }));
  app.use(
    limitRunning({ limits: allowed, metrics: { httpServerRequest: (_seconds, labels) => counted.push(labels) } }),
  );
  app.use(limitBodies(allowed, memoryBytes));
  return app;
}

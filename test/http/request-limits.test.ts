/** How much a hub has in hand at once: requests, their bodies together, and memory. */
import { connect, type Socket } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHeldResults } from '../../src/flow/held-results.ts';
import { type MemoryWatch, memoryLimitBytes, watchMemory } from '../../src/flow/memory-watch.ts';
import type { HubEnv } from '../../src/http/authenticate.ts';
import { limitKeys } from '../../src/http/key-shares.ts';
import { problemResponse } from '../../src/http/problem.ts';
import { limitRunning, type RequestLimits } from '../../src/http/request-limits.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { json, skillText, startTestHub } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';

describe('bodies of one key', () => {
  let hub: HubProcess;
  let agentKeys: string[];
  beforeAll(async () => {
    hub = await startHubProcess({ file: { limits: { requestBytesHeldMax: 1_000_000 } } });
    await hub.ready();
    agentKeys = await Promise.all(
      ['flooder', 'other'].map(async (agentId) => (await json(hub.fetch('/v1/keys', { json: { agentId } }))).key),
    );
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  const search = (key = '', query = 'read a file') =>
    hub.fetch('/v1/tools/search', { json: { query }, headers: { authorization: `Bearer ${key}` } });

  /** Sends the headers of a request, with a declared length, and the beginning of its body. */
  function slowRequest(key = '', length: number, body: string): Socket {
    const socket = connect(hub.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/tools/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
    return socket;
  }

  test('count as they arrive, not as they are declared', async () => {
    const [flooder, other] = agentKeys;
    const idle = Array.from({ length: 30 }, () => slowRequest(flooder, 4_000_000, '{'));
    await expect.poll(async () => (await search(other)).status).toBe(200);
    expect((await search(flooder)).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });

  test('leave room for other keys, and are accepted again when they are gone', async () => {
    const [flooder, other] = agentKeys;
    const part = `{"query":"${'x'.repeat(150_000)}`;
    const slow = Array.from({ length: 8 }, () => slowRequest(flooder, 1_000_000, part));
    const answers: string[] = [];
    for (const socket of slow) socket.on('data', (data) => answers.push(String(data)));
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1/);
    expect(answers[0]).toContain('the bytes of requests of this key under way are as many as its share; try again');
    const long = await search(other, 'x'.repeat(200_000));
    // It was read, and refused for what it says.
    expect(long.status).toBe(400);
    for (const socket of slow) socket.destroy();
    await expect.poll(async () => (await search(flooder, 'x'.repeat(300_000))).status).toBe(400);
  });
});

describe('a body over the limit of bytes or of JSON values', () => {
  test('is refused with 413, whether or not its length is declared, and a skill may be longer', async () => {
    await using hub = await startTestHub();
    const agent = await hub.key('writer');
    const post = (body: string, isChunked: boolean) =>
      agent.fetch('/v1/tools/search', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(!isChunked && { 'content-length': String(body.length) }) },
        body,
      });
    const detail = async (response: Response) => [response.status, (await json(response)).detail];
    for (const isChunked of [false, true]) {
      const arrays = await post(`[${'[],'.repeat(250_000)}[]]`, isChunked);
      expect(await detail(arrays)).toEqual([413, 'the body must have at most 250000 JSON values']);
      const long = await post(`{"query":"${'x'.repeat(4_194_304)}"}`, isChunked);
      expect(await detail(long)).toEqual([413, 'the body must be at most 4194304 bytes']);
    }
    const files = { 'long.txt': 'x'.repeat(5_000_000) };
    const skill = await agent.fetch('/v1/skills/long', {
      method: 'PUT',
      json: { document: skillText('long'), files },
    });
    expect([skill.status, await skill.text()]).toEqual([201, expect.any(String)]);
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
  test('answers agents with 503 and Retry-After until it holds less, serves operators, and collects garbage first', async () => {
    let bytes = 100;
    let garbage = 50;
    const changes: boolean[] = [];
    const memory = watchMemory({
      limitBytes: 120,
      read: () => bytes + garbage,
      collect: () => {
        garbage = 0;
      },
      onChange: (isOver) => changes.push(isOver),
    });
    expect([memory.isOver(), garbage]).toEqual([false, 0]);
    bytes = 200;
    await expect.poll(() => memory.isOver()).toBe(true);
    const ask = async (role: 'agent' | 'operator') => {
      const app = await keyLimitedApp(memory, role);
      return app.request('/', { method: 'POST', body: 'x', headers: { 'content-length': '1' } });
    };
    const refused = await ask('agent');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({
      code: 'OVERLOADED',
      detail: 'the hub holds more than 120 bytes of memory, which is the limit; try again',
    });
    expect((await ask('operator')).status).toBe(200);
    bytes = 100;
    await expect.poll(() => memory.isOver()).toBe(false);
    expect((await ask('agent')).status).toBe(200);
    expect(changes).toEqual([true, false]);
    memory[Symbol.dispose]();
  });

  test('has a limit below the heap that V8 allows', () => {
    const heap = getHeapStatistics().heap_size_limit;
    expect(memoryLimitBytes(undefined)).toBeLessThan(heap);
    expect(memoryLimitBytes(100 * heap)).toBe(memoryLimitBytes(undefined));
    expect(memoryLimitBytes(1000)).toBe(1000);
  });
});

const limits = {
  requestsRunningMax: 10,
  requestBytesMax: 1000,
  skillRequestBytesMax: 1000,
  requestBytesHeldMax: 1000,
  requestValuesMax: 1000,
};

const counted: object[] = [];

/** An application with nothing but the limit of running requests. */
async function limitedApp(allowed: RequestLimits): Promise<Hono> {
  const log = await openLog({ file: '/dev/null', level: 'error', standardOutput: 'none' });
  const app = new Hono();
  app.onError((error) => problemResponse(error, { log, challenge: '' }));
  app.use(
    limitRunning({
      limits: allowed,
      onRequest: () => undefined,
      metrics: { httpServerRequest: (_seconds, labels) => counted.push(labels) },
    }),
  );
  return app;
}

/** An application with nothing but the limits of keys, for a caller of this role. */
async function keyLimitedApp(memory: MemoryWatch, role: 'agent' | 'operator'): Promise<Hono<HubEnv>> {
  const log = await openLog({ file: '/dev/null', level: 'error', standardOutput: 'none' });
  const app = new Hono<HubEnv>();
  app.onError((error) => problemResponse(error, { log, challenge: '' }));
  app.use((c, next) => {
    c.set('caller', { keyId: 'key', agentId: 'agent', namespace: 'default', role });
    return next();
  });
  const access = { countRequest: async () => undefined };
  const results = createHeldResults(1024);
  app.use(limitKeys({ access, limits: { ...limits, resultReadMsMax: 1000 }, memory, results, log }));
  app.post('/', (c) => c.text('taken'));
  return app;
}

/** Limits at the door: how often a key may ask, how often an address may fail, how many calls may be under way. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

async function events(hub: TestHub, name: string): Promise<{ agent_id: string; fields: Record<string, unknown> }[]> {
  return (await json(hub.operator.fetch(`/v1/audit/events?event=${name}&limit=200`))).items;
}

describe('a key over its rate limit', () => {
  test('gets 429 with Retry-After over HTTP and MCP, and one audit record; other keys are not limited', async () => {
    await using hub = await startTestHub({ file: { limits: { requestsPerMinute: 20 } } });
    const busy = await hub.key('busy-bot');
    const statuses: number[] = [];
    for (let index = 0; index < 24; index += 1) statuses.push((await busy.fetch('/v1/skills')).status);
    expect(statuses).toEqual([...Array(20).fill(200), ...Array(4).fill(429)]);
    const refusal = await busy.fetch('/mcp', { json: { jsonrpc: '2.0', id: 1, method: 'tools/list' } });
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refusal.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await json(refusal)).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      detail: expect.stringMatching(/^more than 20 requests in a minute; try again in \d+ s$/),
    });
    expect((await (await hub.key('other-bot')).fetch('/v1/skills')).status).toBe(200);
    expect(await events(hub, 'RATE_LIMITED')).toMatchObject([{ agent_id: 'busy-bot', fields: { limit: 'requests' } }]);
  });
});

describe('an address over the limit of failed authentications', () => {
  test('gets 429 and one audit record at once for all failures and one for all refusals, and a valid key still works', async () => {
    await using hub = await startTestHub({ file: { limits: { authFailuresPerMinute: 5 } } });
    const statuses: number[] = [];
    for (let index = 0; index < 30; index += 1) statuses.push((await hub.fetch('/v1/skills')).status);
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(25).fill(429)]);
    expect(await events(hub, 'AUTH_FAILED')).toMatchObject([{ agent_id: 'anonymous' }]);
    expect(await events(hub, 'RATE_LIMITED')).toMatchObject([
      { agent_id: 'anonymous', fields: { limit: 'failed authentications' } },
    ]);
  });
});

describe('tool calls beyond the concurrency limits', () => {
  let hub: TestHub;
  beforeAll(async () => {
    const faulty = supportServer('faulty-server.ts');
    hub = await startTestHub({
      file: {
        mcpServers: { one: faulty, two: faulty },
        limits: { callsRunningMax: 3, callsRunningPerServerMax: 2, callTimeoutMs: 10_000 },
      },
    });
    await untilConnected(hub, 'one', 'two');
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  test('are refused at once with 503 and Retry-After, per server and in total, and accepted again afterwards', async () => {
    const going = new AbortController();
    const call = (server: string, tool: string, signal?: AbortSignal) =>
      hub.operator.fetch(`/v1/tools/${server}/${tool}/call`, { json: {}, ...(signal && { signal }) });
    const running = async () => (await json(hub.operator.fetch('/readyz'))).status;
    const hanging = ['one', 'one', 'two'].map((server) => call(server, 'hang', going.signal).catch(() => undefined));
    expect(await running()).toBe('ready');
    const refused = await call('two', 'pid');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await json(refused)).toMatchObject({
      code: 'OVERLOADED',
      detail: '3 calls are under way, which is the limit; try again',
    });
    expect((await json(call('one', 'pid'))).detail).toBe('3 calls are under way, which is the limit; try again');
    going.abort();
    await Promise.all(hanging);
    expect((await call('two', 'pid')).status).toBe(200);
    const again = new AbortController();
    const two = ['one', 'one'].map((server) => call(server, 'hang', again.signal).catch(() => undefined));
    await expect
      .poll(async () => (await json(call('one', 'pid'))).detail)
      .toMatch(/^2 calls to this server are under way/);
    expect((await call('two', 'pid')).status).toBe(200);
    again.abort();
    await Promise.all(two);
  });
});

/** A session of the HTTP+SSE transport, by its clock: what it checks while its stream is open. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHeldResults } from '../../../src/flow/held-results.ts';
import { createSseSession, type SseSessionDeps } from '../../../src/mcp/sse/session.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

const caller = { keyId: 'k', agentId: 'a', namespace: 'default', role: 'agent' } as const;

function openSession(deps: Partial<SseSessionDeps> = {}, signal = new AbortController().signal) {
  const ends: string[] = [];
  const session = createSseSession({
    caller,
    endpoint: { handle: async () => '{}' },
    url: 'http://localhost/sse',
    messagePath: (id) => `/sse?sessionId=${id}`,
    results: createHeldResults(1_048_576),
    onEnded: (reason) => ends.push(reason),
    ...deps,
  });
  return { session, ends, response: session.open(signal) };
}

const keepAliveMs = 15_000;

const post = (body: string) => new Request('http://localhost/sse', { method: 'POST', body });
const notify = (method: string) => post(JSON.stringify({ jsonrpc: '2.0', method }));

describe('an open session', () => {
  test('answers a request whose id is no text and no number, however deeply it is nested', async () => {
    const refused = { jsonrpc: '2.0', id: null, error: { code: -32_600, message: 'Invalid Request' } };
    const { session, response } = openSession({ endpoint: { handle: async () => Response.json(refused) } });
    const id = '['.repeat(50_000) + ']'.repeat(50_000);
    await session.post(post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`), caller);
    await new Promise((resolve) => setImmediate(resolve));
    session.end('shutdown');
    expect(await response.text()).toContain('"id":null');
  });

  test('opens one stream of changes, however often its client says that it is ready', async () => {
    const methods: string[] = [];
    const never = new Promise<never>(() => {});
    const handle = async ({ method }: Request) => {
      methods.push(method);
      return method === 'GET' ? never : new Response(null, { status: 202 });
    };
    const { session } = openSession({ endpoint: { handle } });
    for (let count = 0; count < 3; count += 1) await session.post(notify('notifications/initialized'), caller);
    await new Promise((resolve) => setImmediate(resolve));
    session.end('shutdown');
    expect(methods.filter((method) => method === 'GET')).toHaveLength(1);
  });

  test('accepts no more text of running messages than the share of its key', async () => {
    const never = new Promise<never>(() => {});
    const { session } = openSession({ endpoint: { handle: () => never } });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { x: 'x'.repeat(400_000) } });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await session.post(post(body), caller)).status);
    session.end('shutdown');
    expect(statuses).toEqual([202, 503, 503]);
  });

  test('keeps its connection open with comments', async () => {
    const { session, ends, response } = openSession();
    await vi.advanceTimersByTimeAsync(2 * keepAliveMs);
    expect(ends).toEqual([]);
    session.end('shutdown');
    expect((await response.text()).match(/: keep-alive\n\n/g)).toHaveLength(2);
  });

  test('ends with the key or access token of its caller, at once', () => {
    const ending = new AbortController();
    const { ends } = openSession({ caller: { ...caller, ended: ending.signal } });
    expect(ends).toEqual([]);
    ending.abort();
    expect(ends).toEqual(['revoked']);
  });

  test('ends if its client reads nothing from one comment to the next', async () => {
    const large = JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(2_000_000) });
    const { session, ends } = openSession({ endpoint: { handle: async () => large } });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    await session.post(new Request('http://localhost/sse', { method: 'POST', body }), caller);
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(keepAliveMs);
      expect(ends).toEqual(['stalled']);
    });
  });

  test('whose client has left before it opened ends at once', () => {
    expect(openSession({}, AbortSignal.abort()).ends).toEqual(['disconnected']);
  });

  test('runs 64 requests at a time, and refuses further ones', async () => {
    const { session } = openSession({ endpoint: { handle: () => new Promise(() => {}) } });
    const post = () => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
      return session.post(new Request('http://localhost/sse', { method: 'POST', body }), caller);
    };
    for (let count = 0; count < 64; count += 1) expect((await post()).status).toBe(202);
    expect((await post()).status).toBe(503);
  });

  test('answers a request that its endpoint fails with an error', async () => {
    const { session, response } = openSession({ endpoint: { handle: () => Promise.reject(new Error('secret')) } });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    await session.post(new Request('http://localhost/sse', { method: 'POST', body }), caller);
    await new Promise((resolve) => setImmediate(resolve));
    session.end('shutdown');
    const text = await response.text();
    expect(text).toContain('"code":"INTERNAL"');
    expect(text).not.toContain('secret');
  });
});

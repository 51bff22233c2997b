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

describe('an open session', () => {
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

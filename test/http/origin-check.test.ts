/** Pages of allowed origins: their preflights are answered, and those of others are not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestHub, type TestHub } from '../support/hub/hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ file: { policy: { allowedOrigins: ['app.example.com'] } } });
});
afterAll(() => hub[Symbol.asyncDispose]());

const preflight = (origin: string, path = '/mcp') =>
  hub.fetch(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
    },
  });

describe('a page of an allowed origin', () => {
  const origin = 'https://app.example.com';

  test.each(['/mcp', '/v1/tools/search', '/v1/skills/x'])(
    'has its preflight for %s answered without a key',
    async (path) => {
      const response = await preflight(origin, path);
      expect(response.status).toBe(204);
      const { headers } = response;
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-allow-methods')).toMatch(/POST/);
      expect(headers.get('access-control-allow-headers')).toMatch(/authorization/);
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toMatch(/Origin/i);
    },
  );

  test('may read answers, fast ones and refusals too', async () => {
    const json = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_mcp_servers', arguments: {} } };
    const headers = { origin, accept: 'application/json, text/event-stream' };
    const called = await hub.operator.fetch('/mcp', { json, headers });
    const refused = await hub.fetch('/v1/skills', { headers: { origin } });
    expect([called.status, refused.status]).toEqual([200, 401]);
    for (const response of [called, refused]) {
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toMatch(/mcp-session-id/);
    }
  });
});

describe('a page of another origin', () => {
  test('is refused, and its preflight too', async () => {
    const response = await preflight('https://evil.example');
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('of this machine is not allowed to read answers', async () => {
    const response = await preflight('http://localhost:5173');
    expect(response.status).not.toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

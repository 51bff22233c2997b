import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

type Paths = Record<string, Record<string, unknown>>;

async function documentedOperations(): Promise<{ method: string; path: string }[]> {
  const { paths }: { paths: Paths } = await json(hub.operator.fetch('/openapi.json'));
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'something'),
    })),
  );
}

describe('a request without a key', () => {
  test('gets 401 from every documented operation except the probes, from /mcp and from the pages', async () => {
    const operations = (await documentedOperations()).filter(({ path }) => path !== '/livez' && path !== '/readyz');
    expect(operations.length).toBeGreaterThan(20);
    const others = ['/mcp', '/sse', '/docs', '/docs/start.js', '/openapi.json', '/config.schema.json', '/nowhere'];
    for (const { method, path } of [
      ...operations,
      ...others.map((path) => ({ method: 'GET', path })),
      { method: 'POST', path: '/mcp' },
    ]) {
      const response = await hub.fetch(path, { method });
      expect([method, path, response.status]).toEqual([method, path, 401]);
      const isPage = /^\/(docs|openapi|config)/.test(path);
      expect(response.headers.get('www-authenticate')).toMatch(isPage ? /^Basic / : /^Bearer /);
      expect(await json(response)).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    }
  });

  test('gets an answer from the probes', async () => {
    expect(await json(hub.fetch('/livez'))).toEqual({ status: 'alive' });
    const ready = await hub.fetch('/readyz');
    expect(ready.status).toBe(200);
    expect(await json(ready)).toMatchObject({ status: 'ready', dependencies: { database: { state: 'up' } } });
  });
});

describe('a request with an invalid key', () => {
  test.each([
    ['unknown', () => `hst_0123456789abcdef_${'A'.repeat(43)}`],
    ['malformed', () => 'letmein'],
    [
      'right but for its last character',
      () => `${hub.operator.secret.slice(0, -1)}${hub.operator.secret.endsWith('A') ? 'B' : 'A'}`,
    ],
    ['of another scheme', () => undefined],
  ])('a key that is %s is refused, and the failure is recorded without the key', async (_kind, secret) => {
    const presented = secret();
    const authorization = presented === undefined ? `Basic ${btoa(`x:${hub.operator.secret}`)}` : `Bearer ${presented}`;
    const response = await hub.fetch('/v1/skills', { headers: { authorization } });
    expect(response.status).toBe(401);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUTH_FAILED&limit=200'));
    expect(items.at(-1)).toMatchObject({
      agent_id: 'anonymous',
      fields: { error_type: expect.stringMatching(/^(unknown|malformed)$/) },
    });
    if (presented !== undefined) expect(JSON.stringify(items)).not.toContain(presented);
  });

  test('an expired key is refused like any other invalid key, and works until it expires', async () => {
    await using own = await startTestHub();
    const created = await json(own.operator.fetch('/v1/keys', { json: { agentId: 'guest', expiresInDays: 0.5 } }));
    expect(Date.parse(created.expiresAt) - Date.parse(created.createdAt)).toBe(43_200_000);
    const authorization = `Bearer ${created.key}`;
    expect((await own.fetch('/v1/skills', { headers: { authorization } })).status).toBe(200);
    own.advance(43_200_001);
    expect((await own.fetch('/v1/skills', { headers: { authorization } })).status).toBe(401);
    const { items } = await json(own.operator.fetch('/v1/audit/events?event=AUTH_FAILED'));
    expect(items.at(-1).fields).toMatchObject({ error_type: 'expired' });
  });

  test('a revoked key is refused at once, over HTTP and MCP', async () => {
    const key = await hub.key('leaver');
    expect((await key.fetch('/v1/skills')).status).toBe(200);
    expect((await hub.operator.fetch(`/v1/keys/${key.keyId}`, { method: 'DELETE' })).status).toBe(204);
    expect((await key.fetch('/v1/skills')).status).toBe(401);
    expect((await key.fetch('/mcp', { json: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })).status).toBe(401);
  });
});

describe('a browser', () => {
  test('may send the key as the password of Basic authentication, for the pages only', async () => {
    const authorization = `Basic ${btoa(`operator:${hub.operator.secret}`)}`;
    expect((await hub.fetch('/docs', { headers: { authorization } })).status).toBe(200);
    expect((await hub.fetch('/openapi.json', { headers: { authorization } })).status).toBe(200);
    expect((await hub.fetch('/v1/keys', { headers: { authorization } })).status).toBe(401);
  });
});

describe('a request that a foreign web page sends to a local hub', () => {
  test.each([
    ['a foreign host name', { host: 'attacker.example' }],
    ['a foreign origin', { origin: 'https://attacker.example' }],
  ])('is refused for %s, with or without a key', async (_kind, headers) => {
    for (const send of [hub.fetch, hub.operator.fetch]) {
      const response = await send('/v1/skills', { headers });
      expect([response.status, (await json(response)).code]).toEqual([403, 'FORBIDDEN']);
    }
  });
});

/** The routes of keys, audit, servers, pages and probes, and invalid requests, on one hub. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, publishSkill, startTestHub, type TestHub } from '../support/hub/hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ file: { mcpServers: { away: { command: 'no-such-program', autoConnect: false } } } });
});
afterAll(() => hub[Symbol.asyncDispose]());

describe('/v1/keys', () => {
  test('shows the secret of a key once and stores only its hash', async () => {
    const created = await hub.operator.fetch('/v1/keys', {
      json: { agentId: 'billing-bot', role: 'agent', namespace: 'finance' },
    });
    expect(created.status).toBe(201);
    const { key, keyId } = await json(created);
    expect(key).toMatch(/^hst_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const listed = await json(hub.operator.fetch('/v1/keys?limit=200'));
    expect(listed.items).toContainEqual({
      keyId,
      agentId: 'billing-bot',
      role: 'agent',
      namespace: 'finance',
      createdAt: expect.any(String),
    });
    expect(JSON.stringify(listed)).not.toContain(key);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=KEY_CREATED&limit=200'));
    expect(items.at(-1)).toMatchObject({
      agent_id: 'operator',
      fields: { key_id: keyId, agent_id: 'billing-bot', role: 'agent' },
    });
    expect(JSON.stringify(items)).not.toContain(key.slice(-43));
  });

  test.each([
    [{ agentId: '' }, 'agentId'],
    [{ agentId: 'a b' }, 'agentId'],
    [{ agentId: 'x\u0000y' }, 'agentId'],
    [{ agentId: 'a'.repeat(65) }, 'agentId'],
    [{ agentId: 'bot', role: 'root' }, 'role'],
    [{ agentId: 'bot', admin: true }, '(body)'],
    [{}, 'agentId'],
  ])('refuses %j, naming the field', async (body, field) => {
    const response = await hub.operator.fetch('/v1/keys', { json: body });
    const problem = await json(response);
    expect([response.status, problem.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(problem.violations[0].field).toBe(field);
  });

  test('is for operators', async () => {
    for (const role of ['agent', 'auditor'] as const) {
      const key = await hub.key(`some-${role}`, role);
      expect((await key.fetch('/v1/keys')).status).toBe(403);
      expect((await key.fetch('/v1/keys', { json: { agentId: 'mine', role: 'operator' } })).status).toBe(403);
    }
  });

  test('records one revocation for concurrent requests to revoke a key', async () => {
    const key = await hub.key('leaver');
    const revoke = () => hub.operator.fetch(`/v1/keys/${key.keyId}`, { method: 'DELETE' });
    expect((await Promise.all([revoke(), revoke(), revoke()])).map(({ status }) => status)).toEqual([204, 204, 204]);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=KEY_REVOKED&limit=200'));
    expect(items.filter((item: { fields: { key_id: string } }) => item.fields.key_id === key.keyId)).toHaveLength(1);
  });

  test('refuses to revoke the last key of an operator', async () => {
    await using alone = await startTestHub();
    const { items } = await json(alone.operator.fetch('/v1/keys'));
    const operators = items.filter((item: { role: string }) => item.role === 'operator');
    const statuses: number[] = [];
    for (const { keyId } of operators.toSorted((left: { keyId: string }) =>
      left.keyId === alone.operator.keyId ? 1 : -1,
    )) {
      statuses.push((await alone.operator.fetch(`/v1/keys/${keyId}`, { method: 'DELETE' })).status);
    }
    expect(statuses).toEqual([204, 409]);
  });

  test('does not count a key that expires as an operator key that remains', async () => {
    await using alone = await startTestHub();
    await alone.operator.fetch('/v1/keys', { json: { agentId: 'temp', role: 'operator', expiresInDays: 1 } });
    const { items } = await json(alone.operator.fetch('/v1/keys'));
    const lasting = items.filter((item: { expiresAt?: string }) => item.expiresAt === undefined);
    const others = lasting.filter(({ keyId }: { keyId: string }) => keyId !== alone.operator.keyId);
    for (const { keyId } of others) await alone.operator.fetch(`/v1/keys/${keyId}`, { method: 'DELETE' });
    const last = await alone.operator.fetch(`/v1/keys/${alone.operator.keyId}`, { method: 'DELETE' });
    expect([last.status, (await json(last)).code]).toEqual([409, 'CONFLICT']);
  });

  test('shows when a key was last used, after uses were saved', async () => {
    const key = await hub.key('used-bot');
    const lastUse = async () => {
      const { items } = await json(hub.operator.fetch('/v1/keys?limit=200'));
      return items.find((item: { keyId: string }) => item.keyId === key.keyId).lastUsedAt;
    };
    await hub.hub.access.saveUses();
    expect(await lastUse()).toBeUndefined();
    await key.fetch('/v1/skills');
    await hub.hub.access.saveUses();
    expect(Math.abs(Date.parse(await lastUse()) - Date.now())).toBeLessThan(60_000);
  });

  test('answers 404 for a key that does not exist', async () => {
    expect((await hub.operator.fetch('/v1/keys/ffffffffffffffff', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('/v1/audit', () => {
  test('lists every record once across pages, oldest first', async () => {
    const seqs: number[] = [];
    let cursor = '';
    do {
      const page = await json(hub.operator.fetch(`/v1/audit/events?limit=3${cursor && `&cursor=${cursor}`}`));
      seqs.push(...page.items.map((item: { seq: number }) => item.seq));
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(seqs.length).toBeGreaterThan(5);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  });

  test('verifies the trail, and exports the listed records as NDJSON', async () => {
    const verdict = await json(hub.operator.fetch('/v1/audit/verify'));
    expect(verdict).toMatchObject({ intact: true, firstSeq: 1 });
    const exported = await hub.operator.fetch('/v1/audit/export');
    expect(exported.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await exported.text()).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line)).filter(({ seq }) => seq !== undefined);
    expect(records).toHaveLength(verdict.lastSeq);
    expect(records.at(-1).hash).toBe(verdict.headHash);
    const page = await json(hub.operator.fetch('/v1/audit/events?limit=200'));
    expect(records.slice(0, 200)).toEqual(page.items.slice(0, records.length));
  });

  test('records the digest of the configuration at each start, which differs for another configuration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-configured-'));
    for (const callTimeoutMs of [1000, 1000, 2000]) {
      const started = await startTestHub({ folder, file: { limits: { callTimeoutMs } } });
      await started[Symbol.asyncDispose]();
    }
    {
      await using last = await startTestHub({ folder });
      const { items } = await json(last.operator.fetch('/v1/audit/events?event=CONFIGURATION_LOADED'));
      const digests = items.map((item: { fields: Record<string, string> }) => item.fields.configuration_digest);
      expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(digests[1]).toBe(digests[0]);
      expect(new Set(digests).size).toBe(3);
    }
    await rm(folder, { recursive: true });
  });

  test('is open to auditors and closed to agents', async () => {
    const auditor = await hub.key('the-auditor', 'auditor');
    expect((await auditor.fetch('/v1/audit/verify')).status).toBe(200);
    const agent = await hub.key('some-agent');
    for (const path of ['events', 'verify', 'export'])
      expect((await agent.fetch(`/v1/audit/${path}`)).status).toBe(403);
  });

  test('refuses a cursor that the hub did not issue', async () => {
    const response = await hub.operator.fetch(
      `/v1/audit/events?cursor=${Buffer.from('x; DROP').toString('base64url')}`,
    );
    expect([response.status, (await json(response)).code]).toEqual([400, 'INVALID_REQUEST']);
  });
});

describe('an auditor', () => {
  test('cannot change anything', async () => {
    await publishSkill(hub.operator, 'log-review');
    const auditor = await hub.key('reader', 'auditor');
    const attempts = [
      auditor.fetch('/v1/skills/log-review', { method: 'DELETE' }),
      auditor.fetch('/v1/skills/log-review/activate', { method: 'POST' }),
      auditor.fetch('/v1/servers/away/connect', { method: 'POST' }),
      auditor.fetch('/v1/scheduler/run', { method: 'POST' }),
      auditor.fetch('/v1/tools/away/tool/call', { json: {} }),
    ];
    expect((await Promise.all(attempts)).map((response) => response.status)).toEqual([403, 403, 403, 403, 403]);
    for (const path of ['/v1/skills', '/v1/servers', '/v1/tools/stats', '/v1/scheduler'])
      expect((await auditor.fetch(path)).status).toBe(200);
  });
});

describe('/v1/servers', () => {
  test('lists servers without fields that may be secret, and answers 404 for an unknown server', async () => {
    const { items } = await json(hub.operator.fetch('/v1/servers'));
    expect(items).toEqual([
      {
        serverId: 'away',
        transport: 'stdio',
        state: 'disconnected',
        stateSince: expect.any(String),
        toolsCount: 0,
        toolsRefusedCount: 0,
      },
    ]);
    expect((await hub.operator.fetch('/v1/servers/nowhere/connect', { method: 'POST' })).status).toBe(404);
  });

  test('returns the state of a server that cannot be started, and the hub keeps running', async () => {
    const answer = await json(hub.operator.fetch('/v1/servers/away/connect', { method: 'POST' }));
    expect(answer).toMatchObject({
      state: 'reconnecting',
      errorType: 'spawn_failed',
      failure: { systemCode: 'ENOENT' },
    });
    expect(Date.parse(answer.retryAt)).toBeGreaterThan(Date.now());
    const stopped = await json(hub.operator.fetch('/v1/servers/away/disconnect', { method: 'POST' }));
    expect(stopped.state).toBe('disconnected');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SERVER_CONNECT_REQUESTED'));
    expect(items).toMatchObject([{ agent_id: 'operator', fields: { server_id: 'away' } }]);
  });
});

describe('the pages', () => {
  test('/docs loads only files of this hub, and all of them exist', async () => {
    const response = await hub.operator.fetch('/docs');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    const page = await response.text();
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(assets).toHaveLength(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\//);
      expect((await hub.operator.fetch(asset)).status).toBe(200);
    }
    expect((await hub.operator.fetch('/docs/package.json')).status).toBe(404);
  });

  test('/openapi.json is the same for each request', async () => {
    const first = await (await hub.operator.fetch('/openapi.json')).text();
    expect(await (await hub.operator.fetch('/openapi.json')).text()).toBe(first);
  });

  test('/config.schema.json is the schema of the configuration file', async () => {
    const schema = await json(hub.operator.fetch('/config.schema.json'));
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['mcpServers', 'skills', 'scheduler', 'retention', 'limits', 'policy']),
    );
  });
});

describe('a probe', () => {
  test('is answered for any Host header', async () => {
    for (const path of ['/livez', '/readyz'])
      expect((await hub.fetch(path, { headers: { host: '10.1.2.3:7420' } })).status).toBe(200);
  });
});

describe('an invalid request', () => {
  test.each([
    ['a path that does not exist', '/v1/nothing', {}, 404, 'NOT_FOUND'],
    [
      'JSON that does not parse',
      '/v1/tools/search',
      { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_REQUEST',
    ],
    ['a query that is empty', '/v1/tools/search', { json: { query: '  ' } }, 400, 'INVALID_REQUEST'],
    ['a query that is too long', '/v1/tools/search', { json: { query: 'x'.repeat(2001) } }, 400, 'INVALID_REQUEST'],
    ['a limit out of range', '/v1/skills?limit=0', {}, 400, 'INVALID_REQUEST'],
    [
      'a search id that no search returned',
      '/v1/tools/away/tool/call',
      { json: { searchId: 'mine' } },
      400,
      'INVALID_REQUEST',
    ],
    ['an unknown server', '/v1/tools/nowhere/tool/call', { json: {} }, 404, 'NOT_FOUND'],
    ['a server that is not connected', '/v1/tools/away/tool/call', { json: {} }, 503, 'SERVER_UNAVAILABLE'],
    [
      'a tool of the hub called as an upstream',
      '/v1/tools/hestia/search_tools/call',
      { json: {} },
      400,
      'INVALID_REQUEST',
    ],
    ['a deadline over the limit', '/v1/tools/away/tool/call', { json: { timeoutMs: 300_001 } }, 400, 'INVALID_REQUEST'],
  ])('with %s gets problem details with its code', async (_what, path, init, status, code) => {
    const response = await hub.operator.fetch(path, init);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await json(response);
    expect([response.status, problem.status, problem.code]).toEqual([status, status, code]);
    expect(problem.detail).not.toMatch(/\bat .*:\d+|node_modules|\/src\//);
  });

  test('is refused if its body exceeds the limit', async () => {
    const response = await hub.operator.fetch('/v1/tools/search', { json: { query: 'x'.repeat(13_000_000) } });
    expect([response.status, (await json(response)).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

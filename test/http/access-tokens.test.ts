/** Access tokens of an issuer instead of API keys: the caller they authenticate, and each reason for a refusal. */
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { type IssuerServer, startIssuerServer } from '../support/servers/issuer-server.ts';

const resource = 'https://hub.example/mcp';
let issuer: IssuerServer;
let hub: TestHub;
beforeAll(async () => {
  issuer = await startIssuerServer({ audience: resource });
  hub = await startTestHub({ file: { policy: { oauth: { issuer: issuer.issuer, resource } } } });
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const withToken = (token: string, path = '/v1/skills', init: RequestInit = {}) =>
  hub.fetch(path, { ...init, headers: { authorization: `Bearer ${token}` } });
const agentClaims = { sub: 'billing-bot', hestia_namespace: 'finance' };

describe('a valid token', () => {
  test('authenticates the agent, namespace and role that its claims name', async () => {
    const token = await issuer.token({ ...agentClaims, hestia_role: 'operator' });
    expect((await withToken(token)).status).toBe(200);
    const body = JSON.stringify({ agentId: 'made-by-token' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expect((await hub.fetch('/v1/keys', { method: 'POST', headers, body })).status).toBe(201);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=KEY_CREATED&limit=200'));
    expect(items.at(-1)).toMatchObject({
      agent_id: 'billing-bot',
      namespace: 'finance',
      key_id: expect.stringMatching(/^jwt_[0-9a-f]{16}$/),
    });
  });

  test('without claims for namespace and role has the role agent in the default namespace', async () => {
    const token = await issuer.token({ sub: 'plain' });
    expect((await withToken(token)).status).toBe(200);
    expect((await withToken(token, '/v1/keys')).status).toBe(403);
    const owners = (await json(hub.operator.fetch('/v1/audit/events?event=ACCESS_DENIED&limit=200'))).items;
    expect(owners.at(-1)).toMatchObject({ agent_id: 'plain', namespace: 'default', fields: { role: 'agent' } });
  });

  test('does not affect API keys', async () => {
    expect((await hub.operator.fetch('/v1/skills')).status).toBe(200);
  });

  test('causes one request for the keys of the issuer, also for concurrent tokens', async () => {
    const before = issuer.keySetRequests();
    for (let index = 0; index < 10; index += 1) await withToken(await issuer.token(agentClaims));
    expect(issuer.keySetRequests()).toBe(before);
  });
});

describe('an invalid token', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const secret = new TextEncoder().encode('x'.repeat(32));
  const cases: [string, () => Promise<string> | string, string][] = [
    ['is expired beyond the clock skew', () => issuer.token(agentClaims, { expiresIn: -31 }), 'expired'],
    ['is for another audience', () => issuer.token(agentClaims, { audience: 'https://other' }), 'invalid_token'],
    ['is of another issuer', () => issuer.token(agentClaims, { issuer: 'https://other' }), 'invalid_token'],
    ['is signed by another key', () => issuer.token(agentClaims, { foreignKey: true }), 'invalid_token'],
    ['names no subject', () => issuer.token({ hestia_namespace: 'finance' }), 'invalid_token'],
    ['names an agent that no key could have', () => issuer.token({ sub: 'a b' }), 'invalid_claims'],
    ['names an actor of the hub', () => issuer.token({ sub: 'Hestia' }), 'invalid_claims'],
    ['names the operator without being one', () => issuer.token({ sub: 'operator' }), 'invalid_claims'],
    ['names a role that does not exist', () => issuer.token({ sub: 'bot', hestia_role: 'root' }), 'invalid_claims'],
    [
      'is signed with a shared secret',
      () =>
        new SignJWT(agentClaims)
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer(issuer.issuer)
          .setAudience(resource)
          .setExpirationTime(now() + 300)
          .sign(secret),
      'invalid_token',
    ],
    [
      'is not signed',
      () =>
        `${new UnsecuredJWT(agentClaims)
          .setIssuer(issuer.issuer)
          .setExpirationTime(now() + 300)
          .encode()}AA`,
      'invalid_token',
    ],
  ];
  test.each(cases)('that %s gets 401 and is recorded, without the token', async (_why, make, errorType) => {
    const token = await make();
    const response = await withToken(token);
    expect([response.status, (await json(response)).code]).toEqual([401, 'UNAUTHENTICATED']);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUTH_FAILED&limit=200'));
    // The first refusal of a kind is recorded, and repeats are counted.
    expect(items.map((item: { fields: object }) => item.fields)).toContainEqual(
      expect.objectContaining({ error_type: errorType }),
    );
    expect(JSON.stringify(items)).not.toContain(token.slice(0, 40));
  });

  test('does not include one that expired within the clock skew', async () => {
    expect((await withToken(await issuer.token(agentClaims, { expiresIn: -20 }))).status).toBe(200);
  });
});

describe('protected resource metadata', () => {
  test('needs no key, and a refusal names its URL', async () => {
    const refusal = await hub.fetch('/mcp', { method: 'POST' });
    expect(refusal.headers.get('www-authenticate')).toBe(
      'Bearer realm="hestia", resource_metadata="https://hub.example/.well-known/oauth-protected-resource/mcp"',
    );
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      expect(await json(hub.fetch(path))).toMatchObject({ resource, authorization_servers: [issuer.issuer] });
    }
  });

  test('is absent if no issuer is trusted, and tokens are then refused', async () => {
    await using plain = await startTestHub();
    expect((await plain.fetch('/.well-known/oauth-protected-resource')).status).toBe(401);
    const authorization = `Bearer ${await issuer.token(agentClaims)}`;
    const response = await plain.fetch('/v1/skills', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="hestia"');
  });
});

describe('an issuer that does not respond', () => {
  test('causes 503 for tokens without a recorded failure, and is requested again later; API keys keep working', async () => {
    issuer.isDown = true;
    await using fresh = await startTestHub({ file: { policy: { oauth: { issuer: issuer.issuer, resource } } } });
    const authorization = `Bearer ${await issuer.token(agentClaims)}`;
    const response = await fresh.fetch('/v1/skills', { headers: { authorization } });
    expect([response.status, (await json(response)).code]).toEqual([503, 'ISSUER_UNAVAILABLE']);
    expect(response.headers.get('retry-after')).toBe('5');
    expect((await fresh.operator.fetch('/v1/skills')).status).toBe(200);
    expect((await json(fresh.operator.fetch('/v1/audit/events?event=AUTH_FAILED'))).items).toEqual([]);
    issuer.isDown = false;
  });

  test('refuses nobody whose key is known, also after a token of an unknown key', async () => {
    await using known = await startTestHub({ file: { policy: { oauth: { issuer: issuer.issuer, resource } } } });
    const status = async (token: string) =>
      (await known.fetch('/v1/skills', { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await status(await issuer.token(agentClaims))).toBe(200);
    issuer.isDown = true;
    const { privateKey } = await generateKeyPair('ES256');
    const unknown = await new SignJWT(agentClaims)
      .setProtectedHeader({ alg: 'ES256', kid: 'two' })
      .setIssuer(issuer.issuer)
      .setAudience(resource)
      .setExpirationTime('5m')
      .sign(privateKey);
    // Keys are not requested again for an unknown one within 30 s of the last request.
    const realNow = Date.now;
    const later = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 31_000);
    for (let times = 0; times < 3; times += 1) {
      expect(await status(unknown)).toBe(503);
      expect(await status(await issuer.token(agentClaims))).toBe(200);
      expect(await status(await issuer.token(agentClaims, { foreignKey: true }))).toBe(401);
    }
    later.mockRestore();
    issuer.isDown = false;
  });
});

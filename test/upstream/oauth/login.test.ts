/** Logins to an upstream server that requires OAuth, with a real authorization server, from the API to the call. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, startTestHub, type TestHub, type TestKey } from '../../support/hub/hub.ts';
import {
  type ProtectedServer,
  registeredClients,
  signerKey,
  startProtectedServer,
} from '../../support/servers/protected-server.ts';

const publicUrl = 'http://127.0.0.1:7420';
let upstream: ProtectedServer;
beforeAll(async () => {
  upstream = await startProtectedServer(`${publicUrl}/oauth/callback`);
});
afterAll(() => upstream[Symbol.asyncDispose]());

const patience = { timeout: 60_000, interval: 50 };

function startHub(oauth: object | undefined, folder?: string): Promise<TestHub> {
  const server = { url: upstream.url, ...(oauth && { oauth }) };
  return startTestHub({ file: { mcpServers: { notes: server } }, ...(folder !== undefined && { folder }) });
}

const statusOf = async (hub: TestHub) => (await json(hub.operator.fetch('/v1/servers'))).items[0];
const untilState = (hub: TestHub, expected: object) =>
  expect.poll(() => statusOf(hub), patience).toMatchObject(expected);
const events = async (hub: TestHub, name: string) =>
  (await json(hub.operator.fetch(`/v1/audit/events?event=${name}&limit=200`))).items;
const call = (key: TestKey, tool = 'whoami') => key.fetch(`/v1/tools/notes/${tool}/call`, { json: { arguments: {} } });
const userOf = async (key: TestKey) => (await json(call(key))).result?.content?.[0]?.text;

/** Logs in as a user in a browser that returns to the hub. */
async function logIn(hub: TestHub, user: string, body: object = {}, key: TestKey = hub.operator) {
  const begun = await json(key.fetch('/v1/servers/notes/login', { json: body }));
  expect(begun).toMatchObject({ state: 'pending', url: expect.stringContaining('code_challenge_method=S256') });
  const { pathname, search } = await upstream.browse(begun.url, user);
  const page = await hub.fetch(`${pathname}${search}`);
  const login = await json(key.fetch(`/v1/servers/notes/login/${begun.loginId}`));
  return { begun, page, login, search };
}

describe('a server without a login', () => {
  test('says in its status, in the tool error and in an event which command logs in', async () => {
    await using hub = await startHub(undefined);
    const command = 'hestia servers login notes';
    await untilState(hub, { errorType: 'login_required', reason: expect.stringContaining(command) });
    const refused = await call(hub.operator);
    expect([refused.status, await json(refused)]).toMatchObject([
      502,
      { code: 'LOGIN_REQUIRED', detail: expect.stringContaining(command) },
    ]);
    expect(await events(hub, 'SERVER_LOGIN_REQUIRED')).toMatchObject([
      { fields: { server_id: 'notes', reason: 'no_login', login_command: command } },
    ]);
  });
});

describe('a login in a browser', () => {
  test('registers the hub, connects the server, is recorded, and survives a restart without a new login', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-login-'));
    try {
      {
        await using hub = await startHub(undefined, folder);
        await untilState(hub, { errorType: 'login_required' });
        const { page, login, begun } = await logIn(hub, 'alice');
        expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Logged in to notes')]);
        expect(login).toMatchObject({ loginId: begun.loginId, state: 'completed' });
        expect(login).not.toHaveProperty('url');
        await untilState(hub, { state: 'connected', toolsCount: 2 });
        expect(await statusOf(hub)).not.toHaveProperty('reason');
        expect(await userOf(hub.operator)).toBe('alice');
        expect(await events(hub, 'SERVER_LOGGED_IN')).toMatchObject([
          { agent_id: 'operator', fields: { server_id: 'notes', identity: 'hub' } },
        ]);
      }
      await using again = await startHub(undefined, folder);
      await untilState(again, { state: 'connected' });
      expect(await userOf(again.operator)).toBe('alice');
      expect((await stat(join(folder, 'logins.key'))).mode & 0o777).toBe(0o600);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('uses a registered client, and is denied if the user denies it', async () => {
    const { client_id: clientId, client_secret: clientSecret } = registeredClients.person;
    await using hub = await startHub({ clientId, clientSecret });
    await untilState(hub, { errorType: 'login_required' });
    expect((await logIn(hub, 'denier')).login).toMatchObject({ state: 'failed', error: 'denied' });
    const { begun, login } = await logIn(hub, 'bob');
    expect(begun.url).toContain('client_id=person');
    expect(login.state).toBe('completed');
    await expect.poll(() => userOf(hub.operator), patience).toBe('bob');
  });

  test('is finished once, only with its state, and only by its issuer', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    const begun = await json(hub.operator.fetch('/v1/servers/notes/login', { json: {} }));
    const { pathname, searchParams } = await upstream.browse(begun.url, 'alice');
    const { code = '', state = '', iss = '' } = Object.fromEntries(searchParams);
    expect(iss).toBe(upstream.issuer);
    const back = (parameters: Record<string, string>) => hub.fetch(`${pathname}?${new URLSearchParams(parameters)}`);
    expect((await back({ code, iss, state: 'other' })).status).toBe(400);
    const mixedUp = await back({ code, state, iss: 'https://attacker.example' });
    expect(mixedUp.status).toBe(400);
    expect((await back({ code, state, iss })).status).toBe(400);
    const login = await json(hub.operator.fetch(`/v1/servers/notes/login/${begun.loginId}`));
    expect(login).toMatchObject({ state: 'failed', error: 'issuer_mismatch' });
    expect(await statusOf(hub)).toMatchObject({ errorType: 'login_required' });
  });

  test('expires after ten minutes', async () => {
    await using hub = await startHub(undefined);
    const begun = await json(hub.operator.fetch('/v1/servers/notes/login', { json: {} }));
    const { pathname, search } = await upstream.browse(begun.url, 'alice');
    hub.advance(600_001);
    expect((await hub.fetch(`${pathname}${search}`)).status).toBe(400);
    const login = await json(hub.operator.fetch(`/v1/servers/notes/login/${begun.loginId}`));
    expect(login).toMatchObject({ state: 'failed', error: 'expired' });
  });

  test('is refused for metadata of another resource, and for another issuer than the configured one', async () => {
    const { resource } = upstream.metadata;
    upstream.metadata.resource = 'https://other.example/mcp';
    await using hub = await startHub(undefined);
    const mismatch = await json(hub.operator.fetch('/v1/servers/notes/login', { json: {} }));
    upstream.metadata.resource = resource;
    expect(mismatch).toMatchObject({ code: 'UPSTREAM_FAILED', detail: expect.stringContaining('another resource') });
    await using pinned = await startHub({ issuer: 'https://issuer.example' });
    const other = await json(pinned.operator.fetch('/v1/servers/notes/login', { json: {} }));
    expect(other.detail).toContain('another authorization server');
  });
});

describe('a token', () => {
  test('that ends is refreshed, with a refresh token that is used once', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'alice');
    await untilState(hub, { state: 'connected' });
    const before = upstream.grants.length;
    for (let round = 1; round <= 2; round += 1) {
      hub.advance(3_600_000);
      expect(await Promise.all([userOf(hub.operator), userOf(hub.operator)])).toEqual(['alice', 'alice']);
      expect(upstream.grants.slice(before)).toEqual(Array.from({ length: round }, () => 'refresh_token'));
    }
  });

  test('that was revoked is refreshed; where that fails too, a login is required again', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'alice');
    await untilState(hub, { state: 'connected' });
    await upstream.revokeAccess();
    expect(await userOf(hub.operator)).toBe('alice');
    await upstream.revokeAll();
    const refused = await json(call(hub.operator));
    expect(refused).toMatchObject({ code: 'LOGIN_REQUIRED', detail: expect.stringContaining('servers login notes') });
    await untilState(hub, { errorType: 'login_required' });
    expect((await events(hub, 'SERVER_LOGIN_REQUIRED')).at(-1)).toMatchObject({ fields: { reason: 'login_lost' } });
    await logIn(hub, 'alice');
    await expect.poll(() => userOf(hub.operator), patience).toBe('alice');
  });

  test('that lacks a scope: the next login requests it', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'alice');
    await untilState(hub, { state: 'connected' });
    expect(await json(call(hub.operator, 'write'))).toMatchObject({ code: 'LOGIN_REQUIRED' });
    expect((await events(hub, 'SERVER_LOGIN_REQUIRED')).at(-1)).toMatchObject({ fields: { reason: 'scope' } });
    expect(await userOf(hub.operator)).toBe('alice');
    const { begun } = await logIn(hub, 'alice');
    expect(new URL(begun.url).searchParams.get('scope')?.split(' ')).toEqual(
      expect.arrayContaining(['tools:read', 'tools:write']),
    );
    expect(await json(call(hub.operator, 'write'))).toMatchObject({ result: { content: [{ text: 'alice wrote' }] } });
  });
});

describe('a login with a device code', () => {
  test('shows a code and a URL, and completes once the code was entered', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    const begun = await json(hub.operator.fetch('/v1/servers/notes/login', { json: { flow: 'device' } }));
    expect(begun).toMatchObject({ state: 'pending', userCode: expect.stringMatching(/^[\w-]+$/) });
    await upstream.enterCode(begun.url, 'carol');
    const login = () => json(hub.operator.fetch(`/v1/servers/notes/login/${begun.loginId}`));
    await expect.poll(async () => (await login()).state, patience).not.toBe('pending');
    expect(await login()).toMatchObject({ state: 'completed' });
    await expect.poll(() => userOf(hub.operator), patience).toBe('carol');
  });
});

describe('a hub with client credentials', () => {
  const { client_id: clientId, client_secret: clientSecret } = registeredClients.machine;

  test('logs in by itself, and again when the token ends', async () => {
    await using hub = await startHub({ grant: 'client_credentials', clientId, clientSecret });
    await untilState(hub, { state: 'connected' });
    expect(await userOf(hub.operator)).toBe('machine');
    hub.advance(3_600_000);
    expect(await userOf(hub.operator)).toBe('machine');
  });

  test('logs in with a private key instead of a secret', async () => {
    await using hub = await startHub({ grant: 'client_credentials', clientId: 'signer', privateKey: signerKey });
    await untilState(hub, { state: 'connected' });
    expect(await userOf(hub.operator)).toBe('signer');
  });

  test('whose secret is wrong says that a login is required', async () => {
    await using hub = await startHub({ grant: 'client_credentials', clientId, clientSecret: 'wrong' });
    await untilState(hub, { errorType: 'login_required' });
  });
});

describe('a server where each agent has an identity', () => {
  test('is called by each with its own login; one without gets the command; names are unique in a namespace', async () => {
    await using hub = await startHub({ identity: 'agent' });
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'lister');
    await untilState(hub, { state: 'connected' });
    const [one, two] = [await hub.key('one'), await hub.key('two')];
    const namesake = await hub.key('one', 'agent', 'elsewhere');
    expect(await json(call(one))).toMatchObject({
      code: 'LOGIN_REQUIRED',
      detail: expect.stringContaining('hestia servers login notes --agent one'),
    });
    await logIn(hub, 'anna', {}, one);
    await logIn(hub, 'berta', { agentId: 'two' });
    expect(await Promise.all([userOf(one), userOf(two)])).toEqual(['anna', 'berta']);
    expect((await json(call(namesake))).detail).toContain('--agent one --namespace elsewhere');
    const foreign = await two.fetch('/v1/servers/notes/login', { json: { agentId: 'one' } });
    expect(foreign.status).toBe(403);
    await two.fetch('/v1/servers/notes/logout', { json: {} });
    expect(await json(call(two))).toMatchObject({ code: 'LOGIN_REQUIRED' });
    expect(await userOf(one)).toBe('anna');
  });
});

describe('a logout', () => {
  test('deletes the login, revokes its tokens and is recorded', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'alice');
    await untilState(hub, { state: 'connected' });
    expect((await hub.operator.fetch('/v1/servers/notes/logout', { json: {} })).status).toBe(204);
    await untilState(hub, { errorType: 'login_required' });
    expect(await events(hub, 'SERVER_LOGGED_OUT')).toHaveLength(1);
    expect((await hub.operator.fetch('/v1/servers/notes/logout', { json: {} })).status).toBe(204);
    expect(await events(hub, 'SERVER_LOGGED_OUT')).toHaveLength(1);
  });
});

describe('the tokens of a login', () => {
  test('are in no file of the hub, no record and no log line', async () => {
    await using hub = await startHub(undefined);
    await untilState(hub, { errorType: 'login_required' });
    await logIn(hub, 'alice');
    await untilState(hub, { state: 'connected' });
    hub.advance(3_600_000);
    expect(await userOf(hub.operator)).toBe('alice');
    expect(upstream.secrets.size).toBeGreaterThan(3);
    const files = ['hestia.db', 'hestia.db-wal', 'hestia.log'].map((name) =>
      readFile(join(hub.folder, name), 'latin1'),
    );
    const exported = (await hub.operator.fetch('/v1/audit/export')).text();
    const texts = await Promise.all([...files, exported]);
    for (const secret of upstream.secrets) {
      for (const text of texts) expect(text.includes(secret)).toBe(false);
    }
  });
});

describe('the routes of logins', () => {
  test('refuse agents, unknown servers and logins, and an agent id where the hub has one identity', async () => {
    await using hub = await startHub(undefined);
    const agent = await hub.key('agent');
    const login = (key: TestKey, server: string, body: object) =>
      key.fetch(`/v1/servers/${server}/login`, { json: body });
    expect((await login(agent, 'notes', {})).status).toBe(403);
    expect((await login(hub.operator, 'nowhere', {})).status).toBe(404);
    expect((await login(hub.operator, 'notes', { agentId: 'agent' })).status).toBe(400);
    expect((await hub.operator.fetch('/v1/servers/notes/login/login_x')).status).toBe(404);
    expect((await hub.fetch('/oauth/callback')).status).toBe(400);
  });
});

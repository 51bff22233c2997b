/** Signing in to the console at the issuer of access tokens: a real one, whose sign-in is the authorization code flow with PKCE. */
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { freePort, type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { type OidcIssuer, startOidcIssuer } from '../support/servers/oidc-issuer.ts';

let issuer: OidcIssuer;
let hub: ListeningHub;
const start = '/console/sign-in/issuer';
const back = `${start}/return`;

async function startHub(oauth: Record<string, unknown> = { clientId: 'console', scopes: ['openid', 'console'] }) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const resource = `${origin}/mcp`;
  const started = await startOidcIssuer({ resource, redirectUrl: origin + back });
  const policy = { oauth: { issuer: started.issuer, resource, clockSkewSeconds: 0, ...oauth } };
  return { issuer: started, hub: await startListeningHub({ port, file: { policy } }) };
}

beforeAll(async () => {
  ({ issuer, hub } = await startHub());
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** Begins a sign-in: the address at the issuer, and the cookie of the browser that goes there. */
async function begin(of: ListeningHub = hub) {
  const answer = await fetch(of.url + start, { redirect: 'manual' });
  expect(answer.status).toBe(303);
  const cookie = answer.headers.getSetCookie()[0] ?? '';
  expect(cookie).toMatch(/^hestia_sign_in=.*; Path=\/console\/sign-in\/issuer; HttpOnly; SameSite=Lax$/);
  return { url: new URL(answer.headers.get('location') ?? ''), cookie: cookie.split(';')[0] ?? '' };
}

/** Signs in as a user: the answer of the hub to the browser that returns, and the cookie of its session. */
async function signInAs(user: string, of: ListeningHub = hub, at: OidcIssuer = issuer) {
  const { url, cookie } = await begin(of);
  const returned = await at.browse(url.href, user);
  const answer = await fetch(returned, { headers: { cookie }, redirect: 'manual' });
  const session = answer.headers.getSetCookie().find((each) => each.startsWith('hestia_session='));
  return { answer, returned, attempt: cookie, cookie: session?.split(';')[0] ?? '' };
}

const newest = async (event: string) =>
  (await json(hub.operator.fetch(`/v1/audit/events?event=${event}&order=newest&limit=1`))).items[0];

describe('signing in at the issuer', () => {
  test('is offered, with PKCE, a state, and the hub as the resource', async () => {
    const page = await (await fetch(`${hub.url}/console/sign-in`)).text();
    expect(page).toContain(`href="${hub.url}${start}"`);
    const { url } = await begin();
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'console',
      code_challenge_method: 'S256',
      redirect_uri: hub.url + back,
      resource: `${hub.url}/mcp`,
      scope: 'openid console',
    });
  });

  test('opens a session of the subject, which is recorded, and whose rights are those of the token', async () => {
    const { answer, cookie } = await signInAs('ada');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('http-equiv="refresh" content="0;url=/"');
    const home = await (await fetch(`${hub.url}/console/keys`, { headers: { cookie } })).text();
    expect(home).toContain('>ada</span>');
    expect(await newest('SIGNED_IN')).toMatchObject({
      agent_id: 'ada',
      key_id: expect.stringMatching(/^jwt_[0-9a-f]{16}$/),
      fields: { method: 'issuer', role: 'operator' },
    });
  });

  test('twice with one code, or in another browser, is refused and recorded', async () => {
    const { returned, attempt } = await signInAs('ada');
    const again = await fetch(returned, { headers: { cookie: attempt }, redirect: 'manual' });
    expect(again.status).toBe(401);
    expect(await again.text()).toContain('began in another browser');
    const { url } = await begin();
    const stolen = await fetch(await issuer.browse(url.href, 'mallory'), { redirect: 'manual' });
    expect([stolen.status, stolen.headers.getSetCookie()]).toEqual([401, []]);
    expect(await newest('AUTH_FAILED')).toMatchObject({ outcome: 'error', fields: { error_type: 'unknown' } });
  });

  test('with a changed code, as the hub itself, or after a denial is refused with the reason', async () => {
    const { url, cookie } = await begin();
    const returned = await issuer.browse(url.href, 'ada');
    returned.searchParams.set('code', 'another');
    const changed = await fetch(returned, { headers: { cookie } });
    expect([changed.status, await changed.text()]).toEqual([
      401,
      expect.stringContaining('did not accept the sign-in'),
    ]);
    const reserved = await signInAs('hestia');
    expect([reserved.answer.status, await reserved.answer.text()]).toEqual([
      401,
      expect.stringContaining('does not name an agent'),
    ]);
    const denied = await signInAs('denier');
    expect([denied.answer.status, await denied.answer.text()]).toEqual([
      401,
      expect.stringContaining('the issuer refused'),
    ]);
  });

  test('registers the hub where the configuration names no client', async () => {
    const other = await startHub({ scopes: ['openid', 'console'] });
    const { cookie } = await signInAs('ada', other.hub, other.issuer);
    expect((await fetch(other.hub.url, { headers: { cookie }, redirect: 'manual' })).status).toBe(200);
    await other.hub[Symbol.asyncDispose]();
    await other.issuer[Symbol.asyncDispose]();
  });

  test('ends with the access token', async () => {
    const { cookie } = await signInAs('ada');
    expect((await fetch(hub.url, { headers: { cookie }, redirect: 'manual' })).status).toBe(200);
    hub.advance(3_601_000);
    const ended = await fetch(hub.url, { headers: { cookie }, redirect: 'manual' });
    expect([ended.status, ended.headers.get('location')]).toEqual([303, '/console/sign-in']);
  });

  test('at an issuer that does not answer says so, and offers the key', async () => {
    const port = await freePort();
    const oauth = { issuer: 'http://127.0.0.1:9', resource: `http://127.0.0.1:${port}/mcp` };
    await using lonely = await startListeningHub({ port, file: { policy: { oauth } } });
    const answer = await fetch(lonely.url + start, { redirect: 'manual' });
    expect(answer.status).toBe(503);
    const page = await answer.text();
    expect(page).toContain('the issuer cannot be signed in at');
    expect(page).toContain('API key');
  });
});

describeWith('chromium', 'a browser that comes back from the site of the issuer', () => {
  test('is signed in, though its cookie is for the site of the hub only', async () => {
    const { hub: own, issuer: at } = await startHub();
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    const page = await browser.newPage({ extraHTTPHeaders: { 'x-user': 'grace' } });
    await page.goto(`${own.url}/console/sign-in`);
    await page.getByRole('link', { name: 'Sign in at the issuer' }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor({ timeout: 60_000 });
    expect(await page.locator('.signed-in').textContent()).toContain('grace');
    await browser.close();
    await own[Symbol.asyncDispose]();
    await at[Symbol.asyncDispose]();
  }, 120_000);
});

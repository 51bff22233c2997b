/** The console without a browser: who gets in, what a form may do, and what each role sees. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleReader, cookieOf, signIn } from '../support/console-reader.ts';
import { json, publishSkill, skillText } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { realServer } from '../support/servers/real-server.ts';

let hub: ListeningHub;
let operator: ConsoleReader;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { everything: realServer('everything', ['stdio']) } } });
  await untilConnected(hub, 'everything');
  await publishSkill(hub.operator, 'invoices');
  operator = await signIn(hub, hub.operator.secret);
});
afterAll(() => hub[Symbol.asyncDispose]());

const pages = [
  '/',
  '/console/servers',
  '/console/servers/everything',
  '/console/tools',
  '/console/tools?query=add%20numbers',
  '/console/tools/everything/get-sum',
  '/console/skills',
  '/console/skills/default/invoices',
  '/console/activity',
  '/console/activity/1',
  '/console/quarantine',
  '/console/keys',
  '/console/connect',
  '/console/search-quality',
  '/console/scheduler',
];

describe('signing in', () => {
  test.each(pages)('%s leads to the page to sign in without a session', async (path) => {
    const answer = await fetch(hub.url + path, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/sign-in']);
  });

  test('gives a cookie that scripts and other sites do not get, and is recorded', async () => {
    const answer = await fetch(`${hub.url}/console/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ key: hub.operator.secret }),
      redirect: 'manual',
    });
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SIGNED_IN&order=newest&limit=1'));
    expect(items[0]).toMatchObject({
      agent_id: 'operator',
      outcome: 'success',
      fields: { method: 'key', key_id: hub.operator.keyId },
    });
  });

  test('with a wrong key is refused, recorded, and says nothing about the key', async () => {
    const answer = await fetch(`${hub.url}/console/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ key: 'hst_wrong' }),
    });
    expect(answer.status).toBe(401);
    const text = await answer.text();
    expect(text).toContain('This key is not valid, was revoked or has expired.');
    expect(text).not.toContain('hst_wrong');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUTH_FAILED&order=newest&limit=1'));
    expect(items[0]).toMatchObject({ outcome: 'error', fields: { error_type: 'malformed' } });
  });

  test('by a link works once', async () => {
    const code = await hub.hub.access.signIn.createCode(hub.operator.secret);
    const link = `${hub.url}/console/sign-in?code=${code}`;
    const first = await fetch(link, { redirect: 'manual' });
    expect(first.status).toBe(303);
    const home = await fetch(`${hub.url}/`, { headers: { cookie: cookieOf(first) }, redirect: 'manual' });
    expect(home.status).toBe(200);
    const second = await fetch(link, { redirect: 'manual' });
    expect(second.status).toBe(401);
    expect(await second.text()).toContain('the link was used before or is older than ten minutes');
  });

  test('ends with the session, and with its key', async () => {
    const leaving = await signIn(hub, hub.operator.secret);
    expect((await leaving.send('/console/sign-out')).headers.get('location')).toBe('/console/sign-in');
    expect((await leaving.get('/')).status).toBe(303);
    const key = await hub.key('short-lived');
    const revoked = await signIn(hub, key.secret);
    await hub.operator.fetch(`/v1/keys/${key.keyId}`, { method: 'DELETE' });
    expect((await revoked.get('/')).headers.get('location')).toBe('/console/sign-in');
  });
});

describe('a form', () => {
  test('of more than a megabyte is refused', async () => {
    const body = new URLSearchParams({ key: 'x'.repeat(1_100_000) });
    const answer = await hub.hub.fetch(
      new Request(`${hub.url}/console/sign-in`, { method: 'POST', body, headers: { host: 'localhost' } }),
    );
    expect(answer.status).toBe(413);
  });

  test.each(['', 'wrong', 'A'.repeat(43)])('with the token %j changes nothing', async (token) => {
    const answer = await operator.send('/console/keys', { agentId: 'forged' }, token);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('the form is not of this session');
    expect(await operator.read('/console/keys')).not.toContain('forged');
  });

  test('of another site is refused', async () => {
    const answer = await fetch(`${hub.url}/console/keys`, {
      method: 'POST',
      headers: { cookie: operator.cookie, origin: 'https://attacker.example' },
      body: new URLSearchParams({ agentId: 'forged' }),
    });
    expect(answer.status).toBe(403);
  });
});

describe('the pages', () => {
  test.each(pages)('%s has a title, loads nothing from elsewhere and is below 150 kB', async (path) => {
    const answer = await operator.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const text = await answer.text();
    expect(text).toMatch(/<h1>[^<]+<\/h1>/);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(text).not.toMatch(/<[^>]+ (?:style|on\w+)=/);
    expect(text.length).toBeLessThan(150_000);
  });

  test('a new key is shown once, and can be revoked', async () => {
    const created = await (
      await operator.send('/console/keys', { agentId: 'new-bot', role: '', namespace: '', readOnly: 'true' })
    ).text();
    const secret = /hst_([0-9a-f]{16})_[\w-]{43}/.exec(created);
    expect(secret).not.toBeNull();
    const list = await operator.read('/console/keys');
    expect(list).toContain('<span class="line">tools that read</span>');
    expect(list).not.toContain(secret?.[0]);
    await operator.send(`/console/keys/${secret?.[1]}/revoke`);
    const { items } = await json(hub.operator.fetch('/v1/keys?limit=200'));
    expect(items.find(({ keyId }: { keyId: string }) => keyId === secret?.[1])).toHaveProperty('revokedAt');
  });

  test('a key that is not valid is refused with the field', async () => {
    const answer = await operator.send('/console/keys', { agentId: 'not valid!' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('agentId: must be 1 to 64 letters');
  });

  test('a tool is called with what its form has, and the call is recorded', async () => {
    const answer = await operator.send('/console/tools/everything/get-sum/call', {
      'argument.a': '2',
      'argument.b': '3',
    });
    const text = await answer.text();
    expect(text).toContain('The sum of 2 and 3 is 5.');
    expect(text).toContain('value="2"');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?tool=everything/get-sum&order=newest&limit=1'));
    expect(items[0]).toMatchObject({ agent_id: 'operator', outcome: 'success' });
  });

  test('a failed call says why', async () => {
    const answer = await operator.send('/console/tools/everything/get-sum/call', { 'argument.a': '2' });
    const text = await answer.text();
    expect(text).toContain('INVALID_ARGUMENTS');
    expect(text).toContain('arguments.b');
  });

  test('a form with an argument that is not valid keeps what was entered, and says what is allowed', async () => {
    const answer = await operator.send('/console/tools/everything/get-sum/call', { 'argument.a': 'two' });
    const text = await answer.text();
    expect(text).toContain('arguments.a: must be JSON of the type &quot;number&quot;');
    expect(text).toContain('value="two"');
  });

  test('a skill is activated and deactivated', async () => {
    await operator.send('/console/skills/default/invoices/activate', { version: '1' });
    expect(await operator.read('/console/skills/default/invoices')).toContain('skill_invoices');
    await operator.send('/console/skills/default/invoices/deactivate');
    expect(await operator.read('/console/skills/default/invoices')).toContain('not active');
  });

  test('versions of a skill are compared', async () => {
    await publishSkill(hub.operator, 'compared', skillText('compared', 'One line.\nAnother line.'));
    await publishSkill(hub.operator, 'compared', skillText('compared', 'One line.\nA different line.'));
    const text = await operator.read('/console/skills/default/compared/compare?before=1&after=2');
    expect(text).toContain('<span class="removed">-Another line.</span><span class="added">+A different line.</span>');
  });

  test('a configuration that is not valid is refused with the place, and one that is adds its servers', async () => {
    const refused = await operator.send('/console/servers', { configuration: '{\n  "mcpServers": {,}\n}' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('configuration: not valid JSON at line 2, column 18');
    const none = await operator.send('/console/servers', { configuration: '[]' });
    expect(none.status).toBe(400);
  });

  test('a server is switched off for good, on again, and edited', async () => {
    const configuration = JSON.stringify({ mcpServers: { spare: realServer('everything', ['stdio']) } });
    await operator.send('/console/servers', { configuration });
    const entry = () => JSON.parse(readFileSync(join(hub.folder, 'hestia.config.json'), 'utf8')).mcpServers.spare;
    await operator.send('/console/servers/spare/switch-off');
    expect(entry()).toMatchObject({ disabled: true });
    const page = await operator.read('/console/servers/spare');
    expect(page).toContain('Switch on');
    await operator.send('/console/servers/spare/switch-on');
    expect(entry()).not.toHaveProperty('disabled');
    await operator.send('/console/servers/spare/edit', { change: '{ "env": { "A": "secret" }, /* later */ }' });
    expect(entry()).toMatchObject({ env: { A: 'secret' } });
    expect(await operator.read('/console/servers/spare')).not.toContain('secret"');
    const refused = await operator.send('/console/servers/spare/edit', { change: '{' });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('change: not valid JSON')]);
    await operator.send('/console/servers/spare/remove');
  });

  test('a tool is switched off and on', async () => {
    await operator.send('/console/tools/everything/echo/switch-off');
    expect(await operator.read('/console/tools')).toContain('/console/tools/everything/echo/switch-on');
    await operator.send('/console/tools/everything/echo/switch-on');
    expect(await operator.read('/console/tools')).toContain('href="/console/tools/everything/echo"');
  });

  test('a skill is published from its text', async () => {
    const answer = await operator.send('/console/skills', { name: 'pasted', text: skillText('pasted') });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/skills/default/pasted']);
    const refused = await operator.send('/console/skills', { name: '../up', text: skillText('up') });
    expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining('name: must be letters')]);
  });

  test('the trail is filtered by the address', async () => {
    const text = await operator.read('/console/activity?tool=everything/get-sum&outcome=success&since=1h');
    expect(text).toContain('tool:everything/get-sum');
    expect(text).not.toContain('KEY_CREATED</td>');
    const refused = await operator.get('/console/activity?event=NO_EVENT');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toMatch(/event: must be one of [A-Z_, ]+, found &quot;NO_EVENT&quot;/);
    const soon = await operator.get('/console/activity?since=soon');
    expect(await soon.text()).toContain('since: must be a time such as 2h, 7d or 2026-01-31, found &quot;soon&quot;');
    expect((await operator.get('/console/activity?tool=pid')).status).toBe(400);
  });
});

describe('what a role may not do', () => {
  test('an agent has no pages of the trail, the quarantine and the keys, and is refused there', async () => {
    const agent = await signIn(hub, (await hub.key('plain-agent')).secret);
    const home = await agent.read('/');
    for (const path of ['/console/activity', '/console/quarantine', '/console/keys']) {
      expect(home).not.toContain(`href="${path}"`);
      expect((await agent.get(path)).status).toBe(403);
    }
    expect((await agent.send('/console/scheduler/run')).status).toBe(403);
    expect((await agent.send('/console/servers/everything/remove')).status).toBe(403);
  });

  test('an auditor reads, and has no buttons', async () => {
    const auditor = await signIn(hub, (await hub.key('reader', 'auditor')).secret);
    expect(await auditor.read('/console/activity')).toContain('SIGNED_IN');
    expect(await auditor.read('/console/tools/everything/get-sum')).not.toContain('/call"');
    expect((await auditor.send('/console/skills/default/invoices/activate')).status).toBe(403);
  });
});

/** Logins to a server that requires OAuth, by the buttons of its page, with a real authorization server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleReader, signIn } from '../support/console-reader.ts';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { type ProtectedServer, startProtectedServer } from '../support/servers/protected-server.ts';

const publicUrl = 'http://127.0.0.1:7420';
const path = '/console/servers/notes';
const patience = { timeout: 60_000, interval: 50 };

let upstream: ProtectedServer;
let hub: ListeningHub;
let operator: ConsoleReader;
beforeAll(async () => {
  upstream = await startProtectedServer(`${publicUrl}/oauth/callback`);
  hub = await startListeningHub({ file: { mcpServers: { notes: { url: upstream.url } }, logins: { publicUrl } } });
  operator = await signIn(hub, hub.operator.secret);
});
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

const isRequired = () => expect.poll(() => operator.read(path), patience).toContain('The server requires a login.');
const user = async () =>
  (await json(hub.operator.fetch('/v1/tools/notes/whoami/call', { json: { arguments: {} } }))).result?.content[0].text;

/** Presses a button of the server's page: sends its form as the page has it. */
async function press(button: string): Promise<Response> {
  const forms = (await operator.read(path)).match(/<form method="post"[\s\S]*?<\/form>/g) ?? [];
  const form = forms.find((text) => text.includes(`>${button}</button>`)) ?? '';
  const action = /action="([^"]+)"/.exec(form)?.[1] ?? '';
  const inputs = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const fields = Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, value]));
  expect(action, `${button} is on the page`).toContain(path);
  return operator.send(action, fields, fields.formToken);
}

/** The address that a page leads to outside of the hub, with its text, which must be the same. */
function addressOf(page: string): string {
  const [, href = '', text = ''] = /<a href="([^"]+)" rel="noopener noreferrer"[^>]*>([^<]+)<\/a>/.exec(page) ?? [];
  expect(text).toBe(href);
  return href.replaceAll('&amp;', '&');
}

describe('the page of a server that requires a login', () => {
  test('leads to the issuer in full, and the server is connected once the browser returns, until the logout', async () => {
    await isRequired();
    const page = await (await press('Log in')).text();
    const { pathname, search } = await upstream.browse(addressOf(page), 'alice');
    const returned = await fetch(`${hub.url}${pathname}${search}`);
    expect([returned.status, await returned.text()]).toEqual([200, expect.stringContaining('Logged in to notes')]);
    await untilConnected(hub, 'notes');
    expect(await user()).toBe('alice');
    expect((await press('Log out')).status).toBe(303);
    await isRequired();
  });

  test('shows the code of a device, and the server is connected once it was entered', async () => {
    await isRequired();
    const page = await (await press('With a device code')).text();
    expect(page).toMatch(/<strong class="code">[\w-]+<\/strong>/);
    await upstream.enterCode(addressOf(page), 'carol');
    await untilConnected(hub, 'notes');
    expect(await user()).toBe('carol');
    await press('Log out');
  });

  test('has no button for those who may not log in as the hub, who are refused', async () => {
    for (const role of ['agent', 'auditor'] as const) {
      const reader = await signIn(hub, (await hub.key(`plain-${role}`, role)).secret);
      expect(await reader.read(path)).not.toContain('/login"');
      expect((await reader.send(`${path}/login`)).status).toBe(403);
      expect((await reader.send(`${path}/logout`)).status).toBe(403);
    }
  });
});

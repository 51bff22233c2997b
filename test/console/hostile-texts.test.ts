/** Texts of agents and upstream servers on the pages of the console: they are shown, and do nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { markdown } from '../../src/console/pages/markdown.ts';
import { type ConsoleReader, signIn } from '../support/console-reader.ts';
import { hostileText } from '../support/hostile-text.ts';
import { publishSkill, skillText } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
let operator: ConsoleReader;
beforeAll(async () => {
  const mcpServers = { hostile: supportServer('hostile-text-server.ts'), '<b>misnamed': { command: hostileText } };
  const policy = { contentScan: { critical: 'warn', high: 'warn', medium: 'warn' } };
  hub = await startListeningHub({ file: { mcpServers, policy } });
  await untilConnected(hub, 'hostile');
  // Skills may not have control characters, and hidden ones are a finding that blocks.
  const shownText = hostileText.replace(/[^ -~]/g, '');
  const instructions = `${shownText}\n\n[x](javascript:alert(1)) <b>bold</b> ![i](https://elsewhere.example/x.png) [y](https://elsewhere.example/)`;
  await publishSkill(hub.operator, 'hostile', skillText('hostile', JSON.stringify(shownText), instructions));
  await publishSkill(hub.operator, 'hostile', skillText('hostile', 'Changed.', `${instructions}\n${shownText}`));
  operator = await signIn(hub, hub.operator.secret);
});
afterAll(() => hub[Symbol.asyncDispose]());

const query = encodeURIComponent(hostileText);

/** What would do something if it were in a page as it is. */
function expectHarmless(page: string): void {
  expect(page).not.toMatch(/<img|<script>|<b>|<\/pre><\/textarea>|href="javascript/);
  // A value cannot end its attribute, because its quotes are escaped.
  expect(page.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]* on\w+=/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no control character but a line feed is in a page
  expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
}

describe('hostile texts', () => {
  test.each([
    '/',
    '/console/servers',
    '/console/servers/hostile',
    `/console/servers/${encodeURIComponent('<b>misnamed')}`,
    '/console/tools',
    `/console/tools?query=${query}`,
    `/console/tools?server=${query}`,
    `/console/tools/hostile/markup`,
    `/console/tools/hostile/markup?searchId=${query}`,
    '/console/skills',
    '/console/skills/default/hostile',
    `/console/skills?query=${query}&namespace=${query}`,
    '/console/skills/default/hostile/compare?before=1&after=2',
    '/console/activity',
    '/console/activity/1',
    `/console/activity?agent=${query}&target=${query}&trace=x&cursor=`,
    '/console/quarantine',
    `/console/quarantine?query=${query}`,
    '/console/keys',
    `/console/keys?query=${query}&namespace=${query}`,
    `/console/servers?query=${query}`,
    '/console/connect',
    '/console/scheduler',
    `/console/scheduler?since=1h&cursor=&unknown=${query}`,
    '/console/sign-in',
    '/console/search-quality',
    `/console/search-quality?agent=${query}`,
  ])('do nothing on %s', async (path) => expectHarmless(await operator.read(path)));

  test.each([
    `/console/activity?event=${query}`,
    `/console/activity?cursor=${query}`,
    `/console/activity?since=${query}`,
    `/console/keys?state=${query}`,
    `/console/skills?warnings=${query}`,
    `/console/skills/default/hostile/compare?before=${query}&after=2`,
    `/console/servers?state=${query}`,
    `/console/quarantine?kind=${query}`,
    `/console/scheduler?result=${query}`,
    `/console/search-quality?found=${query}`,
    `/console/tools?source=${query}`,
    `/console/${query}`,
    `/console/tools/${query}/${query}`,
    `/console/skills/default/${query}`,
    `/console/servers/${query}`,
    `/console/sign-in?code=${query}`,
  ])('do nothing in the refusal of %s', async (path) => {
    const answer = await operator.get(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expectHarmless(await answer.text());
  });

  test('do nothing as the result of a call, and are shown', async () => {
    const page = await (await operator.send(`/console/tools/hostile/markup/call`)).text();
    expectHarmless(page);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toContain('\\u202eabc');
    const failures = await operator.read('/console/tools/hostile/markup');
    expectHarmless(failures);
    expect(failures).toMatch(/Recent failures[\s\S]*>operator<\/td>[\s\S]*badge bad">error/);
  });

  test('of a skill are Markdown without HTML, images and links, each shown in full', async () => {
    const html = String(
      await markdown('![i](https://elsewhere.example/x.png) [y](https://elsewhere.example/) [z](javascript:x)'),
    );
    expect(html).toContain('[image: i] https://elsewhere.example/x.png');
    expect(html).toContain('[https://elsewhere.example/] y');
    expect(html).toContain('[z](javascript:x)');
    expect(html).not.toMatch(/href|src=/);
  });
});

/** The ten minutes of the README, done in a browser and by a client, from an empty data directory. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { skillText } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { realServer } from '../support/servers/real-server.ts';

const patient = { timeout: 90_000 };
const withoutExporters = {
  OTEL_SDK_DISABLED: 'false',
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
};
const setupSchema = z.object({
  mcpServers: z.object({ hestia: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }) }),
});

describeWith('chromium', 'a new hub in a browser', () => {
  let hub: ListeningHub;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    // The SDK reads the environment of its process, too.
    for (const [name, value] of Object.entries(withoutExporters)) vi.stubEnv(name, value);
    hub = await startListeningHub({ environment: withoutExporters });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    const context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(patient.timeout);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await hub?.[Symbol.asyncDispose]();
  });

  /** The state of a step on the home page: `done` or `open`. */
  const step = (from: Page, title: string) => from.locator('.first-steps li', { hasText: title }).locator('.badge');

  test('a server is added, a skill activated, a client connected, and its call proven', async () => {
    // The link that a start prints on a terminal.
    const code = await hub.hub.access.signIn.createCode(hub.operator.secret);
    await page.goto(`${hub.url}/console/sign-in?code=${code}`);
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    const home = await page.context().newPage();
    home.setDefaultTimeout(patient.timeout);
    await home.goto(hub.url);
    for (const title of ['Add a server', 'Activate a skill', 'Connect a client']) {
      expect(await step(home, title).textContent()).toBe('open');
    }

    await page.getByRole('link', { name: 'Servers' }).first().click();
    const { command, args } = realServer('everything', ['stdio']);
    await page.getByLabel('Configuration').fill(JSON.stringify({ mcpServers: { everything: { command, args } } }));
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('link', { name: 'everything' }).waitFor();
    await home.bringToFront();
    await expect.poll(() => step(home, 'Add a server').textContent(), patient).toBe('done');
    await expect
      .poll(async () => (await home.locator('.tile', { hasText: 'Servers' }).textContent()) ?? '', patient)
      .toContain('1 of 1');

    await page.bringToFront();
    await page.getByRole('link', { name: 'Skills' }).click();
    await page.getByLabel('Name', { exact: true }).fill('greet');
    await page.getByLabel('SKILL.md').fill(skillText('greet', 'Greets a person in the language they ask for.'));
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('button', { name: 'Activate' }).click();
    await page.getByText('skill_greet').waitFor();
    await home.bringToFront();
    await expect.poll(() => step(home, 'Activate a skill').textContent(), patient).toBe('done');

    await page.bringToFront();
    await page.getByRole('link', { name: 'Connect' }).click();
    await page.getByLabel('Name of the agent').fill('my-laptop');
    await page.getByRole('button', { name: 'Create a key' }).click();
    const text = await page.locator('[data-client="Cursor"]').textContent();
    const { hestia } = setupSchema.parse(JSON.parse(text ?? '')).mcpServers;
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(hestia.url), { requestInit: { headers: hestia.headers } }),
    );
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('skill_greet');
    const request = { server_id: 'everything', tool_name: 'get-sum', arguments: { a: 2, b: 40 } };
    const answer = await client.callTool({ name: 'call_mcp_tool', arguments: request });
    expect(JSON.stringify(answer.content)).toContain('The sum of 2 and 40 is 42.');
    await client.close();
    await home.bringToFront();
    await expect.poll(() => step(home, 'Connect a client').textContent(), patient).toBe('done');

    await page.bringToFront();
    await page.getByRole('link', { name: 'Activity' }).click();
    const row = page.locator('tr', { hasText: 'tool:everything/get-sum' });
    expect(await row.textContent()).toContain('my-laptop');
    await row.getByRole('link').first().click();
    // The hub's spans are there, although it sends none.
    await page.locator('.waterfall', { hasText: 'tools/call get-sum' }).waitFor();
    const record = page.url();
    // The next checkpoint covers the record, at the latest when the trail is verified.
    expect((await hub.operator.fetch('/v1/audit/verify')).status).toBe(200);
    await page.goto(`${record}/proof`);
    for (const name of ['leaf', 'root', 'checkpoint', 'signature']) {
      await expect.poll(() => page.locator(`[data-step="${name}"]`).getAttribute('data-state'), patient).toBe('passed');
    }
  }, 400_000);
});

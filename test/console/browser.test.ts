/** The console in Debian's Chromium: every page in three widths and two schemes, what updates itself, and the proof. */
import { setTimeout as delay } from 'node:timers/promises';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { publishSkill, skillText } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { realServer } from '../support/servers/real-server.ts';

const paths = [
  '/',
  '/console/servers',
  '/console/servers/everything',
  '/console/tools',
  '/console/tools?query=add%20two%20numbers',
  '/console/tools/everything/get-sum',
  '/console/skills',
  '/console/skills/default/invoices',
  '/console/skills/default/invoices/compare?before=1&after=2',
  '/console/activity',
  '/console/activity/2',
  '/console/activity/2/proof',
  '/console/quarantine',
  '/console/keys',
  '/console/connect',
  '/console/search-quality',
  '/console/scheduler',
  '/console/keys?query=nobody',
  '/console/sign-in',
];
/** Pages of errors. A browser logs their status. */
const refusedPaths = ['/console/activity?since=never', '/console/no-such-page'];
const steps = ['leaf', 'root', 'checkpoint', 'signature'];
const findingsSchema = z.object({
  violations: z.array(
    z.object({ id: z.string(), impact: z.string().nullable(), nodes: z.array(z.object({ html: z.string() })) }),
  ),
});
/** The pause between two scripts of a page, long enough for timers of the first one to end. */
const scriptPauseMs = 200;
const widths = [360, 900, 1600];
const schemes = ['light', 'dark'] as const;

describeWith('chromium', 'the console in a browser', () => {
  let hub: ListeningHub;
  let browser: Browser;
  beforeAll(async () => {
    hub = await startListeningHub({
      file: { mcpServers: { everything: realServer('everything', ['stdio']), broken: { command: 'no-such-command' } } },
    });
    await untilConnected(hub, 'everything');
    await publishSkill(
      hub.operator,
      'invoices',
      skillText('invoices', 'Sorts invoices.', '# Steps\n\n1. [Read](https://example.com) them.'),
    );
    await publishSkill(hub.operator, 'invoices', skillText('invoices', 'Sorts invoices.', '# Steps\n\n1. Sort them.'));
    // Verification signs all records, so that each has a proof.
    expect((await hub.operator.fetch('/v1/audit/verify')).status).toBe(200);
    // Chromium runs as root in continuous integration, where its own sandbox cannot.
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await hub?.[Symbol.asyncDispose]();
  });

  /** Opens the console, signed in, and collects what a page must not do. */
  async function open(width = 1280, colorScheme: (typeof schemes)[number] = 'light') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(`${page.url()} logged ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`${page.url()} failed: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(hub.url)) faults.push(`${page.url()} requested ${request.url()}`);
    });
    await page.goto(`${hub.url}/`);
    await page.getByLabel('API key').fill(hub.operator.secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    return { context, page, faults };
  }

  describe.each(schemes)('in the scheme %s', (scheme) => {
    test.each(widths)(
      '%d pixels wide, every page fits, is accessible and reports no error',
      async (width) => {
        const { context, page, faults } = await open(width, scheme);
        for (const path of paths) await expectUsable(page, path);
        expect(faults).toEqual([]);
        for (const path of refusedPaths) await expectUsable(page, path);
        await context.close();
      },
      180_000,
    );
  });

  test('a home page that is open shows a call that is made meanwhile, however its scripts arrive', async () => {
    const { context, page, faults } = await open();
    let scripts = 0;
    await page.route(/\/assets\/[^/]+\.js$/, async (route) => {
      scripts += 1;
      await delay(scripts * scriptPauseMs);
      await route.continue();
    });
    await page.reload();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    const calls = page.locator('.tile', { hasText: 'Calls, last hour' }).locator('.value');
    const before = Number(await calls.textContent());
    const path = '/v1/tools/everything/echo/call';
    await hub.operator.fetch(path, { method: 'POST', json: { arguments: { message: 'seen live' } } });
    await expect.poll(() => calls.textContent().then(Number), { timeout: 60_000, interval: 500 }).toBe(before + 1);
    await expect.poll(() => page.locator('[data-chart] canvas').count(), { timeout: 60_000 }).toBe(1);
    expect(faults).toEqual([]);
    await context.close();
  }, 120_000);

  test('a page that is open leads to the sign-in when another tab of its session signs out', async () => {
    const { context, page } = await open();
    await expect.poll(() => page.locator('[data-chart] canvas').count(), { timeout: 60_000 }).toBe(1);
    const other = await context.newPage();
    await other.goto(`${hub.url}/console/tools`);
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('API key').waitFor();
    await page.getByLabel('API key').waitFor({ timeout: 60_000 });
    await context.close();
  }, 120_000);

  test('the proof of a record is checked by the browser', async () => {
    const { context, page, faults } = await open();
    await page.goto(`${hub.url}/console/activity/2/proof`);
    await expect.poll(() => states(page), { timeout: 30_000 }).toEqual(['passed', 'passed', 'passed', 'passed']);
    expect(faults).toEqual([]);
    await context.close();
  }, 120_000);

  test.each([
    [
      'the record',
      (html: string) => html.replace('&quot;line&quot;:&quot;{', '&quot;line&quot;:&quot; {'),
      'checkpoint',
    ],
    [
      'the key',
      (html: string) => html.replace(/(vkeys&quot;:\[&quot;[^&]*\+[0-9a-f]{8}\+AQ?[^&]{20})[^&]/, '$1_'),
      'signature',
    ],
  ])(
    'a proof in which %s was changed does not hold',
    async (_name, change, failed) => {
      const { context, page } = await open();
      const path = `${hub.url}/console/activity/2/proof`;
      await page.route(path, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: change(await response.text()) });
      });
      await page.goto(path);
      await expect
        .poll(() => page.locator(`[data-step="${failed}"]`).getAttribute('data-state'), { timeout: 30_000 })
        .toBe('failed');
      await context.close();
    },
    120_000,
  );

  test('everything can be read without scripts, and used by keyboard', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${hub.url}/`);
    // A browser gives the focus with its first drawing, which may come after the page was loaded.
    await page.locator('#key:focus').waitFor();
    await page.keyboard.type(hub.operator.secret);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    for (const path of paths) {
      await page.goto(hub.url + path);
      expect(((await page.locator('main').textContent()) ?? '').length, path).toBeGreaterThan(40);
    }
    await page.goto(`${hub.url}/console/tools/everything/get-sum`);
    await page.getByLabel('a (required)').focus();
    await page.keyboard.type('2');
    await page.keyboard.press('Tab');
    await page.keyboard.type('40');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The sum of 2 and 40 is 42.').waitFor();
    await page.goto(`${hub.url}/console/scheduler`);
    await page.getByRole('button', { name: 'Clean up now' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'operator' }).first().waitFor();
    await page.goto(`${hub.url}/console/servers`);
    await page.getByLabel('Server', { exact: true }).focus();
    await page.keyboard.type('every');
    await page.keyboard.press('Enter');
    await page.waitForURL(/query=every/);
    expect(await page.getByRole('link', { name: 'everything' }).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'broken' }).count()).toBe(0);
    await context.close();
  }, 120_000);

  function states(page: Page): Promise<(string | null)[]> {
    return Promise.all(steps.map((step) => page.locator(`[data-step="${step}"]`).getAttribute('data-state')));
  }

  async function expectUsable(page: Page, path: string): Promise<void> {
    await page.goto(hub.url + path);
    const excess = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    expect(excess, `${path} is wider than the window`).toBeLessThanOrEqual(0);
    expect(await seriousFindings(page), path).toEqual([]);
  }

  /** What axe-core finds that keeps people from using a page, one line each. */
  async function seriousFindings(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const { violations } = findingsSchema.parse(await page.evaluate('axe.run()'));
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }
});

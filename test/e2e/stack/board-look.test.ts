/**
 * Boards as a person sees them: each is drawn from its JSON and live data of a demo and of three faults, in Chromium. The
 * screenshots are in `artifacts/boards`, or where `BOARD_SCREENSHOTS` says.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { boardPage } from '../../support/boards/board-page.ts';
import { type BoardView, panelData, variablesOf } from '../../support/boards/panel-data.ts';
import { quickExports } from '../../support/hub/hub-observed.ts';
import { startWatchedHub, type WatchedHub } from '../../support/hub/hub-watched.ts';
import { runCommand } from '../../support/programs/command-run.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { readBoards } from '../../support/queries/board.ts';
import { realServer } from '../../support/servers/real-server.ts';

const boards = readBoards();
const docs = fileURLToPath(new URL('../../../docs', import.meta.url));
const folder = process.env.BOARD_SCREENSHOTS ?? fileURLToPath(new URL('../../../artifacts/boards', import.meta.url));
const faults = ['tool-timeouts', 'authentication-failures', 'access-denied'];
/** The content beside Grafana's menu in a window of 1600 pixels, and in one of 1280 without the menu. */
const widths = [1268, 1248];
/** Panels that have nothing to show in this setup. */
const empty = ['MCP requests that failed', 'Queued for Chroma'];
const emptyStats = ['Chroma'];

describeWith(['otelcol', 'prometheus', 'chromium'], 'the boards after a demo and three faults', () => {
  let watched: WatchedHub;
  let browser: Browser;
  let fromSeconds: number;
  beforeAll(async () => {
    fromSeconds = Math.floor(Date.now() / 1000) - 10;
    watched = await startWatchedHub({
      everything: realServer('everything', ['stdio']),
      files: realServer('filesystem', [docs]),
    });
    const { hub, collector, prometheus } = watched;
    const where = ['--url', hub.url, '--key', hub.key()];
    expect((await runCommand(['demo', ...where, '--duration', '20'])).exitCode).toBe(0);
    const exports = { ...quickExports, OTEL_METRIC_EXPORT_INTERVAL: '1000' };
    const environment = { ...process.env, ...exports, OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl };
    const how = ['--prometheus', prometheus.url, '--hold', '300', '--pace', '250'];
    const made = await runCommand(['demo', '--faults', faults.join(','), ...where, ...how], { environment });
    expect(made.lines().filter(({ state }) => state === 'failed' || state === 'missed')).toEqual([]);
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    await mkdir(folder, { recursive: true });
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await watched?.[Symbol.asyncDispose]();
  });

  /** A moment at which the hub is scraped: on a busy machine, a scrape may time out. */
  async function scrapedSeconds(): Promise<number> {
    const { hub, prometheus } = watched;
    return vi.waitFor(
      async () => {
        const seconds = Math.floor(Date.now() / 1000);
        const found = await prometheus.query('hestia_servers_connected{job="hestia/hestia"}', seconds);
        expect(found.length, hub.url).toBeGreaterThan(0);
        return seconds;
      },
      { timeout: 60_000, interval: 500 },
    );
  }

  /** Opens a board; with `drills`, with the hubs of fault drills. */
  async function open(uid: string, { width = widths[0] ?? 0, drills = 'drill' } = {}): Promise<Page> {
    const board = boards.find((one) => one.uid === uid);
    if (board === undefined) throw new Error(`no such board: ${uid}`);
    const view: BoardView = { fromSeconds, toSeconds: await scrapedSeconds(), variables: { drills } };
    view.variables = await variablesOf(board, watched.prometheus, view);
    const data = [];
    for (const panel of board.panels) data.push(await panelData(panel, watched.prometheus, view));
    const page = await browser.newPage({ viewport: { width: width + 32, height: 1000 } });
    await page.setContent(boardPage(board, data, width));
    await page.locator('body[data-drawn="yes"]').waitFor();
    return page;
  }

  const panel = (page: Page, title: string) => page.locator(`section[data-title="${title}"]`);
  const stat = (page: Page, title: string) => panel(page, title).locator('.value').textContent();

  test.each(boards.flatMap(({ uid }) => widths.map((width) => [uid, width] as const)))(
    '%s, %d pixels wide, cuts no text, has no pale line, and neither a panel nor a cell that says there is no data',
    async (uid, width) => {
      const page = await open(uid, { width });
      await page.screenshot({ path: join(folder, `${uid}-${width}.png`), fullPage: true });
      expect(await page.evaluate(`(${cutTexts})()`)).toEqual([]);
      expect(await page.evaluate(`(${paleLines})()`)).toEqual([]);
      const none = await page
        .locator('section:has(.none)')
        .evaluateAll((found) => found.map((one) => one.getAttribute('data-title')));
      expect(none.filter((title) => ![...empty, ...emptyStats].includes(title ?? ''))).toEqual([]);
      expect(await page.locator('main').textContent()).not.toContain('No data');
      for (const { title, type, fieldConfig } of boards.find((board) => board.uid === uid)?.panels ?? []) {
        const cells = type === 'table' ? await panel(page, title).locator('td').allTextContents() : [];
        expect(cells, title).not.toContain(fieldConfig?.defaults.noValue);
      }
      await page.close();
    },
    120_000,
  );

  test('count the calls of the hub as its log does, without those of drills', async () => {
    const outcomes = watched.hub.logLines().filter(({ event }) => event === 'Tool outcome recorded');
    const count = (outcome?: string) =>
      outcomes.filter((line) => outcome === undefined || line.outcome === outcome).length;
    expect(count('timeout')).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        const page = await open('hestia-tools');
        const shown = await Promise.all(['Calls', 'Errors', 'Timeouts', 'Abandoned'].map((title) => stat(page, title)));
        await page.close();
        expect(shown).toEqual(
          [undefined, 'error', 'timeout', 'abandoned'].map((outcome) => count(outcome).toLocaleString('en-US')),
        );
      },
      { timeout: 60_000, interval: 1000 },
    );
  }, 120_000);

  /** How many refusals the log has: repeats within a minute are one line with their count. */
  const refused = (event: string) =>
    watched.hub
      .logLines()
      .filter(({ security_event }) => security_event === event)
      .reduce((sum, { count = 1 }) => sum + Number(count), 0)
      .toLocaleString('en-US');
  const cleanups = () =>
    watched.hub.logLines().filter(({ monitoring_event }) => monitoring_event === 'SCHEDULER_CLEANUP_SUCCESS').length;
  const searches = async () =>
    z.object({ searches: z.int() }).parse(await (await watched.hub.fetch('/v1/search-quality')).json()).searches;

  test('say what the hub did and refused, as its log and its records do', async () => {
    const truth = async (): Promise<Record<string, Record<string, string>>> => ({
      'hestia-skills-security': {
        'Wrong keys': refused('AUTH_FAILED'),
        'Access denied': refused('ACCESS_DENIED'),
        'Suspected attacks': '0',
      },
      'hestia-scheduler': { Scheduler: 'running', Cleanups: `${cleanups()}`, 'Failed runs': '0' },
      'hestia-search-learning': { Searches: `${await searches()}` },
      'hestia-telemetry-pipeline': {
        Collector: 'up',
        'Hub metrics': 'up',
        'Dropped by the hub': '0',
        'Collector refused': '0',
        'Collector lost': '0',
      },
    });
    expect(cleanups()).toBeGreaterThan(0);
    expect(await searches()).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        const shown: Record<string, Record<string, string | null>> = {};
        const expected = await truth();
        for (const [uid, stats] of Object.entries(expected)) {
          const page = await open(uid);
          const found = Object.keys(stats).map(async (title) => [title, await stat(page, title)] as const);
          shown[uid] = Object.fromEntries(await Promise.all(found));
          await page.close();
        }
        expect(shown).toEqual(expected);
      },
      // The log has the last refusals after a minute.
      { timeout: 180_000, interval: 2000 },
    );
  }, 240_000);

  test('list the alerts of the hub, and those of drills only where they are shown', async () => {
    for (const [drills, hasDrill] of [
      ['drill', false],
      ['-', true],
    ] as const) {
      const page = await open('hestia-overview', { drills });
      await page.screenshot({
        path: join(folder, `hestia-overview-drills-${hasDrill ? 'shown' : 'hidden'}.png`),
        fullPage: true,
      });
      const names = await panel(page, 'Firing and pending alerts').locator('td:nth-child(2)').allTextContents();
      expect(names).toContain('HestiaAuthenticationFailures');
      expect(names.includes('HestiaToolTimeouts')).toBe(hasDrill);
      expect(Number(await stat(page, 'Alerts firing'))).toBeGreaterThan(1);
      await page.close();
    }
  }, 120_000);

  test('sort tools by all their failures', async () => {
    const page = await open('hestia-tools', { drills: '-' });
    const failed = await panel(page, 'Outcomes by tool').locator('td:nth-child(3)').allTextContents();
    const numbers = failed.map((text) => Number(text.replaceAll(',', '')));
    expect(numbers.length).toBeGreaterThan(3);
    expect(numbers).toEqual(numbers.toSorted((one, other) => other - one));
    expect(numbers[0]).toBeGreaterThan(10);
    await page.close();
  }, 120_000);
});

/** Texts that do not fit where they are, one line each. Runs in the page. */
const cutTexts = `() => {
  const cut = [...document.querySelectorAll('.title, td, th, .bar span, .bar b, .stats b, .stats small, .chart li span, .chart li b')].filter((one) => one.scrollWidth > one.clientWidth + 1);
  const lists = [...document.querySelectorAll('.below ul')].filter((one) => one.scrollHeight > one.clientHeight + 1);
  return [...cut, ...lists].map((one) => one.closest('section').dataset.title + ': ' + one.textContent);
}`;

/** Lines of charts whose colour is nearly white, one line each. Runs in the page. */
const paleLines = `() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const isPale = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return Math.min(...context.getImageData(0, 0, 1, 1).data.slice(0, 3)) > 165;
  };
  const lines = [...document.querySelectorAll('.chart li')];
  return lines.filter((one) => isPale(getComputedStyle(one.querySelector('u')).backgroundColor)).map((one) => one.closest('section').dataset.title + ': ' + one.textContent);
}`;

/** The pictures of the console: which pages they show, and the words by which a picture and its page are compared. */
import { createHash } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';
import type { Stage } from './stage.ts';

/** One picture. */
export interface Picture {
  /** The file below docs/, which the documents embed. */
  file: string;
  path(stage: Stage): string;
  /** What must be on the page before it is photographed: its scripts have run. */
  ready?: string;
}

/** All pictures, most telling first. */
export const pictures: readonly Picture[] = [
  { file: 'console-home.webp', path: () => '/', ready: '[data-chart] canvas' },
  {
    file: 'console-search.webp',
    path: () => `/console/tools?query=${encodeURIComponent('read the first lines of a file')}`,
  },
  { file: 'console-record.webp', path: ({ callSeq }) => `/console/activity/${callSeq}` },
  {
    file: 'console-proof.webp',
    path: ({ callSeq }) => `/console/activity/${callSeq}/proof`,
    ready: '[data-step="signature"][data-state="passed"]',
  },
  { file: 'console-quarantine.webp', path: () => '/console/quarantine' },
];

/** What is kept beside the pictures: of each, its digest, and the words of the page that it shows. */
export const shownSchema = z.record(z.string(), z.strictObject({ sha256: z.string(), words: z.array(z.string()) }));

/** Where {@link shownSchema} is kept, below docs/. */
export const shownFile = 'console-pictures.json';

/** The width of a picture, and its greatest height, in CSS pixels. */
const size = { width: 1280, heightMax: 1100 };

/** Opens the console of the stage and signs in. */
export async function openConsole(browser: Browser, { hub }: Stage): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: size.width, height: 800 }, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(hub.url);
  await page.getByLabel('API key').fill(hub.key());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Home' }).waitFor();
  await page.close();
  return context;
}

/** Opens the page of a picture, and waits until it is complete. */
export async function openPicture(context: BrowserContext, { path, ready }: Picture, stage: Stage): Promise<Page> {
  const page = await context.newPage();
  await page.goto(stage.hub.url + path(stage));
  if (ready !== undefined) await page.locator(ready).waitFor({ timeout: 60_000 });
  return page;
}

/** The words of a page that do not depend on its data: headings, names of columns and facts, labels, buttons and links. */
export async function wordsOf(page: Page): Promise<string[]> {
  const words = await page
    .locator('h1, h2, h3, th, main dt, label, button, figcaption, nav a, summary')
    .allInnerTexts();
  const plain = words
    .map((word) => word.replaceAll(/\d[\d.]*(?: (?:ms|s|min)\b)?/g, '0').trim())
    .filter((word) => word !== '');
  return [...new Set(plain)];
}

/** Takes the picture of a page. */
export async function photograph(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const height = await page.evaluate('document.documentElement.scrollHeight');
  const clip = { x: 0, y: 0, width: size.width, height: Math.min(Number(height), size.heightMax), scale: 1 };
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 85,
    clip,
    captureBeyondViewport: true,
  });
  return Buffer.from(data, 'base64');
}

/** The digest of a picture. */
export function digestOf(picture: Buffer): string {
  return createHash('sha256').update(picture).digest('hex');
}

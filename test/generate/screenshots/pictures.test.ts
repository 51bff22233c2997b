/** The pictures of the console in docs/: they are small, the documents show them, and the pages still have what they show. */
import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../support/programs/requirements.ts';
import { digestOf, openConsole, openPicture, pictures, shownFile, shownSchema, wordsOf } from './pictures.ts';
import { openStage, type Stage } from './stage.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url));
const shown = shownSchema.parse(JSON.parse(read(`docs/${shownFile}`).toString()));
const documents = ['README.md', 'docs/console.md', 'docs/search.md', 'docs/audit.md', 'docs/content-scan.md'];
const again = 'run npm run screenshots';

describe('the pictures of the console', () => {
  test('are those of which the words were kept', () => {
    const digests = pictures.map(({ file }) => [file, digestOf(read(`docs/${file}`))]);
    expect(Object.entries(shown).map(([file, { sha256 }]) => [file, sha256])).toEqual(digests);
  });

  test.each(pictures)('$file is at most 150 kB, and a document shows it', ({ file }) => {
    expect(read(`docs/${file}`).length).toBeLessThanOrEqual(150_000);
    expect(documents.filter((document) => read(document).includes(file))).not.toEqual([]);
  });
});

describeWith('chromium', 'the pages that pictures show', () => {
  let stage: Stage;
  let browser: Browser;
  let context: BrowserContext;
  beforeAll(async () => {
    stage = await openStage(3);
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    context = await openConsole(browser, stage);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.[Symbol.asyncDispose]();
  });

  test.each(pictures)(
    'have what $file shows',
    async (picture) => {
      const page = await openPicture(context, picture, stage);
      expect(await wordsOf(page), again).toEqual(shown[picture.file]?.words);
      await page.close();
    },
    120_000,
  );
});

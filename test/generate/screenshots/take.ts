/** `npm run screenshots`: runs a hub and the demo, photographs pages of its console, and writes the pictures into docs/. */
import { writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { digestOf, openConsole, openPicture, photograph, pictures, shownFile, wordsOf } from './pictures.ts';
import { openStage } from './stage.ts';

/** How long the demo runs, in seconds: the chart then has some minutes. */
const trafficSeconds = Number(process.argv[2] ?? 200);

const docs = new URL('../../../docs/', import.meta.url);
await using stage = await openStage(trafficSeconds);
await using browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await openConsole(browser, stage);
const shown: Record<string, { sha256: string; words: string[] }> = {};
for (const picture of pictures) {
  const page = await openPicture(context, picture, stage);
  const words = await wordsOf(page);
  const image = await photograph(page);
  await writeFile(new URL(picture.file, docs), image);
  shown[picture.file] = { sha256: digestOf(image), words };
  console.info(`docs/${picture.file}: ${image.length} bytes`);
  await page.close();
}
await writeFile(new URL(shownFile, docs), `${JSON.stringify(shown, null, 2)}\n`);

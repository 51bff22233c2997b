/**
 * Files that are made from the code and committed. Without arguments writes them; with `--check` compares them
 * with what is on disk, names each that differs and exits with 1.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { version } from '../../src/config.ts';
import { openApiDocument } from '../../src/http/app.ts';
import { configurationFileSchema } from '../../src/shapes/configuration.ts';
import { startTestHub } from '../support/hub.ts';

/** `path` is relative to the repository's root. */
interface GeneratedFile {
  path: string;
  content(): Promise<string>;
}

const generatedFiles: readonly GeneratedFile[] = [
  {
    path: 'docs/hestia.config.schema.json',
    content: async () => json(z.toJSONSchema(configurationFileSchema, { io: 'input' })),
  },
  {
    path: 'docs/openapi.json',
    content: async () => {
      await using hub = await startTestHub();
      return json(openApiDocument(hub.hub.app, version));
    },
  },
];

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function location(file: GeneratedFile): string {
  return fileURLToPath(new URL(`../../${file.path}`, import.meta.url));
}

async function write(file: GeneratedFile): Promise<void> {
  await mkdir(dirname(location(file)), { recursive: true });
  await writeFile(location(file), await file.content());
  console.info(`${file.path}: written`);
}

async function isCurrent(file: GeneratedFile): Promise<boolean> {
  const onDisk = await readFile(location(file), 'utf8').catch(() => undefined);
  return onDisk === (await file.content());
}

if (process.argv.includes('--check')) {
  for (const file of generatedFiles) {
    if (await isCurrent(file)) continue;
    console.error(`${file.path}: differs from what the code says; run npm run generate`);
    process.exitCode = 1;
  }
} else {
  for (const file of generatedFiles) await write(file);
}

/** The comparison of generated files with a copy of them, and what the documents promise. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { generatedFiles, outdatedFiles, writeFiles } from './generated-file.ts';

const schemaPath = 'docs/hestia.config.schema.json';
const openApiPath = 'docs/openapi.json';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-generated-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('a fresh copy of the generated files', () => {
  test('is current, however often it is made', async () => {
    const written = await writeFiles(generatedFiles, folder);
    expect(written).toEqual(generatedFiles.map(({ path }) => path));
    expect(written).toEqual(expect.arrayContaining([schemaPath, openApiPath]));
    expect(await outdatedFiles(generatedFiles, folder)).toEqual([]);
  });

  test('ends each file in one newline', async () => {
    await writeFiles(generatedFiles, folder);
    for (const { path } of generatedFiles) expect(await readFile(join(folder, path), 'utf8')).toMatch(/[^\n]\n$/);
  });

  test("describes every route of the hub under the package's version", async () => {
    await writeFiles(generatedFiles, folder);
    const document = JSON.parse(await readFile(join(folder, openApiPath), 'utf8'));
    expect(document.info.version).toBe(packageJson.version);
    expect(operations(document.paths)).toEqual(expect.arrayContaining(publicOperations));
  });
});

describe('a copy that was changed', () => {
  test.each([
    ['one character', (text: string) => text.replace('"type"', '"Type"')],
    ['the final newline', (text: string) => text.trimEnd()],
  ])('is named where %s differs, and alone', async (_what, change) => {
    await writeFiles(generatedFiles, folder);
    const file = join(folder, openApiPath);
    await writeFile(file, change(await readFile(file, 'utf8')));
    expect(await outdatedFiles(generatedFiles, folder)).toEqual([openApiPath]);
  });

  test('is named where a file is absent', async () => {
    await writeFiles(generatedFiles, folder);
    await rm(join(folder, schemaPath));
    expect(await outdatedFiles(generatedFiles, folder)).toEqual([schemaPath]);
  });
});

function operations(paths: Record<string, object>): string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** Routes that callers rely on. */
const publicOperations = [
  'PUT /v1/skills/{name}',
  'GET /v1/skills',
  'GET /v1/skills/{name}',
  'GET /v1/skills/{name}/versions',
  'DELETE /v1/skills/{name}',
  'POST /v1/skills/{name}/activate',
  'POST /v1/skills/{name}/deactivate',
  'GET /v1/servers',
  'POST /v1/servers/{id}/connect',
  'POST /v1/servers/{id}/disconnect',
  'POST /v1/tools/search',
  'GET /v1/tools/{server}/{tool}',
  'POST /v1/tools/{server}/{tool}/call',
  'GET /v1/tools/stats',
  'GET /v1/scheduler',
  'POST /v1/scheduler/run',
  'GET /v1/audit/events',
  'GET /v1/audit/events/{seq}/proof',
  'GET /v1/audit/checkpoints',
  'GET /v1/audit/consistency',
  'GET /v1/audit/key',
  'GET /v1/audit/verify',
  'GET /v1/audit/export',
  'POST /v1/keys',
  'GET /v1/keys',
  'DELETE /v1/keys/{id}',
  'GET /livez',
  'GET /readyz',
];

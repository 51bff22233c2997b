/** What is built: the npm package installed in an empty folder, and the files of the image. Both run as the sources do. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { json } from './support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from './support/hub/hub-observed.ts';
import { layOutImage } from './support/programs/image-files.ts';
import { describeWith } from './support/programs/requirements.ts';
import { realServer } from './support/servers/real-server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Node.js of this project first, as the package requires its version. */
const environment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };

async function run(command: string, args: string[], cwd: string): Promise<string> {
  return (await promisify(execFile)(command, args, { cwd, env: environment })).stdout;
}

/** Packs the package and installs it in a folder with nothing else. Returns the file of its command. */
async function installPackage(folder: string): Promise<string> {
  await run('npm', ['pack', '--pack-destination', folder, '--loglevel', 'error'], root);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const tarball = `./hestia-${packageJson.version}.tgz`;
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--loglevel', 'error', tarball], folder);
  return realpathSync(join(folder, 'node_modules', '.bin', 'hestia'));
}

function describeBuild(build: (folder: string) => string | Promise<string>): void {
  let folder: string;
  let command: string;
  let observed: ObservedHub;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hestia-build-'));
    command = await build(folder);
    observed = await startObservedHub({ everything: realServer('everything') }, { entry: [command, 'serve'] });
  });
  afterAll(async () => {
    await observed?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says its version', async () => {
    expect(await run(process.execPath, [command, '--version'], folder)).toBe(`${packageJson.version}\n`);
  });

  test('finds a tool by what it means, calls it, and sends the trace', async () => {
    const { hub } = observed;
    const found = await json(hub.fetch('/v1/tools/search', { json: { query: 'sum of two numbers' } }));
    expect(found.results[0]).toMatchObject({ serverId: 'everything', toolName: 'get-sum' });
    const called = await json(hub.fetch('/v1/tools/everything/get-sum/call', { json: { arguments: { a: 2, b: 3 } } }));
    expect(JSON.stringify(called)).toContain('5');
    expect(await observed.span('tools/call get-sum')).toMatchObject({ kind: 'CLIENT' });
  });

  test('has the pages and the files of the console and of the API', async () => {
    const files = [
      '/console/sign-in',
      '/console/assets/console.js',
      '/console/assets/uplot.js',
      '/docs/swagger-ui.css',
    ];
    for (const file of files) {
      const response = await observed.hub.fetch(file);
      expect([file, response.status]).toEqual([file, 200]);
      await response.arrayBuffer();
    }
  });

  test('keeps a trail that its command verifies, once it was shut down', async () => {
    const { hub } = observed;
    const keyFile = join(folder, 'key.json');
    writeFileSync(keyFile, await (await hub.fetch('/v1/audit/key')).text());
    hub.child.kill('SIGTERM');
    expect(await hub.exited).toBe(0);
    const journal = ['--journal', join(hub.folder, 'data', 'journal'), '--public-key', keyFile];
    const verified = await run(process.execPath, [command, 'audit', 'verify', ...journal], folder);
    expect(verified).toMatch(/intact/);
    expect(hub.logLines().filter(({ level }) => level === 'error')).toEqual([]);
  });
}

describeWith('registry', 'the npm package in an empty folder', () => {
  describeBuild(async (folder) => {
    const command = await installPackage(folder);
    // It reports installations where npm runs install scripts.
    expect(existsSync(join(folder, 'node_modules', '@scarf'))).toBe(false);
    return command;
  });
});
describe('the files of the image', () => describeBuild((folder) => join(layOutImage(folder), 'hestia.js')));

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';

/** The single line on standard error of a refused start. */
async function refusal(hub: HubProcess): Promise<string> {
  expect(await hub.exited).toBe(1);
  expect(hub.stderr()).toMatch(/^hestia: [^\n]+\n$/);
  expect(hub.stderr()).not.toMatch(/\bat .*:\d+:\d+/);
  return hub.stderr();
}

describe('a first start', () => {
  test('writes the key to a file that only its owner can read, prints only its path, and stores only its hash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-first-'));
    {
      await using hub = await startHubProcess({ folder });
      await hub.ready();
      const secret = hub.key();
      expect(hub.stderr()).toBe(`The operator's API key was written to ${join(folder, 'data', 'operator.key')}\n`);
      expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
      expect((await stat(join(folder, 'data', 'operator.key'))).mode & 0o777).toBe(0o600);
      expect((await hub.fetch('/v1/skills')).status).toBe(200);
      hub.child.kill('SIGTERM');
      await hub.exited;
      const entries = await readdir(join(folder, 'data'), { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && entry.name !== 'operator.key');
      expect(files.length).toBeGreaterThan(3);
      for (const { parentPath, name } of files) {
        expect(await readFile(join(parentPath, name), 'latin1')).not.toContain(secret.slice(-43));
      }
      expect(hub.stdout()).not.toContain(secret.slice(-43));
    }
    {
      await using again = await startHubProcess({ folder });
      await again.ready();
      expect(again.stderr()).toBe('');
      expect((await again.fetch('/v1/skills')).status).toBe(200);
    }
    await rm(folder, { recursive: true });
  });
});

describe('the hub with arguments', () => {
  test.each([[['skills', 'check', '.']], [['--help']], [['--port', '1']]])('refuses %j', async (words) => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    await using hub = await startHubProcess({ entry: [main, ...words] });
    expect(await hub.exited).toBe(2);
    expect(hub.stderr()).toContain(`takes no arguments, found ${words.join(' ')}; `);
    expect(hub.stderr()).toContain(`npm run hestia -- ${words.join(' ')}\n`);
  });
});

describe('the error line of a refused start', () => {
  test('names an unknown key of the configuration', async () => {
    await using hub = await startHubProcess({ file: { skils: {} } });
    expect(await refusal(hub)).toContain('skils: unknown key');
  });

  test('names an invalid value, what was found and what is allowed', async () => {
    await using hub = await startHubProcess({ file: { scheduler: { intervalHours: 5 } } });
    expect(await refusal(hub)).toMatch(/scheduler\.intervalHours: found 5, must be one of 0\.25, /);
  });

  test('names a port that is in use', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await using hub = await startHubProcess({ port });
    expect(await refusal(hub)).toContain(
      `HESTIA_PORT: cannot listen on 127.0.0.1:${port}: the port is in use (EADDRINUSE)`,
    );
    holder.close();
  });

  test('names a data directory that cannot be written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-refused-'));
    await writeFile(join(folder, 'file'), '');
    await using hub = await startHubProcess({ folder, environment: { HESTIA_DATA_DIR: join(folder, 'file', 'data') } });
    expect(await refusal(hub)).toMatch(/HESTIA_DATA_DIR: .*file\/data cannot be created or written: ENOTDIR/);
    await rm(folder, { recursive: true });
  });

  test('names a data directory that another hub uses, which keeps running; a killed hub leaves no lock', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-shared-'));
    {
      await using first = await startHubProcess({ folder });
      await first.ready();
      await using second = await startHubProcess({ folder });
      expect(await refusal(second)).toContain('another hub is using this data directory');
      expect((await first.fetch('/v1/skills')).status).toBe(200);
      first.child.kill('SIGKILL');
      await first.exited;
    }
    await using third = await startHubProcess({ folder });
    await third.ready();
    await third[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test('names a log file that cannot be opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-refused-'));
    await using hub = await startHubProcess({ folder, environment: { HESTIA_LOG_FILE: folder } });
    expect(await refusal(hub)).toContain(`HESTIA_LOG_FILE: cannot open ${folder}`);
    await rm(folder, { recursive: true, force: true });
  });

  test('names a file that is not a database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-refused-'));
    await writeFile(join(folder, 'hestia.db'), 'this is not a database, but long enough to look like one'.repeat(100));
    await using hub = await startHubProcess({ folder, environment: { HESTIA_DATA_DIR: folder } });
    expect(await refusal(hub)).toMatch(/hestia\.db.*not a database/);
    await rm(folder, { recursive: true });
  });
});

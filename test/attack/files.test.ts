/** The files of the hub: private whatever existed before, never written through a symbolic link, logs that are rotated. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, startHubProcess } from '../support/hub/hub-process.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: string;
let data: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hestia-files-'));
  data = join(folder, 'data');
  mkdirSync(data);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a hub on the folder, and stops it in order. */
async function runOnce(): Promise<void> {
  await using hub = await startHubProcess({ folder });
  await hub.ready();
  hub.child.kill('SIGTERM');
  expect(await hub.exited).toBe(0);
}

/** The files below a folder, without folders. */
function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Files with secrets or records. The log has the mode that its reader needs. */
const isPrivate = (file: string) => /\.key$|\.db(-wal|-shm)?$|\.ndjson$|lock|checkpoint|audit/.test(file);

describe('the files of a hub', () => {
  test('are for their owner alone, although others could read them before', async () => {
    await runOnce();
    const files = filesBelow(data).filter(isPrivate);
    expect(files.length).toBeGreaterThan(5);
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual(files.map(() => 0o600));
    for (const file of files) chmodSync(file, 0o666);
    chmodSync(join(data, 'journal'), 0o777);
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    const open = ['operator.key', 'hestia.db', 'views.db'].map((name) => join(data, name));
    const keys = readdirSync(data).filter((name) => name.endsWith('.key'));
    for (const file of [...open, ...keys.map((name) => join(data, name))]) {
      await expect.poll(() => [file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(statSync(join(data, 'journal')).mode & 0o777).toBe(0o700);
  });

  test.each(['operator.key', 'hestia.db', 'audit-signing.key', 'views.db'])(
    'are not written through a symbolic link at %s',
    async (name) => {
      const victim = join(folder, 'victim');
      writeFileSync(victim, 'precious', { mode: 0o644 });
      symlinkSync(victim, join(data, name));
      await using hub = await startHubProcess({ folder });
      await Promise.race([hub.exited, hub.ready().catch(() => undefined)]);
      expect(readFileSync(victim, 'utf8')).toBe('precious');
      expect(statSync(victim).mode & 0o777).toBe(0o644);
      if (name !== 'views.db') {
        expect(await hub.exited).toBe(1);
        expect(hub.stderr()).toMatch(/symbolic link/);
      }
    },
  );

  test('replace symbolic links, and leave their targets alone', async () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    mkdirSync(join(data, 'journal'));
    const links = ['operator.key.new', 'audit-signing.key.new', 'journal/lock.holder', 'journal/lock.holder.new'];
    for (const name of links) symlinkSync(victim, join(data, name));
    await runOnce();
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    const left = links.filter((name) => existsSync(join(data, name)) && lstatSync(join(data, name)).isSymbolicLink());
    expect(left).toEqual([]);
  });
});

describe('the log file', () => {
  test('is written anew after a rotation by renaming, and continued after one by copying and truncating', async () => {
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    const file = join(data, 'hestia.log');
    renameSync(file, `${file}.old`);
    await waitFor(() => {
      if (!existsSync(file)) throw new Error('the file was not opened again');
    });
    hub.child.kill('SIGHUP');
    await waitFor(() => {
      if (readFileSync(file, 'utf8') === '') throw new Error('nothing is written');
    });
    truncateSync(file);
    hub.child.kill('SIGTERM');
    await hub.exited;
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('\0');
    expect(hub.logLines().at(-1)).toMatchObject({ message: 'Hestia has shut down' });
  });

  test('is rotated by size where that is configured, and no more than five older files are kept', async () => {
    const bytesMax = 65_536;
    const environment = { HESTIA_LOG_BYTES_MAX: String(bytesMax), HESTIA_LOG_LEVEL: 'info' };
    await using hub = await startHubProcess({ folder, environment });
    await hub.ready();
    const file = join(data, 'hestia.log');
    for (let number = 1; number <= 6; number += 1) writeFileSync(`${file}.${number}`, `older ${number}`);
    writeFileSync(file, 'x'.repeat(bytesMax), { flag: 'a' });
    await waitFor(() => {
      if (statSync(`${file}.1`).size < bytesMax) throw new Error('not rotated');
    });
    expect(readFileSync(`${file}.2`, 'utf8')).toBe('older 1');
    expect(readFileSync(`${file}.5`, 'utf8')).toBe('older 4');
    expect(readFileSync(`${file}.6`, 'utf8')).toBe('older 6');
  });

  test('is refused a size that is too small', async () => {
    await using hub = await startHubProcess({ folder, environment: { HESTIA_LOG_BYTES_MAX: '100' } });
    expect(await hub.exited).toBe(1);
    expect(hub.stderr()).toMatch(/HESTIA_LOG_BYTES_MAX: .*whole number of bytes, at least 65536/);
  });
});

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describeWith(['script'], 'a first start on a terminal', () => {
  test("prints the operator's key, which nothing else does", async () => {
    const command = `${process.execPath} --disable-warning=ExperimentalWarning ${mainFile}`;
    const env = { ...process.env, HESTIA_DATA_DIR: data, HESTIA_PORT: String(await freePort()) };
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const exited = new Promise((resolve) => child.once('close', resolve));
    await waitFor(() => {
      if (!output.includes('Hestia is ready')) throw new Error(`not ready: ${output}`);
    });
    child.kill('SIGTERM');
    await exited;
    expect(output).toContain(readFileSync(join(data, 'operator.key'), 'utf8').trim());
  });
});

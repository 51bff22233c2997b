/** `hestia look` as a process: a hub with a demo that anyone can look at, and nothing that is left after Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/hub/hub-process.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { waitFor } from '../support/wait-for.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hestia-look-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Runs `npm run look` on a terminal of its own, with temporary folders below `folder`. Without `exec` a shell between
 * would be interrupted, too, and its exit status be the one that is seen.
 */
async function startLook(words: readonly string[]) {
  const port = String(await freePort());
  const command = ['exec npm', 'run', '--silent', 'look', '--', '--port', port, ...words].join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, OTEL_SDK_DISABLED: 'true' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    exited,
    /** Presses Ctrl-C. */
    interrupt: () => child.stdin.write('\x03'),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end('\x03');
      await exited;
    },
  };
}

/** The text that the expression finds in what is printed, once it is there. */
function printed(look: { output(): string }, expression: RegExp): Promise<string> {
  return waitFor(() => {
    const found = expression.exec(look.output())?.[1];
    if (found === undefined) throw new Error(`${expression} is not in: ${look.output()}`);
    return found;
  }, 120_000);
}

/** Runs the command in a pipe, without servers. */
function startInPipe(words: readonly string[]) {
  const file = join(root, 'src', 'hestia.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, 'look', ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, TMPDIR: folder, OTEL_SDK_DISABLED: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      printed[name] += chunk;
    });
  }
  return { child, printed, exited: once(child, 'close') };
}
const leftOver = () => readdirSync(folder).filter((name) => name.startsWith('hestia-look-'));

describe('hestia look in a pipe', () => {
  test('says where the hub is, prints no link, and stops with it when the terminal is closed', async () => {
    const port = await freePort();
    const { child, printed, exited } = startInPipe(['--port', String(port)]);
    await waitFor(() => {
      if (!printed.stdout.includes('\n')) throw new Error(`nothing is printed: ${printed.stderr}`);
    });
    expect(JSON.parse(printed.stdout)).toMatchObject({ kind: 'hub', url: `http://127.0.0.1:${port}` });
    child.kill('SIGHUP');
    expect(await exited).toEqual([0, null]);
    expect(printed.stdout.trim().split('\n').at(-1)).toBe('{"kind":"end","dataDirectory":null}');
    expect(printed.stdout + printed.stderr).not.toMatch(/code=|hst_/);
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
    expect(leftOver()).toEqual([]);
  });

  test.each([
    ['a port that is in use', /^hestia: --port: \d+ is in use or not permitted; any other from 1 to 65535/],
    ['a file that does not exist', /^hestia: HESTIA_CONFIG: cannot read \S+no-such-file\.json: no such file/],
  ])('fails with one line for %s, and leaves nothing behind', async (what, line) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const words = what === 'a port that is in use' ? ['--port', String(port)] : ['--config', 'no-such-file.json'];
    const { printed, exited } = startInPipe(words);
    expect(await exited).toEqual([1, null]);
    server.close();
    expect(printed.stderr).toMatch(line);
    expect(printed.stderr.trim()).not.toContain('\n');
    expect(leftOver()).toEqual([]);
  });
});

describeWith('script', 'npm run look', () => {
  test('prints a link that signs in to a console with calls in it, and leaves nothing behind', async () => {
    await using look = await startLook([]);
    const link = await printed(look, /(http:\S+\/console\/sign-in\?code=[\w-]+)/);
    expect(link.startsWith(look.url)).toBe(true);
    const data = await printed(look, /its data in (\S+)\.\r?\n/);
    expect(existsSync(join(data, 'operator.key'))).toBe(true);
    const signedIn = await fetch(link, { redirect: 'manual' });
    const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect(cookie).toMatch(/=/);
    await waitFor(async () => {
      const page = await (await fetch(`${look.url}/console/activity`, { headers: { cookie } })).text();
      for (const text of ['demo-agent-1', 'everything'])
        if (!page.includes(text)) throw new Error(`${text} is not in Activity`);
    }, 120_000);
    look.interrupt();
    expect(await look.exited).toBe(0);
    expect(look.output()).toContain('The hub has stopped. Its data is removed.');
    await expect(fetch(look.url)).rejects.toThrow();
    expect(readdirSync(folder).filter((name) => name.startsWith('hestia-look-'))).toEqual([]);
  });

  test('keeps the data of a given folder', async () => {
    const data = join(folder, 'kept');
    await using look = await startLook(['--data', data]);
    await printed(look, /(its data in)/);
    look.interrupt();
    expect(await look.exited).toBe(0);
    expect(existsSync(join(data, 'hestia.db'))).toBe(true);
  });
});

/** `hestia servers login` and `logout` as processes, against a listening hub and a real authorization server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { type ProtectedServer, startProtectedServer } from '../support/servers/protected-server.ts';

const hestia = fileURLToPath(new URL('../../src/hestia.ts', import.meta.url));
const publicUrl = 'http://127.0.0.1:7420';

let upstream: ProtectedServer;
let hub: ListeningHub;
beforeAll(async () => {
  upstream = await startProtectedServer(`${publicUrl}/oauth/callback`);
  hub = await startListeningHub({ file: { mcpServers: { notes: { url: upstream.url } }, logins: { publicUrl } } });
}, 60_000);
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** Runs a command. Its lines arrive as it prints them. */
function run(...words: string[]) {
  const args = ['--disable-warning=ExperimentalWarning', hestia, ...words, '--url', hub.url];
  const child = spawn(process.execPath, [...args, '--key', hub.operator.secret]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const closed = once(child, 'close');
  return {
    line: async () => JSON.parse((await lines.next()).value ?? '{}'),
    ended: async () => ({ exitCode: Number((await closed)[0]), stderr }),
  };
}

const user = async () =>
  (await json(hub.operator.fetch('/v1/tools/notes/whoami/call', { json: { arguments: {} } }))).result?.content[0].text;
const status = async () => (await json(hub.operator.fetch('/v1/servers'))).items[0];

async function logOut(): Promise<void> {
  const command = run('servers', 'logout', 'notes');
  expect(await command.line()).toEqual({ serverId: 'notes', loggedOut: true });
  expect(await command.ended()).toEqual({ exitCode: 0, stderr: '' });
  await expect.poll(status, { timeout: 30_000 }).toMatchObject({ errorType: 'login_required' });
}

describe('hestia servers login', () => {
  test('prints an address, waits for the browser to return, and the server is connected until the logout', async () => {
    const command = run('servers', 'login', 'notes');
    const begun = await command.line();
    expect(begun).toMatchObject({ serverId: 'notes', state: 'pending', url: expect.stringMatching(/^http/) });
    const { pathname, search } = await upstream.browse(begun.url, 'alice');
    expect((await hub.fetch(`${pathname}${search}`)).status).toBe(200);
    expect(await command.line()).toMatchObject({ serverId: 'notes', state: 'completed' });
    expect(await command.ended()).toEqual({ exitCode: 0, stderr: '' });
    await untilConnected(hub, 'notes');
    expect(await user()).toBe('alice');
    await logOut();
  }, 120_000);

  test('with --device prints a code, and waits until it was entered', async () => {
    const command = run('servers', 'login', 'notes', '--device');
    const begun = await command.line();
    expect(begun).toMatchObject({ state: 'pending', userCode: expect.stringMatching(/^[\w-]+$/) });
    await upstream.enterCode(begun.url, 'carol');
    expect(await command.line()).toMatchObject({ state: 'completed' });
    expect(await command.ended()).toEqual({ exitCode: 0, stderr: '' });
    await untilConnected(hub, 'notes');
    expect(await user()).toBe('carol');
    await logOut();
  }, 120_000);

  test('exits with 1 and one line if the login is denied, and if the server is unknown', async () => {
    const denied = run('servers', 'login', 'notes');
    const { pathname, search } = await upstream.browse((await denied.line()).url, 'denier');
    await hub.fetch(`${pathname}${search}`);
    expect(await denied.ended()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^hestia: not logged in to notes: the login was denied\n$/),
    });
    const unknown = await run('servers', 'login', 'nowhere').ended();
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^hestia: [^\n]*NOT_FOUND[^\n]*\n$/) });
  }, 120_000);
});

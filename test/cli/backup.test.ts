/** Backup and restore, with the real process: under load, stopped, and what a restore refuses. */
import { appendFileSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';
import { type CommandRun, runCommand } from '../support/programs/command-run.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: string;
let hub: HubProcess;
let backup: CommandRun;
const backupFolder = () => join(folder, 'copy');
const publicKeys = () => join(folder, 'keys');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-backup-'));
  hub = await startHubProcess({ file: { audit: { checkpointRecords: 20 } } });
  await hub.ready();
  let isOver = false;
  const load = Array.from({ length: 4 }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const response = await hub.fetch('/v1/keys', { method: 'POST', json: { agentId: `bot-${worker}-${n}` } });
      expect(response.status).toBe(201);
      await response.text();
    }
  });
  await waitFor(async () => {
    if ((await keyCount(hub)) <= 40) throw new Error('few keys yet');
  });
  backup = await runCommand(['backup', backupFolder(), '--data', join(hub.folder, 'data')]);
  isOver = true;
  await Promise.all(load);
  writeFileSync(publicKeys(), await (await hub.fetch('/v1/audit/key')).text());
}, 180_000);
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function keyCount(of: HubProcess): Promise<number> {
  const { items } = await json(of.fetch('/v1/keys?limit=200'));
  return items.length;
}

/** Restores the backup into a new folder. Returns that folder, whose `data` is the data directory. */
async function restored(): Promise<string> {
  const target = await mkdtemp(join(folder, 'restored-'));
  const ended = await runCommand(['restore', backupFolder(), '--data', join(target, 'data')]);
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  return target;
}

describe('a backup of a hub under load', () => {
  test('is complete, verified, and for its owner only', () => {
    expect(backup).toMatchObject({ exitCode: 0, stderr: '' });
    expect(backup.lines()[0]).toMatchObject({ folder: backupFolder(), intact: true });
    expect(readdirSync(backupFolder())).toEqual(
      expect.arrayContaining([
        'audit-signing.key',
        'audit.head',
        'backup.json',
        'hestia.db',
        'journal',
        'operator.key',
      ]),
    );
    expect(statSync(backupFolder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(backupFolder(), 'hestia.db')).mode & 0o777).toBe(0o600);
  });

  test('is restored into a hub with the same keys, whose trail has each change once and verifies', async () => {
    const target = await restored();
    await using again = await startHubProcess({ folder: target, file: {} });
    await again.ready();
    expect(await keyCount(again)).toBeGreaterThan(40);
    const url = ['--url', again.url, '--key-file', join(target, 'data', 'operator.key')];
    const verified = await runCommand(['audit', 'verify', ...url, '--public-key', publicKeys()]);
    expect(verified.lines()[0]).toMatchObject({ intact: true });
    const created = await runCommand(['audit', 'events', ...url, '--event', 'KEY_CREATED', '--limit', '10000']);
    const recorded = created.lines().map(({ target: key }) => key);
    const listed = (await runCommand(['keys', 'list', ...url])).lines().map(({ keyId }) => `key:${keyId}`);
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(recorded).toEqual(expect.arrayContaining(listed));
  }, 120_000);

  test('is verified offline with the key of the hub', async () => {
    const journal = join(await restored(), 'data', 'journal');
    const words = ['audit', 'verify', '--journal', journal, '--public-key', publicKeys(), '--allow-unsigned-tail'];
    expect((await runCommand(words)).lines()[0]).toMatchObject({ intact: true });
  });
});

describe('a backup of a stopped hub', () => {
  test('is made of what it left', async () => {
    const data = join(await restored(), 'data');
    const copy = join(folder, 'of-stopped');
    const ended = await runCommand(['backup', copy, '--data', data], { isTerminal: true });
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain('the audit trail is intact');
    expect(readdirSync(folder).filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  test('is refused where there is no hub, and over other files', async () => {
    const absent = await runCommand(['backup', join(folder, 'none'), '--data', folder]);
    expect(absent).toMatchObject({ exitCode: 1, stderr: `hestia: ${folder}: holds no data of a hub\n` });
    const full = await runCommand(['backup', backupFolder(), '--data', join(hub.folder, 'data')]);
    expect(full).toMatchObject({ exitCode: 1, stderr: `hestia: ${backupFolder()}: is not empty\n` });
  });
});

describe('a restore', () => {
  const target = () => join(folder, 'refused');
  const restore = () => runCommand(['restore', join(folder, 'changed'), '--data', target()]);

  test.each([
    ['a changed file', (copy: string) => appendFileSync(join(copy, 'hestia.db'), 'x'), 'hestia.db: was changed since'],
    ['a missing file', (copy: string) => rmSync(join(copy, 'audit.head')), 'audit.head: is missing'],
    ['an added file', (copy: string) => writeFileSync(join(copy, 'extra.key'), ''), 'extra.key: does not belong'],
    ['no list of files', (copy: string) => rmSync(join(copy, 'backup.json')), 'no complete backup'],
  ])('of %s is refused and leaves nothing', async (_name, change, message) => {
    const copy = join(folder, 'changed');
    const made = await runCommand(['backup', copy, '--data', join(hub.folder, 'data')]);
    expect(made.exitCode).toBe(0);
    change(copy);
    const ended = await restore();
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(existsSync(target())).toBe(false);
    await rm(copy, { recursive: true });
  });

  test('into a directory with files is refused', async () => {
    const ended = await runCommand(['restore', backupFolder(), '--data', join(hub.folder, 'data')]);
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not empty') });
  });
});

describe("the operator's key", () => {
  test('is not replaced while a hub runs', async () => {
    const ended = await runCommand(['keys', 'reset-operator', '--data', join(hub.folder, 'data')]);
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('another hub is using') });
  });

  test('of a stopped hub is replaced: the new one works, the old one does not, and both are on record', async () => {
    const target = await restored();
    const reset = await runCommand(['keys', 'reset-operator', '--data', join(target, 'data')]);
    expect(reset).toMatchObject({ exitCode: 0, stderr: '' });
    const [{ keyId, revokedKeyIds } = {}] = reset.lines();
    expect(revokedKeyIds).toHaveLength(1);
    await using again = await startHubProcess({ folder: target, file: {} });
    await again.ready();
    const { items } = await json(again.fetch(`/v1/audit/events?target=key:${keyId}`));
    expect(items).toMatchObject([{ event: 'KEY_CREATED', agent_id: 'hestia', key_id: 'reset' }]);
    const old = await again.fetch('/v1/keys', { headers: { authorization: `Bearer ${hub.key()}` } });
    expect(old.status).toBe(401);
    expect(await (await again.fetch('/v1/audit/verify')).json()).toMatchObject({ intact: true });
  }, 120_000);
});

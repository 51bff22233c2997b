/** What someone with write access does to the data of a stopped hub: the hub does not start, and the command names it. */
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vkeyOf } from '../../src/journal/signed-note.ts';
import { type HubProcess, startHubProcess } from '../support/hub/hub-process.ts';
import { runCommand } from '../support/programs/command-run.ts';

/** The data of a hub that was stopped twice, with a copy after the first time. */
let original: string;
const folders: string[] = [];

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-attack-'));
  folders.push(folder);
  return folder;
};
const stop = async (hub: HubProcess) => {
  hub.child.kill('SIGTERM');
  await hub.exited;
};

beforeAll(async () => {
  original = newFolder();
  for (const run of ['older', 'data']) {
    await using hub = await startHubProcess({ folder: original });
    await hub.ready();
    for (let count = 0; count < 3; count += 1)
      await hub.fetch('/v1/keys', { json: { agentId: `${run}-${count}`, role: 'agent' } });
    writeFileSync(join(original, 'key.json'), await (await hub.fetch('/v1/audit/key')).text());
    await stop(hub);
    if (run === 'older') cpSync(join(original, 'data', 'journal'), join(original, 'older'), { recursive: true });
  }
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A copy of the data, after the attack. */
function attacked(attack: (data: string) => void): string {
  const folder = newFolder();
  cpSync(original, folder, { recursive: true });
  attack(join(folder, 'data'));
  return folder;
}

const verify = (folder: string) =>
  runCommand([
    'audit',
    'verify',
    ...['--journal', join(folder, 'data', 'journal'), '--public-key', join(original, 'key.json')],
    ...['--checkpoint', join(original, 'data', 'audit.head')],
  ]);

/** The exit code of a start, and its last line of standard error. */
async function start(folder: string): Promise<{ exitCode: number | null; line: string; logged: unknown[] }> {
  await using hub = await startHubProcess({ folder });
  const exitCode = await hub.exited;
  const logged = hub.logLines().map(({ security_event: event }) => event);
  return { exitCode, line: hub.stderr().trimEnd().split('\n').at(-1) ?? '', logged };
}

const rewriteJournal = (data: string, change: (text: string) => string) => {
  const folder = join(data, 'journal', 'segments');
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), change(text));
  }
};

/** A record as the hub would write it after its last one. */
function nextRecord(data: string, changes: object): { file: string; record: Record<string, unknown> } {
  const folder = join(data, 'journal', 'segments');
  const file = join(folder, readdirSync(folder).sort().at(-1) ?? '');
  const { record_id: _, ...last } = JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '');
  return { file, record: { ...last, ...changes, seq: last.seq + 1 } };
}

function appendRecord(data: string, changes: object): void {
  const { file, record } = nextRecord(data, changes);
  appendFileSync(file, `${canonicalize(record)}\n`);
}

/** The record of a rotation to the key of the attacker. Whoever verifies a trail that is signed beyond it trusts that key. */
function rotation(data: string): object {
  const origin = readFileSync(join(data, 'audit.head'), 'utf8').split('\n')[0] ?? '';
  const vkey = vkeyOf(origin, generateKeyPairSync('ed25519').publicKey);
  const fields = { agent_id: 'operator', namespace: 'default', vkey, previous_vkey: vkey, signs_until: '2099-01-01' };
  return { kind: 'security', event: 'AUDIT_KEY_ROTATED', target: 'hub', outcome: 'success', fields };
}

describe('the data of a stopped hub', () => {
  test('that nobody touched verifies, and the hub starts', async () => {
    const folder = attacked(() => undefined);
    expect(await verify(folder)).toMatchObject({ exitCode: 0, stderr: '' });
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    expect(await (await hub.fetch('/v1/audit/verify')).json()).toMatchObject({ intact: true });
    await stop(hub);
  });

  const attacks: [string, (data: string) => void][] = [
    ['a record was edited', (data) => rewriteJournal(data, (text) => text.replace('older-1', 'other-1'))],
    [
      'a record was removed',
      (data) =>
        rewriteJournal(data, (text) =>
          text
            .split('\n')
            .filter((line) => !line.includes('"seq":3,'))
            .join('\n'),
        ),
    ],
    [
      'the last records were removed',
      (data) => rewriteJournal(data, (text) => `${text.split('\n').slice(0, -3).join('\n')}\n`),
    ],
    [
      'a record was edited and the checkpoints were removed',
      (data) => {
        rewriteJournal(data, (text) => text.replace('older-1', 'other-1'));
        for (const name of ['checkpoints.ndjson', 'checkpoint']) rmSync(join(data, 'journal', name));
      },
    ],
    [
      'an older copy of the journal was put back',
      (data) => {
        rmSync(join(data, 'journal'), { recursive: true });
        cpSync(join(original, 'older'), join(data, 'journal'), { recursive: true });
      },
    ],
    ['a rotation of the signing key was appended', (data) => appendRecord(data, rotation(data))],
    ['the segments were deleted', (data) => rmSync(join(data, 'journal', 'segments'), { recursive: true })],
  ];
  test.each(attacks)('if %s: verification fails, and the hub does not start', async (_what, attack) => {
    const folder = attacked(attack);
    const verdict = await verify(folder);
    expect(verdict.exitCode).not.toBe(0);
    expect(verdict.stderr).toMatch(/^hestia: .+\n$/);
    const { exitCode, line, logged } = await start(folder);
    expect([exitCode, line]).toEqual([1, expect.stringContaining('hestia audit start-new')]);
    expect(logged).toContain('AUDIT_CHAIN_BROKEN');
  });

  test('if the journal and its head were deleted: the key without them is an alarm, and no new trail begins', async () => {
    const folder = attacked((data) => {
      rmSync(join(data, 'journal'), { recursive: true });
      rmSync(join(data, 'audit.head'));
    });
    const { exitCode, logged } = await start(folder);
    expect([exitCode, logged.includes('AUDIT_CHAIN_BROKEN')]).toEqual([1, true]);
  });

  test('if the signing key was deleted: the hub does not start, and the operator key stays', async () => {
    const folder = attacked((data) => rmSync(join(data, 'audit-signing.key')));
    expect((await start(folder)).exitCode).toBe(1);
    expect(readFileSync(join(folder, 'data', 'operator.key'), 'utf8')).toBe(
      readFileSync(join(original, 'data', 'operator.key'), 'utf8'),
    );
  });

  test('if a rotation of the signing key was put into the outbox: the hub does not start, and signs nothing', async () => {
    const folder = attacked((data) => {
      const { seq: _, ...entry } = nextRecord(data, { ...rotation(data), record_id: 'rec_forged' }).record;
      using database = new DatabaseSync(join(data, 'hestia.db'));
      database
        .prepare('INSERT INTO outbox (record_id, entry, journal_size) VALUES (?, ?, 0)')
        .run('rec_forged', JSON.stringify(entry));
    });
    const { exitCode, line, logged } = await start(folder);
    expect([exitCode, line]).toEqual([1, expect.stringContaining('names a signing key that this hub does not have')]);
    expect(logged).toContain('AUDIT_CHAIN_BROKEN');
    expect(await verify(folder)).toMatchObject({ exitCode: 0 });
  });

  test('if a record was appended: the hub starts, and records how many records nobody had signed', async () => {
    const folder = attacked((data) => appendRecord(data, {}));
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    const events = await hub.fetch('/v1/audit/events?event=CONFIGURATION_LOADED&order=newest&limit=2');
    const { items } = JSON.parse(await events.text());
    expect(items.map(({ fields }: { fields: Record<string, unknown> }) => fields.unsigned_records)).toEqual([
      1,
      undefined,
    ]);
    await stop(hub);
  });

  test('is set aside by start-new, and the hub begins a new trail with another key', async () => {
    const folder = attacked((data) => rewriteJournal(data, (text) => text.replace('older-1', 'other-1')));
    const aside = await runCommand(['audit', 'start-new', '--data', join(folder, 'data')]);
    expect(aside).toMatchObject({ exitCode: 0, stderr: '' });
    await using hub = await startHubProcess({ folder });
    await hub.ready();
    expect(await (await hub.fetch('/v1/audit/verify')).json()).toMatchObject({ intact: true, firstSeq: 1 });
    const { key_id: keyId } = JSON.parse(readFileSync(join(original, 'key.json'), 'utf8'));
    expect(await (await hub.fetch('/v1/audit/key')).json()).toMatchObject({
      key_id: expect.not.stringContaining(keyId),
    });
    await stop(hub);
  });
});

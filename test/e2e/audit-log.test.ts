/**
 * The audit log of a running hub, verified by strangers: a Go program on the packages of the Go checksum database, which has
 * no code of the hub, and a witness over HTTP.
 */
import { spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vkeyOf } from '../../src/journal/signed-note.ts';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { runCommand } from '../support/programs/command-run.ts';
import { goProgram } from '../support/programs/go-program.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { startWitness, type TestWitness } from '../support/witness-server.ts';

const origin = 'example.com/hestia';

/** Runs the Go program against a hub. */
async function verifyInGo(hub: ListeningHub, vkey: string, ...words: string[]) {
  const auditor = await hub.key('auditor', 'auditor');
  const args = ['-url', `${hub.url}/v1/audit/log`, '-key', auditor.secret, '-vkey', vkey, ...words];
  const program = spawn(goProgram('log-verifier'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => program.on('close', resolve));
  const [stdout, stderr, exitCode] = await Promise.all([text(program.stdout), text(program.stderr), ended]);
  return { exitCode, stderr, report: exitCode === 0 ? JSON.parse(stdout) : undefined };
}

/** Records this number of events. */
async function write(hub: ListeningHub, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => hub.key(`agent-${index}`)));
}

/** Signs all records: an export begins with that. */
async function sign(hub: ListeningHub): Promise<void> {
  await (await hub.operator.fetch('/v1/audit/export')).text();
}

/** Overwrites one byte of a file in place. */
function overwrite(file: string, at: number, character: string): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, character, at);
  closeSync(descriptor);
}

const vkeysOf = async (hub: ListeningHub): Promise<string[]> => (await json(hub.operator.fetch('/v1/audit/key'))).vkeys;
const rotateKey = (hub: ListeningHub) =>
  runCommand(['audit', 'rotate-key', '--url', hub.url, '--key', hub.operator.secret]);
const dayMs = 86_400_000;

describeWith('log-verifier', 'the audit log of a running hub', () => {
  let hub: ListeningHub;
  beforeAll(async () => {
    hub = await startListeningHub({ file: { audit: { origin } } });
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  test('verifies in Go: the signature, every record and tile, the root, proofs of inclusion and of consistency', async () => {
    await write(hub, 300);
    await sign(hub);
    const [vkey = ''] = await vkeysOf(hub);
    const saved = join(hub.folder, 'checkpoint.saved');
    const first = await verifyInGo(hub, vkey, '-save', saved);
    expect(first).toMatchObject({ exitCode: 0, report: { origin, signatures: 1 } });
    expect(first.report.size).toBeGreaterThan(300);
    expect(first.report.records).toBe(first.report.size);
    await write(hub, 300);
    await sign(hub);
    const second = await verifyInGo(hub, vkey, '-old', saved);
    expect(second).toMatchObject({ exitCode: 0, report: { tiles: 4 } });
    expect(second.report.size).toBeGreaterThan(first.report.size + 300);
  });

  test('does not verify in Go with the key of another log', async () => {
    const [vkey = ''] = await vkeysOf(hub);
    const other = await startListeningHub({ file: { audit: { origin } } });
    const [otherVkey = ''] = await vkeysOf(other);
    await other[Symbol.asyncDispose]();
    expect(otherVkey).not.toBe(vkey);
    expect(await verifyInGo(hub, otherVkey)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no verifiable'),
    });
  });

  test('does not verify in Go once a byte of a stored record is changed', async () => {
    const [vkey = ''] = await vkeysOf(hub);
    const segments = join(hub.folder, 'journal', 'segments');
    const file = join(segments, readdirSync(segments)[0] ?? '');
    const at = readFileSync(file).indexOf('KEY_CREATED');
    overwrite(file, at, 'L');
    expect(await verifyInGo(hub, vkey)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('have the root'),
    });
    overwrite(file, at, 'K');
    expect(await verifyInGo(hub, vkey)).toMatchObject({ exitCode: 0 });
  });

  test('can be followed with either key while a rotation lasts, and with the new one after it', async () => {
    const [oldKey = ''] = await vkeysOf(hub);
    const saved = join(hub.folder, 'checkpoint.before');
    await verifyInGo(hub, oldKey, '-save', saved);
    const rotated = await rotateKey(hub);
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    const [answer = {}] = rotated.lines();
    const newKey = String(answer.vkey);
    expect(answer.previous_vkey).toBe(oldKey);
    expect(await vkeysOf(hub)).toEqual([newKey, oldKey]);
    expect(await verifyInGo(hub, oldKey, '-old', saved)).toMatchObject({ exitCode: 0, report: { signatures: 2 } });
    expect(await verifyInGo(hub, newKey)).toMatchObject({ exitCode: 0, report: { signatures: 2 } });
    hub.advance(31 * dayMs);
    await write(hub, 1);
    await sign(hub);
    expect(await verifyInGo(hub, newKey)).toMatchObject({ exitCode: 0, report: { signatures: 1 } });
    expect(await verifyInGo(hub, oldKey)).toMatchObject({ exitCode: 1 });
    expect(await vkeysOf(hub)).toEqual([newKey]);
  });

  test('has the rotation on record, with both keys, under a checkpoint that both signed', async () => {
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUDIT_KEY_ROTATED'));
    const [vkey] = await vkeysOf(hub);
    expect(items).toMatchObject([
      { kind: 'security', agent_id: 'operator', fields: { vkey, previous_vkey: expect.stringContaining(origin) } },
    ]);
  });
});

describe('the routes of the audit log', () => {
  let hub: ListeningHub;
  beforeAll(async () => {
    hub = await startListeningHub({ file: { audit: { origin } } });
    await write(hub, 300);
    await sign(hub);
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  test('serve the checkpoint for a few seconds, and tiles for ever', async () => {
    const checkpoint = await hub.operator.fetch('/v1/audit/log/checkpoint');
    expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(checkpoint.headers.get('cache-control')).toBe('no-cache');
    expect(await checkpoint.text()).toMatch(
      /^example\.com\/hestia\n\d+\n[^\n]{44}\n\n— example\.com\/hestia [^\n]+\n$/,
    );
    for (const path of ['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000']) {
      const tile = await hub.operator.fetch(`/v1/audit/log/${path}`);
      expect(tile.status).toBe(200);
      expect(tile.headers.get('content-type')).toBe('application/octet-stream');
      expect(tile.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    }
  });

  test('compress entry bundles for clients that accept it', async () => {
    const plain = await hub.operator.fetch('/v1/audit/log/tile/entries/000');
    const packed = await hub.operator.fetch('/v1/audit/log/tile/entries/000', {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    const unpacked = new Response(packed.body?.pipeThrough(new DecompressionStream('gzip')));
    expect(await unpacked.arrayBuffer()).toEqual(await plain.arrayBuffer());
  });

  test.each([
    'checkpoint?cosigned=true',
    'tile/0/999',
    'tile/0/0',
    'tile/64/000',
    'tile/entries/001',
    'tile/entries/000/',
  ])('answer 404 for %s', async (path) => {
    expect((await hub.operator.fetch(`/v1/audit/log/${path}`)).status).toBe(404);
  });

  test('are for auditors and operators', async () => {
    const agent = await hub.key('someone');
    const auditor = await hub.key('auditor', 'auditor');
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      expect((await hub.fetch(`/v1/audit/log/${path}`)).status).toBe(401);
      expect((await agent.fetch(`/v1/audit/log/${path}`)).status).toBe(403);
      expect((await auditor.fetch(`/v1/audit/log/${path}`)).status).toBe(200);
    }
    expect((await auditor.fetch('/v1/audit/key/rotation', { method: 'POST' })).status).toBe(403);
  });
});

describe('a hub that starts after a rotation', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-rotation-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const start = () => startListeningHub({ folder, file: { audit: { origin } } });

  test('signs with both keys, and accepts the head that they signed', async () => {
    const before = await start();
    const [oldKey = ''] = await vkeysOf(before);
    expect(await rotateKey(before)).toMatchObject({ exitCode: 0 });
    const vkeys = await vkeysOf(before);
    await before[Symbol.asyncDispose]();
    await using after = await start();
    expect(await vkeysOf(after)).toEqual(vkeys);
    expect(vkeys).toEqual([expect.not.stringContaining(oldKey), oldKey]);
  });

  test('that was interrupted completes it with the key that was recorded, and records it again', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(join(folder, 'audit-signing.next.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await using hub = await start();
    const vkeys = await vkeysOf(hub);
    expect(vkeys).toHaveLength(3);
    expect(vkeys[0]).toBe(vkeyOf(origin, createPublicKey(privateKey)));
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUDIT_KEY_ROTATED'));
    expect(items).toMatchObject([
      { agent_id: 'operator' },
      { agent_id: 'hestia', fields: { vkey: vkeys[0], previous_vkey: vkeys[1] } },
    ]);
  });
});

describe('a hub with a witness', () => {
  let witness: TestWitness;
  let hub: ListeningHub;
  let vkey = '';
  beforeAll(async () => {
    witness = await startWitness({ origin, logVkey: () => vkey });
    const { url, vkey: witnessKey } = witness;
    hub = await startListeningHub({ file: { audit: { origin, witnesses: [{ url, vkey: witnessKey }] } } });
    [vkey = ''] = await vkeysOf(hub);
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
    await witness[Symbol.asyncDispose]();
  });

  test('serves the checkpoint with the cosignature', async () => {
    await write(hub, 10);
    await sign(hub);
    const cosigned = async () => (await hub.operator.fetch('/v1/audit/log/checkpoint?cosigned=true')).text();
    await expect.poll(cosigned, { timeout: 5000 }).toMatch(/\n— example\.com\/hestia .+\n— witness\.example\/w1 .+\n$/);
    expect(witness.latest().size).toBeGreaterThan(10);
  });

  test('goes on while the witness is unreachable', async () => {
    await witness[Symbol.asyncDispose]();
    await write(hub, 10);
    await sign(hub);
    const checkpoint = await (await hub.operator.fetch('/v1/audit/log/checkpoint')).text();
    expect(Number(checkpoint.split('\n')[1])).toBeGreaterThan(witness.latest().size);
    expect((await hub.fetch('/readyz')).status).toBe(200);
  });
});

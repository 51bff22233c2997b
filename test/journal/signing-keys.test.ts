/** The keys that sign checkpoints: rotation, the period of both keys, interruptions and restarts. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { signCheckpoint } from '../../src/journal/checkpoint.ts';
import { openNote, verifierOf } from '../../src/journal/signed-note.ts';
import { type KeyRotation, openSigningKeys } from '../../src/journal/signing-keys.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const dayMs = 86_400_000;

/** A data directory with a key, and a clock. */
function newDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'hestia-keys-'));
  folders.push(directory);
  const file = join(directory, 'audit-signing.key');
  writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  let time = Date.UTC(2026, 0, 1);
  const open = () =>
    openSigningKeys({
      directory,
      origin: 'example.com/log',
      signingKey: createPrivateKey(readFileSync(file, 'utf8')),
      overlapMs: 30 * dayMs,
      now: () => time,
    });
  return {
    directory,
    open,
    files: () => readdirSync(directory).toSorted(),
    advance: (ms: number) => {
      time += ms;
    },
  };
}

const record = async () => {};
const signed = (keys: ReturnType<ReturnType<typeof newDirectory>['open']>) =>
  signCheckpoint({ origin: 'example.com/log', size: 1, root: Buffer.alloc(32) }, keys.signers());
const verifies = (note: string, vkey: string): boolean => {
  try {
    return openNote(note, [verifierOf(vkey)]).verified.length === 1;
  } catch {
    return false;
  }
};

describe('a rotation', () => {
  test('is announced before it happens, with both verifier keys', async () => {
    const data = newDirectory();
    const keys = data.open();
    const before = keys.vkey();
    const announced: KeyRotation[] = [];
    await keys.rotate(async (rotation) => {
      announced.push(rotation);
      expect(keys.vkey()).toBe(before);
    });
    expect(announced).toEqual([{ vkey: keys.vkey(), previous: { vkey: before, signsUntil: Date.UTC(2026, 0, 31) } }]);
    expect(keys.vkey()).not.toBe(before);
    expect(keys.replaced()).toEqual([{ vkey: before, signsUntil: Date.UTC(2026, 0, 31) }]);
  });

  test('lets both keys sign for the period, also after a restart, and then the new one alone', async () => {
    const data = newDirectory();
    const first = data.open();
    const oldKey = first.vkey();
    await first.rotate(record);
    const newKey = first.vkey();
    for (const keys of [first, data.open()]) {
      expect(keys.vkey()).toBe(newKey);
      expect([oldKey, newKey].map((vkey) => verifies(signed(keys), vkey))).toEqual([true, true]);
    }
    data.advance(30 * dayMs);
    for (const keys of [first, data.open()]) {
      expect([oldKey, newKey].map((vkey) => verifies(signed(keys), vkey))).toEqual([false, true]);
      expect(keys.verifiers().map(({ vkey }) => vkey)).toEqual([newKey, oldKey]);
    }
    first.dropExpired();
    expect(data.files()).toEqual(['audit-signing.key']);
    expect(data.open().verifiers()).toHaveLength(1);
  });

  test('may follow another one within the period: all three keys sign', async () => {
    const data = newDirectory();
    const keys = data.open();
    const vkeys = [keys.vkey()];
    for (let rotation = 0; rotation < 2; rotation += 1) {
      await keys.rotate(record);
      vkeys.push(keys.vkey());
      data.advance(dayMs);
    }
    expect(vkeys.map((vkey) => verifies(signed(data.open()), vkey))).toEqual([true, true, true]);
    expect(new Set(vkeys).size).toBe(3);
  });

  test('that cannot be recorded changes nothing', async () => {
    const data = newDirectory();
    const keys = data.open();
    const before = keys.vkey();
    await expect(keys.rotate(() => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    expect(keys.vkey()).toBe(before);
    expect(data.files()).toEqual(['audit-signing.key']);
  });

  test('that was interrupted is pending after the restart, and repeated with the same key', async () => {
    const data = newDirectory();
    const announced: string[] = [];
    const never = new Promise<void>(() => {});
    data.open().rotate(({ vkey }) => {
      announced.push(vkey);
      return never;
    });
    await expect.poll(() => announced).toHaveLength(1);
    const restarted = data.open();
    expect(restarted.isRotationPending()).toBe(true);
    await restarted.rotate(record);
    expect(restarted.vkey()).toBe(announced[0]);
    expect(data.open().isRotationPending()).toBe(false);
  });

  test('leaves files that only their owner can read', async () => {
    const data = newDirectory();
    await data.open().rotate(record);
    const created = data.files().filter((name) => name.endsWith('.key'));
    expect(created).toHaveLength(2);
    for (const name of created) expect(statSync(join(data.directory, name)).mode & 0o077).toBe(0);
  });
});

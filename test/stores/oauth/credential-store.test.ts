/** Stored logins: encrypted, bound to their place, and readable with their key only. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Credential, LoginAddress } from '../../../src/shapes/oauth/credential.ts';
import { createCredentialStore } from '../../../src/stores/oauth/credential-store.ts';
import { createSealing, loadSealingKey } from '../../../src/stores/oauth/sealing.ts';
import { openStoreDatabase, type StoreDatabase } from '../../support/store-database.ts';

let store: StoreDatabase;
let folder: string;
beforeEach(async () => {
  store = await openStoreDatabase();
  folder = await mkdtemp(join(tmpdir(), 'hestia-sealing-'));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const key = randomBytes(32);
const hub: LoginAddress = { serverId: 'notes', identity: { kind: 'hub' } };
const agent: LoginAddress = { serverId: 'notes', identity: { kind: 'agent', agentId: 'one', namespace: 'default' } };
const credential: Credential = {
  serverUrl: 'https://notes.example/mcp',
  issuer: 'https://issuer.example',
  authorizationServerUrl: 'https://issuer.example',
  client: { client_id: 'hestia', client_secret: 'client-secret-1' },
  accessToken: 'access-token-1',
  refreshToken: 'refresh-token-1',
  expiresAt: 1,
};
const openStore = (with_ = key) => createCredentialStore(store.database, () => createSealing(with_));

describe('a stored login', () => {
  test('is read as it was stored, replaced and removed, for each identity on its own', async () => {
    const logins = openStore();
    expect(await logins.find(hub)).toBeUndefined();
    await logins.put(hub, credential);
    await logins.put(agent, { ...credential, accessToken: 'access-token-2' });
    expect(await logins.find(hub)).toEqual(credential);
    await logins.put(hub, { ...credential, accessToken: 'access-token-3' });
    expect((await logins.find(hub))?.accessToken).toBe('access-token-3');
    expect([await logins.remove(hub), await logins.remove(hub)]).toEqual([true, false]);
    expect((await logins.find(agent))?.accessToken).toBe('access-token-2');
  });

  test('is in no file of the database in clear', async () => {
    await openStore().put(hub, credential);
    const files = [store.file, `${store.file}-wal`].map((file) => readFile(file, 'latin1').catch(() => ''));
    const text = (await Promise.all(files)).join('');
    expect(text.includes('server_logins')).toBe(true);
    for (const secret of ['access-token-1', 'refresh-token-1', 'client-secret-1']) expect(text).not.toContain(secret);
  });

  test('cannot be read with another key, at another place, or after a change of one bit', async () => {
    await openStore().put(hub, credential);
    expect(await openStore(randomBytes(32)).find(hub)).toBeUndefined();
    using outside = new DatabaseSync(store.file);
    outside.exec("UPDATE server_logins SET agent = 'default/one'");
    expect(await openStore().find(agent)).toBeUndefined();
    outside.exec("UPDATE server_logins SET agent = ''");
    expect(await openStore().find(hub)).toEqual(credential);
    const { sealed } = outside.prepare('SELECT sealed FROM server_logins').get() ?? {};
    if (!(sealed instanceof Uint8Array)) throw new Error('no row');
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    outside.prepare('UPDATE server_logins SET sealed = ?').run(sealed);
    expect(await openStore().find(hub)).toBeUndefined();
  });
});

describe('the file of the key', () => {
  test('is created once, with a random key that only its owner can read', async () => {
    const file = join(folder, 'logins.key');
    const created = loadSealingKey(file);
    expect(created).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(loadSealingKey(file)).toEqual(created);
    expect(loadSealingKey(join(folder, 'other.key'))).not.toEqual(created);
  });

  test('with something else in it, or that cannot be read, is refused by name', async () => {
    const file = join(folder, 'logins.key');
    await writeFile(file, 'short');
    expect(() => loadSealingKey(file)).toThrow(`${file}: must be the key of stored logins, 64 hexadecimal digits`);
    await chmod(file, 0o600);
    expect(() => loadSealingKey(folder)).toThrow('EISDIR');
  });
});

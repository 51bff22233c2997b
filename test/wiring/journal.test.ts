/** The start of the journal with its keys and heads: a new hub, a restart, a crash within the first start, an older database. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../src/telemetry/log.ts';
import { openSignedJournal, takeOverOldTrail } from '../../src/wiring/journal.ts';
import { appendLines } from '../support/journal-folder.ts';

/** A data directory. `start` does what a start of the hub does, appends three records, and stops. */
function createData() {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-wiring-'));
  const place = { dataDirectory: folder, directory: join(folder, 'journal'), headFile: join(folder, 'audit.head') };
  const databaseFile = join(folder, 'hestia.db');
  const start = async ({ records = 3, origin = 'hestia/test' } = {}) => {
    const log = await openLog({ file: join(folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
    const fault = await takeOverOldTrail(place, { databaseFile, origin, log, now: Date.now });
    await log.close();
    const opening = { origin, overlapMs: 1000, durability: 'normal', now: Date.now } as const;
    const { journal, signingKeys } = await openSignedJournal(place, opening);
    await using opened = journal;
    await appendLines(opened, records);
    return { size: opened.size(), vkey: signingKeys.vkey(), fault };
  };
  return {
    ...place,
    keyFile: join(folder, 'audit-signing.key'),
    digestKeyFile: join(folder, 'audit-digest.key'),
    start,
    addOldDatabase: () => {
      const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/old-trail/${name}`, import.meta.url));
      const connection = new DatabaseSync(databaseFile);
      connection.exec(`PRAGMA synchronous = OFF; BEGIN; ${readFileSync(fixture('version-4.sql'), 'utf8')} COMMIT`);
      connection.close();
      for (const name of ['audit-signing.key', 'audit-digest.key'])
        writeFileSync(join(folder, name), readFileSync(fixture(name)));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

describe('a new hub', () => {
  test('has a key and a signed head in both places before its first record, and starts again', async () => {
    using data = createData();
    const { vkey } = await data.start({ records: 0 });
    const note = readFileSync(data.headFile, 'utf8');
    expect(note.startsWith('hestia/test\n0\n')).toBe(true);
    expect(readFileSync(join(data.directory, 'checkpoint'), 'utf8')).toBe(note);
    expect(await data.start()).toMatchObject({ vkey, size: 3 });
    expect(await data.start()).toMatchObject({ vkey, size: 6 });
  });

  test('starts again after a crash before its key was stored', async () => {
    using data = createData();
    await data.start({ records: 0 });
    rmSync(data.keyFile);
    expect(await data.start()).toMatchObject({ size: 3 });
    expect(await data.start()).toMatchObject({ size: 6 });
  });

  test('does not start without its journal, its key or its head, and its journal is not locked then', async () => {
    using data = createData();
    await data.start();
    const key = readFileSync(data.keyFile);
    rmSync(data.keyFile);
    await expect(data.start()).rejects.toMatchObject({ isBroken: true });
    expect(existsSync(data.keyFile)).toBe(false);
    writeFileSync(data.keyFile, key);
    const digestKey = readFileSync(data.digestKeyFile);
    rmSync(data.digestKeyFile);
    await expect(data.start()).rejects.toMatchObject({ name: 'AuditKeyError' });
    writeFileSync(data.digestKeyFile, digestKey);
    const head = readFileSync(data.headFile);
    rmSync(data.headFile);
    await expect(data.start()).rejects.toMatchObject({ isBroken: true });
    writeFileSync(data.headFile, head);
    expect(await data.start()).toMatchObject({ size: 6 });
    rmSync(data.directory, { recursive: true });
    await expect(data.start()).rejects.toMatchObject({ isBroken: true });
  });
});

describe('a hub with an older database', () => {
  test('takes over its trail with its key, and starts again as any other', async () => {
    using data = createData();
    data.addOldDatabase();
    const { size, vkey, fault } = await data.start();
    expect([size, fault]).toEqual([12, undefined]);
    expect(await data.start()).toMatchObject({ size: 15, vkey });
  });
});

/** Taking over the trail of an older database: what the journal and the export hold, crashes, and databases that do not fit. */
import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type TakeoverDeps, takeOverTrail } from '../../../../src/domain/audit/takeover/take-over.ts';
import { openJournal } from '../../../../src/journal/journal.ts';
import { noteSigner, verifierOf } from '../../../../src/journal/signed-note.ts';
import { createHeadCheck } from '../../../../src/journal/start/head-check.ts';
import { auditRecordSchema } from '../../../../src/shapes/audit.ts';
import { openOldTrail } from '../../../../src/stores/old-trail/old-trail.ts';
import { openLog } from '../../../../src/telemetry/log.ts';
import { readLines } from '../../../support/hub/hub.ts';
import { storedLines } from '../../../support/journal-folder.ts';
import { tamperWith } from '../../../support/store-database.ts';

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../fixtures/old-trail/${name}`, import.meta.url)), 'utf8');
const origin = 'hestia/test';
const signingKey = createPrivateKey(fixture('audit-signing.key'));

/** A data directory with the database of schema version 4. */
async function createOldData() {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-takeover-'));
  const database = join(folder, 'hestia.db');
  const connection = new DatabaseSync(database);
  connection.exec(`PRAGMA synchronous = OFF; BEGIN; ${fixture('version-4.sql')} COMMIT`);
  connection.close();
  const logFile = join(folder, 'hestia.log');
  const log = await openLog({ file: logFile, level: 'info', standardOutput: 'none' });
  const directory = join(folder, 'journal');
  const headFile = join(folder, 'audit.head');
  const takeOver = async (deps: Partial<TakeoverDeps> = {}) => {
    using trail = openOldTrail(database);
    if (trail === undefined) return undefined;
    return await takeOverTrail({ trail, directory, headFile, origin, signingKey, log, now: Date.now, ...deps });
  };
  const open = () => {
    const verifiers = [verifierOf(noteSigner(origin, signingKey).vkey)];
    const check = createHeadCheck({ directory, headFile, origin, verifiers });
    return openJournal({ directory, durability: 'normal', now: Date.now, check });
  };
  return {
    folder,
    database,
    directory,
    headFile,
    takeOver,
    open,
    logged: () => {
      log.flush();
      return readLines(logFile);
    },
    change: (...statements: string[]) => tamperWith(database, statements),
    [Symbol.asyncDispose]: async () => {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('the trail of a database of version 4', () => {
  test('becomes the first records of the journal, with their old numbers and hashes', async () => {
    await using data = await createOldData();
    expect(await data.takeOver()).toEqual({ records: 9, recordsInvalid: 0, fault: undefined });
    await using journal = await data.open();
    const records = (await storedLines(journal)).map(([, line]) => auditRecordSchema.parse(JSON.parse(line)));
    expect(records.map(({ seq, imported }) => [seq, imported?.seq])).toEqual(
      [5, 6, 7, 8, 9, 10, 11, 12, 13].map((old, index) => [index + 1, old]),
    );
    const old = fixture('export.ndjson').split('\n').slice(1);
    const { hash, previous_hash: _, seq, ...content } = JSON.parse(old[0] ?? '');
    expect(records[0]).toEqual({ ...content, seq: 1, imported: { seq, hash } });
  });

  test('names in an outcome the search that it taught', async () => {
    await using data = await createOldData();
    await data.takeOver();
    await using journal = await data.open();
    const credited = (await storedLines(journal)).flatMap(([, line]) => {
      const { fields } = auditRecordSchema.parse(JSON.parse(line));
      return fields.credited_search_id === undefined ? [] : [[fields.call_id, fields.credited_search_id]];
    });
    expect(credited).toEqual([['call_7', 'search_1']]);
  });

  test('is exported byte for byte as the old version exported it, beside the key that it verifies with', async () => {
    await using data = await createOldData();
    await data.takeOver();
    const imported = join(data.directory, 'imported');
    expect(readFileSync(join(imported, 'audit-export.ndjson'), 'utf8')).toBe(fixture('export.ndjson'));
    expect(readFileSync(join(imported, 'audit-public-key.pem'), 'utf8')).toContain('BEGIN PUBLIC KEY');
  });

  test('is signed in both places, so that removing it later is noticed', async () => {
    await using data = await createOldData();
    await data.takeOver();
    const note = readFileSync(data.headFile, 'utf8');
    expect(note.split('\n').slice(0, 2)).toEqual([origin, '9']);
    expect(readFileSync(join(data.directory, 'checkpoint'), 'utf8')).toBe(note);
    rmSync(join(data.directory, 'segments'), { recursive: true });
    await expect(data.open()).rejects.toThrow('it has 0 records');
  });

  test('is logged with the number of records', async () => {
    await using data = await createOldData();
    await data.takeOver();
    await expect.poll(data.logged).toMatchObject([
      { message: 'Taking over the audit trail of the database', records: 9 },
      { message: 'Took over the audit trail of the database', records: 9, records_invalid: 0 },
    ]);
  });

  test('is taken over once', async () => {
    await using data = await createOldData();
    await data.takeOver();
    expect(await data.takeOver()).toBeUndefined();
    await using journal = await data.open();
    expect(journal.size()).toBe(9);
  });

  test('may be empty', async () => {
    await using data = await createOldData();
    data.change('DELETE FROM lessons', 'DELETE FROM audit_records', 'DELETE FROM audit_checkpoints');
    data.change(`UPDATE audit_anchor SET seq = 0, hash = '${'0'.repeat(64)}'`);
    expect(await data.takeOver()).toEqual({ records: 0, recordsInvalid: 0, fault: undefined });
    expect(await data.takeOver()).toBeUndefined();
    await using journal = await data.open();
    expect(journal.size()).toBe(0);
  });

  test('is taken over from version 3 and 2 too, and from no other', async () => {
    for (const [version, isTaken] of [
      [3, true],
      [2, true],
      [1, false],
      [5, false],
    ] as const) {
      await using data = await createOldData();
      data.change(`PRAGMA user_version = ${version}`);
      expect((await data.takeOver()) !== undefined).toBe(isTaken);
      expect(existsSync(data.directory)).toBe(isTaken);
    }
    await using data = await createOldData();
    rmSync(data.database);
    expect(await data.takeOver()).toBeUndefined();
    expect(existsSync(data.database)).toBe(false);
  });
});

describe('a takeover that a crash interrupted', () => {
  test('begins again, also after the head file was written', async () => {
    await using data = await createOldData();
    await data.takeOver();
    // What a crash right before the last step leaves, and half of a draft.
    rmSync(data.directory, { recursive: true });
    mkdirSync(join(`${data.directory}.new`, 'segments'), { recursive: true });
    writeFileSync(join(`${data.directory}.new`, 'segments', '00000000000000000000.ndjson'), '{"agent_id":');
    expect(await data.takeOver()).toMatchObject({ records: 9 });
    expect(readdirSync(data.folder).filter((name) => name.startsWith('journal'))).toEqual(['journal']);
    await using journal = await data.open();
    expect(journal.size()).toBe(9);
  });
});

describe('a trail that does not verify', () => {
  const faults = [
    [
      'an edited record',
      `UPDATE audit_records SET body = replace(body, 'echo', 'ECHO') WHERE seq = 7`,
      7,
      'does not have the hash',
    ],
    ['a removed record', 'DELETE FROM audit_records WHERE seq = 6', 7, 'number 6 was expected'],
    [
      'a removed signed record',
      'DELETE FROM audit_records WHERE seq = 10',
      9,
      'the checkpoint after it signs other records',
    ],
    [
      'an edited checkpoint',
      `UPDATE audit_checkpoints SET body = replace(body, '"time":"2026', '"time":"2025') WHERE number = 2`,
      8,
      'the signature of the checkpoint after it is not valid',
    ],
  ] as const;
  test.each(faults)('is taken over as it is, and reported: %s', async (_, statement, seq, reason) => {
    await using data = await createOldData();
    data.change(statement);
    expect(await data.takeOver()).toMatchObject({ fault: { seq, reason: expect.stringContaining(reason) } });
    await expect
      .poll(() => data.logged().at(-1))
      .toMatchObject({
        message: 'The audit trail of the database does not verify',
        audit_seq: seq,
      });
    await using journal = await data.open();
    expect(journal.size()).toBeGreaterThan(7);
  });

  test('keeps a text that is no record in the export only', async () => {
    await using data = await createOldData();
    data.change(`UPDATE audit_records SET body = '{"seq":7}' WHERE seq = 7`);
    expect(await data.takeOver()).toEqual({
      records: 8,
      recordsInvalid: 1,
      fault: { seq: 7, reason: 'it is not a valid audit record' },
    });
    expect(readFileSync(join(data.directory, 'imported', 'audit-export.ndjson'), 'utf8')).toContain('\n{"seq":7}\n');
  });
});

describe('a takeover is refused', () => {
  test('where a journal is there that does not have the trail', async () => {
    await using data = await createOldData();
    mkdirSync(data.directory);
    await expect(data.takeOver()).rejects.toMatchObject({
      isBroken: true,
      message: expect.stringContaining('up to record 13, was not taken over into this journal'),
    });
  });

  test('where the database got records after its takeover', async () => {
    await using data = await createOldData();
    await data.takeOver();
    data.change(
      `INSERT INTO audit_records (seq, body) SELECT 14, replace(body, '"seq":13', '"seq":14') FROM audit_records WHERE seq = 13`,
    );
    await expect(data.takeOver()).rejects.toThrow('up to record 14, was not taken over');
  });

  test('where the head file is of a longer or another journal', async () => {
    await using data = await createOldData();
    await data.takeOver();
    const head = readFileSync(data.headFile);
    rmSync(data.directory, { recursive: true });
    data.change('DELETE FROM audit_records WHERE seq = 13');
    await expect(data.takeOver()).rejects.toThrow('covers 9: records were removed, or an older copy was put back');
    expect(existsSync(data.directory)).toBe(false);
    expect(readFileSync(data.headFile)).toEqual(head);
    await expect(data.takeOver({ origin: 'hestia/other' })).rejects.toThrow('is not a head that the key of this hub');
  });
});

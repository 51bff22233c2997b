/** The comparison of the journal with its signed heads at the start. Each test attacks a stopped hub. */
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { signCheckpoint } from '../../../src/journal/checkpoint.ts';
import { openCheckpointFiles } from '../../../src/journal/checkpoint-files.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { segmentAt } from '../../../src/journal/segments/segment.ts';
import { type NoteSigner, noteSigner, verifierOf } from '../../../src/journal/signed-note.ts';
import { createHeadCheck, signEmptyJournal } from '../../../src/journal/start/head-check.ts';
import { appendLines, createJournalFolder, storedLines, testLine } from '../../support/journal-folder.ts';

const origin = 'hestia/test';
const newSigner = () => noteSigner(origin, generateKeyPairSync('ed25519').privateKey);

/** A hub's journal with its head file, as it is started, signed and stopped. */
function createSignedJournal() {
  const folder = createJournalFolder();
  const { directory } = folder;
  const headFile = join(dirname(directory), 'other-volume', 'audit.head');
  let signer: NoteSigner | undefined;
  const start = async (limits = {}) => {
    const verifiers = signer && [verifierOf(signer.vkey)];
    const journal = await folder.open({ check: createHeadCheck({ directory, headFile, origin, verifiers }), limits });
    const files = await openCheckpointFiles({ directory, headFile });
    if (signer === undefined) {
      const key = newSigner();
      const sign = (checkpoint: { size: number; root: Buffer }) => signCheckpoint({ origin, ...checkpoint }, [key]);
      await signEmptyJournal({ files, sign, time: '2026-11-27T12:00:00.000Z' });
      signer = key;
    }
    return { journal, files };
  };
  return {
    directory,
    headFile,
    segment: segmentAt(directory, 0).file,
    start,
    loseKey: () => {
      signer = undefined;
    },
    replaceKey: () => {
      signer = newSigner();
    },
    /** Runs a hub that appends `signed` records, signs them, and appends `unsigned` more. */
    run: async ({ signed, unsigned = 0, limits = {} }: { signed: number; unsigned?: number; limits?: object }) => {
      const { journal, files } = await start(limits);
      await using _journal = journal;
      await appendLines(journal, signed);
      await journal.sync();
      const size = journal.size();
      const note = signCheckpoint({ origin, size, root: journal.tree.root() }, signer === undefined ? [] : [signer]);
      await files.append({ size, time: '2026-11-27T12:00:00.000Z', note });
      await files.writeHead(note);
      await appendLines(journal, unsigned);
    },
    /** Starts, and returns what the journal holds. Throws what the start throws. */
    restart: async () => {
      const { journal } = await start();
      await using opened: Journal = journal;
      return await storedLines(opened);
    },
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

const broken = (text: string) => ({ name: 'JournalOpenError', isBroken: true, message: expect.stringContaining(text) });

describe('a journal that is as it was signed', () => {
  test('starts: new, without records, signed completely, and with records after the head', async () => {
    using hub = createSignedJournal();
    expect(await hub.restart()).toEqual([]);
    expect(await hub.restart()).toEqual([]);
    await hub.run({ signed: 3 });
    expect(await hub.restart()).toHaveLength(3);
    await hub.run({ signed: 300, unsigned: 40 });
    expect(await hub.restart()).toHaveLength(343);
  });

  test('starts after a crash between the two copies of a head', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 3 });
    const head = readFileSync(hub.headFile);
    await hub.run({ signed: 3 });
    writeFileSync(hub.headFile, head);
    expect(await hub.restart()).toHaveLength(6);
  });

  test('starts after a crash between the first head and the key', async () => {
    using hub = createSignedJournal();
    await hub.restart();
    hub.loseKey();
    expect(await hub.restart()).toEqual([]);
  });
});

describe('a start is refused', () => {
  test('when an older copy of the journal was put back', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 300 });
    const copy = `${hub.directory}-copy`;
    cpSync(hub.directory, copy, { recursive: true });
    await hub.run({ signed: 100 });
    rmSync(hub.directory, { recursive: true });
    cpSync(copy, hub.directory, { recursive: true });
    await expect(hub.restart()).rejects.toMatchObject(
      broken(`it has 300 records, and the head in ${hub.headFile} covers 400: records were removed, or an older copy`),
    );
  });

  test('when an older copy was put back and grew since', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 300 });
    const copy = `${hub.directory}-copy`;
    cpSync(hub.directory, copy, { recursive: true });
    await hub.run({ signed: 100 });
    rmSync(hub.directory, { recursive: true });
    cpSync(copy, hub.directory, { recursive: true });
    for (let seq = 301; seq <= 500; seq += 1) appendFileSync(hub.segment, `${testLine(seq, { text: 'other' })}\n`);
    await expect(hub.restart()).rejects.toMatchObject(broken('its first 400 records are not the ones that the head'));
  });

  test('when the last records were removed', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    const lines = readFileSync(hub.segment, 'utf8').split('\n');
    writeFileSync(hub.segment, `${lines.slice(0, 9).join('\n')}\n`);
    await expect(hub.restart()).rejects.toMatchObject(broken('it has 9 records'));
  });

  test.each([5, 290])('when record %i was edited', async (seq) => {
    using hub = createSignedJournal();
    await hub.run({ signed: 300 });
    const text = readFileSync(hub.segment, 'utf8');
    writeFileSync(hub.segment, text.replace(`"record ${seq}"`, `"RECORD ${seq}"`));
    await expect(hub.restart()).rejects.toMatchObject(
      broken(seq < 256 ? `record ${seq} is not the one` : 'its first 300'),
    );
  });

  test('when a record was edited and the tiles were deleted', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 300 });
    writeFileSync(hub.segment, readFileSync(hub.segment, 'utf8').replace('"record 5"', '"RECORD 5"'));
    rmSync(join(hub.directory, 'tile'), { recursive: true });
    await expect(hub.restart()).rejects.toMatchObject(broken('its first 300 records are not the ones'));
  });

  test('when a tile was edited', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 300, limits: { segmentBytesMax: 1 } });
    const tile = join(hub.directory, 'tile', '0', '000');
    const bytes = readFileSync(tile);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(tile, bytes);
    await expect(hub.restart()).rejects.toMatchObject(broken('is not'));
  });

  test('when a line was removed in the middle', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    const lines = readFileSync(hub.segment, 'utf8').split('\n');
    writeFileSync(hub.segment, lines.toSpliced(4, 1).join('\n'));
    await expect(hub.restart()).rejects.toMatchObject(broken('its last line is not record 9'));
  });

  test('when a segment was deleted', async () => {
    using hub = createSignedJournal();
    for (let round = 0; round < 3; round += 1) await hub.run({ signed: 10, limits: { segmentBytesMax: 1 } });
    rmSync(segmentAt(hub.directory, 10).file);
    await expect(hub.restart()).rejects.toMatchObject(broken('record 20 does not end it'));
  });

  test('when the journal was deleted and the key is still there', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    rmSync(hub.directory, { recursive: true });
    await expect(hub.restart()).rejects.toMatchObject(
      broken(`${join(hub.directory, 'checkpoint')}, the signed head, is`),
    );
    rmSync(hub.headFile);
    await expect(hub.restart()).rejects.toMatchObject(broken('no head that it signed: the journal was deleted'));
  });

  test('when the key was deleted and the journal is still there', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    hub.loseKey();
    await expect(hub.restart()).rejects.toMatchObject(broken('the signing key is missing, and the journal is not new'));
    rmSync(hub.directory, { recursive: true });
    await expect(hub.restart()).rejects.toMatchObject(broken('the signing key is missing, and the journal is not new'));
  });

  test('when another key took the place of the key', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    hub.replaceKey();
    await expect(hub.restart()).rejects.toMatchObject(broken('is not a head that the key of this hub signed'));
  });

  test('when one of the two heads is missing or edited', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    const note = readFileSync(hub.headFile, 'utf8');
    rmSync(hub.headFile);
    await expect(hub.restart()).rejects.toMatchObject(broken(`${hub.headFile}, the signed head, is missing`));
    writeFileSync(hub.headFile, note.replace('\n10\n', '\n9\n'));
    await expect(hub.restart()).rejects.toMatchObject(broken('is not a head that the key of this hub signed'));
    writeFileSync(hub.headFile, '');
    await expect(hub.restart()).rejects.toMatchObject(broken('is not a head that the key of this hub signed'));
    writeFileSync(hub.headFile, note);
    expect(await hub.restart()).toHaveLength(10);
  });

  test('and changes nothing, not even an incomplete last line', async () => {
    using hub = createSignedJournal();
    await hub.run({ signed: 10 });
    truncateSync(hub.segment, readFileSync(hub.segment).length - 5);
    const before = readFileSync(hub.segment);
    await expect(hub.restart()).rejects.toMatchObject(broken('it has 9 records'));
    expect(readFileSync(hub.segment)).toEqual(before);
    expect(existsSync(hub.headFile)).toBe(true);
  });
});

/** Verification of a journal's folder offline: what holds, and each way to change it while the hub is stopped. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FolderTrust, verifyJournalFolder } from '../../../../src/domain/audit/verification/journal-folder.ts';
import { trustedKey } from '../../../../src/domain/audit/verification/key-ring.ts';
import { newSigner, pruningRecord } from '../../../support/audit/export-lines.ts';
import { createTestJournal, type TestJournal } from '../../../support/audit/test-journal.ts';

/** A journal of 700 records in several segments, with checkpoints over 5, 300 and all of them. */
async function writtenJournal(): Promise<TestJournal> {
  const created = createTestJournal({ segmentBytesMax: 60_000 });
  const open = await created.open();
  for (const count of [5, 295, 400]) {
    await open.write(count);
    await open.checkpointer.runNow();
  }
  await open.close();
  return created;
}

const verify = ({ directory, signer }: TestJournal, trust: Partial<FolderTrust> = {}) =>
  verifyJournalFolder(directory, { keys: [trustedKey(signer.vkey)], ...trust });
const head = ({ headFile }: TestJournal) => readFileSync(headFile, 'utf8');
const flip = (text: string, seq: number) => text.replace(`"tool_name":"tool-${seq}"`, `"tool_name":"tool-X"`);
/** The segment of record `seq`. */
const segmentOf = (journal: TestJournal, seq: number) =>
  journal.segments().findLast((segment) => Number.parseInt(segment, 10) < seq) ?? '';

describe('the folder of a journal that was not touched', () => {
  test('holds, over all its segments and checkpoints', async () => {
    using journal = await writtenJournal();
    expect(journal.segments().length).toBeGreaterThan(3);
    expect(await verify(journal, { kept: [head(journal)] })).toMatchObject({
      intact: true,
      recordsChecked: 700,
      checkpointsChecked: 3,
      recordsUncovered: 0,
      firstSeq: 1,
      lastSeq: 700,
    });
  });

  test('holds after retention, whether or not the tile of the last deleted record is full', async () => {
    for (const records of [0, 400]) {
      using journal = await writtenJournal();
      const open = await journal.open();
      await open.write(records);
      await open.checkpointer.runNow();
      const retired = await open.journal.retire({
        before: Date.UTC(2027, 0, 1),
        coveredSize: open.files.newest()?.size ?? 0,
        announce: async ({ firstSeq }) => void (await open.journal.append((seq) => pruningRecord(seq, firstSeq))),
      });
      expect(retired.records).toBeGreaterThan(500);
      const firstSeq = open.journal.firstSeq();
      await open.checkpointer.prune(firstSeq - 1);
      await open.close();
      const [oldest] = readFileSync(join(journal.directory, 'checkpoints.ndjson'), 'utf8').split('\n');
      expect(JSON.parse(oldest ?? '').size).toBeGreaterThanOrEqual(firstSeq - 1);
      expect(await verify(journal, { kept: [head(journal)] })).toMatchObject({
        intact: true,
        firstSeq,
        lastSeq: 701 + records,
      });
    }
  });

  test('holds with half a line at its end, which is no record', async () => {
    using journal = await writtenJournal();
    journal.rewrite(journal.segments().at(-1) ?? '', (text) => `${text}{"agent_id":"hal`);
    expect(await verify(journal)).toMatchObject({ intact: true, recordsChecked: 700 });
  });

  test('has a tail that no checkpoint covers, if the hub was killed', async () => {
    using journal = await writtenJournal();
    const open = await journal.open();
    await open.write(3);
    await open.journal[Symbol.asyncDispose]();
    expect(await verify(journal)).toMatchObject({ intact: false, firstBad: { seq: 701, lastSeq: 703 } });
    expect(await verify(journal, { allowUnsignedTail: true })).toMatchObject({ intact: true, recordsUncovered: 3 });
  });
});

describe('the folder of a journal that was changed while the hub was stopped', () => {
  const firstBad = async (journal: TestJournal, trust?: Partial<FolderTrust>) => {
    const verdict = await verify(journal, trust);
    expect(verdict.intact).toBe(false);
    return verdict.firstBad;
  };

  test('with one byte flipped is found, and the record and its segment are named', async () => {
    using journal = await writtenJournal();
    const segment = segmentOf(journal, 200);
    journal.rewrite(segment, (text) => flip(text, 200));
    expect(await firstBad(journal)).toEqual({
      seq: 200,
      checkpoint: 300,
      file: `segments/${segment}`,
      reason: 'its bytes were changed: the tile has the hash of others',
    });
  });

  test('with one byte flipped after the last full tile is found, and its range is named', async () => {
    using journal = await writtenJournal();
    journal.rewrite(segmentOf(journal, 690), (text) => flip(text, 690));
    expect(await firstBad(journal)).toMatchObject({ seq: 301, lastSeq: 700, checkpoint: 700 });
  });

  test('with one byte flipped and the tiles removed is found, and its range is named', async () => {
    using journal = await writtenJournal();
    journal.rewrite(segmentOf(journal, 200), (text) => flip(text, 200));
    rmSync(join(journal.directory, 'tile'), { recursive: true });
    expect(await firstBad(journal)).toMatchObject({ seq: 6, lastSeq: 300, checkpoint: 300 });
  });

  test('with a line removed is found at that record', async () => {
    using journal = await writtenJournal();
    const segment = segmentOf(journal, 200);
    journal.rewrite(segment, (text) =>
      text
        .split('\n')
        .filter((line) => !line.includes('"seq":200,'))
        .join('\n'),
    );
    expect(await firstBad(journal)).toMatchObject({ seq: 200, lastSeq: 200, file: `segments/${segment}` });
  });

  test('with a line removed at the end of a segment, or a segment deleted, is found', async () => {
    using journal = await writtenJournal();
    const [, second = '', third = ''] = journal.segments();
    const whole = journal.read(second);
    journal.rewrite(second, (text) => `${text.split('\n').slice(0, -2).join('\n')}\n`);
    const last = Number.parseInt(third, 10);
    expect(await firstBad(journal)).toMatchObject({ seq: last, lastSeq: last, file: `segments/${second}` });
    journal.rewrite(second, () => whole);
    expect(await verify(journal)).toMatchObject({ intact: true });
    journal.remove(second);
    expect(await firstBad(journal)).toMatchObject({
      seq: Number.parseInt(second, 10) + 1,
      lastSeq: last,
      reason: expect.stringContaining('a segment was deleted'),
    });
  });

  test('with the first segment deleted is found: nothing proves that retention did it', async () => {
    using journal = await writtenJournal();
    journal.remove(journal.segments()[0] ?? '');
    const firstSeq = Number.parseInt(journal.segments()[0] ?? '', 10) + 1;
    expect(await firstBad(journal)).toMatchObject({
      seq: 1,
      lastSeq: firstSeq - 1,
      reason: expect.stringContaining('retention'),
    });
  });

  test('with the last segment deleted is found by the newest checkpoint', async () => {
    using journal = await writtenJournal();
    journal.remove(journal.segments().at(-1) ?? '');
    expect(await firstBad(journal)).toMatchObject({
      checkpoint: 700,
      reason: expect.stringContaining('records were removed'),
    });
  });

  test('with all segments deleted, or none signed, is found', async () => {
    using journal = await writtenJournal();
    for (const segment of journal.segments()) journal.remove(segment);
    expect(await firstBad(journal)).toMatchObject({ reason: 'the journal has no records' });
    using unsigned = await writtenJournal();
    rmSync(join(unsigned.directory, 'checkpoints.ndjson'));
    expect(await firstBad(unsigned)).toMatchObject({ reason: expect.stringContaining('no checkpoint') });
  });

  test('with its last records and their checkpoints removed is an older trail, which the head reveals', async () => {
    using journal = await writtenJournal();
    const older = journal.copy();
    const open = await journal.open();
    await open.write(10);
    await open.close();
    const kept = [head(journal)];
    journal.putBack(older);
    expect(await verify(journal)).toMatchObject({ intact: true, lastSeq: 700 });
    expect(await firstBad(journal, { kept })).toMatchObject({
      seq: 701,
      lastSeq: 710,
      checkpoint: 710,
      reason: expect.stringContaining('an older copy was put back'),
    });
  });

  test('with an older list of checkpoints is found by the newest one, which is a file of its own', async () => {
    using journal = await writtenJournal();
    const segment = journal.segments().at(-1) ?? '';
    const list = join(journal.directory, 'checkpoints.ndjson');
    writeFileSync(list, `${readFileSync(list, 'utf8').split('\n').slice(0, 2).join('\n')}\n`);
    for (const later of journal.segments()) if (Number.parseInt(later, 10) > 300) journal.remove(later);
    const last = journal.segments().at(-1) ?? '';
    journal.rewrite(last, (text) => text.slice(0, text.indexOf('\n', text.indexOf('"seq":300,')) + 1));
    expect(last).not.toBe(segment);
    expect(await firstBad(journal)).toMatchObject({ seq: 301, lastSeq: 700, checkpoint: 700 });
    rmSync(join(journal.directory, 'checkpoint'));
    expect(await verify(journal)).toMatchObject({ intact: true, lastSeq: 300 });
  });

  test('with all records written anew, signed by another key, is found', async () => {
    using journal = await writtenJournal();
    using forged = await writtenJournal();
    journal.putBack(forged.copy());
    expect(await firstBad(journal)).toMatchObject({ reason: expect.any(String) });
    expect(await firstBad(journal, { kept: [head(journal)], keys: [trustedKey(forged.signer.vkey)] })).toMatchObject({
      reason: expect.stringContaining('kept elsewhere'),
    });
  });

  test('with its newest checkpoint replaced by a note of another log is found', async () => {
    using journal = await writtenJournal();
    const other = newSigner('hestia/other');
    const lines = readFileSync(join(journal.directory, 'checkpoints.ndjson'), 'utf8').trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '');
    const text = last.note.split('\n\n')[0].replace('hestia/test', 'hestia/other');
    const note = `${text}\n\n${other.sign(`${text}\n`)}`;
    writeFileSync(
      join(journal.directory, 'checkpoints.ndjson'),
      `${[...lines.slice(0, -1), JSON.stringify({ ...last, note })].join('\n')}\n`,
    );
    expect(await firstBad(journal)).toMatchObject({ reason: expect.stringContaining('hestia/other') });
  });
});

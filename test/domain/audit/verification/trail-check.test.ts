/** Verification of an export: what holds, and every way to forge, cut, empty or replace it. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trustedKey } from '../../../../src/domain/audit/verification/key-ring.ts';
import { type TrailTrust, verifyTrail } from '../../../../src/domain/audit/verification/trail-check.ts';
import { growTree, leafHash } from '../../../../src/journal/merkle-tree.ts';
import { recordLine } from '../../../../src/journal/record-line.ts';
import { noteSigner } from '../../../../src/journal/signed-note.ts';
import {
  type ExportParts,
  exportLines,
  json,
  newSigner,
  noteOver,
  pruningRecord,
  testEntry,
  testRecords,
} from '../../../support/audit/export-lines.ts';

const signer = newSigner();
const records = testRecords(11);
const key = trustedKey(signer.vkey);
const signedBy = (...sizes: number[]) => sizes.map((size) => ({ size, signers: [signer] }));
const whole: ExportParts = { records, checkpoints: signedBy(3, 6, 11) };
const lines = exportLines(whole);
/** The same, and its last record says that records before number 11 were deleted. */
const pruned = { ...whole, records: records.with(10, pruningRecord(11, 11)) };
const verify = (changed: readonly string[], trust: TrailTrust = {}) =>
  verifyTrail([changed], { keys: [key], ...trust });
const firstBad = async (changed: readonly string[], trust?: TrailTrust) => (await verify(changed, trust)).firstBad;
/** The index of the line of record `seq`. */
const lineOf = (seq: number) =>
  lines.findIndex((line) => line.startsWith('{"agent_id"') && line.includes(`"seq":${seq},`));
const edited = (line: string) => line.replace('"agent_id":"billing-bot"', '"agent_id":"someone-else"');
const isCheckpoint = (line: string) => line.includes('"type":"hestia.audit.checkpoint/2"');
const end = (members: object) => json({ type: 'hestia.audit.end/2', ...members });

describe('an untouched export', () => {
  test('holds, and its checkpoints cover all records', async () => {
    expect(await verify(lines)).toEqual({
      intact: true,
      recordsChecked: 11,
      checkpointsChecked: 3,
      recordsUncovered: 0,
      origin: 'hestia/test',
      vkeys: [signer.vkey],
      firstSeq: 1,
      lastSeq: 11,
      note: noteOver(records, [signer]),
    });
  });

  test('holds after retention deleted the first records, whether or not a checkpoint ends there', async () => {
    for (const firstSeq of [2, 4, 6, 7, 9, 11]) {
      const verdict = await verify(exportLines({ ...pruned, checkpoints: signedBy(11), firstSeq }));
      expect(verdict).toMatchObject({ intact: true, firstSeq, lastSeq: 11, recordsChecked: 12 - firstSeq });
    }
  });

  test('holds against each of its checkpoints that was kept elsewhere, and those of other sizes', async () => {
    for (let size = 1; size <= 11; size += 1)
      expect(await verify(lines, { kept: [noteOver(records.slice(0, size), [signer])] })).toMatchObject({
        intact: true,
      });
  });

  test('holds with a public key as PEM, whose name is the origin of the log', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const own = noteSigner('hestia/test', privateKey);
    const exported = exportLines({ records, checkpoints: [{ size: 11, signers: [own] }] });
    expect(await verifyTrail([exported], { keys: [trustedKey(pem)] })).toMatchObject({ intact: true });
    expect(await verify(exported)).toMatchObject({ intact: false, checkpointsChecked: 0 });
  });

  test('holds with the key in its header if the reader has none, and names that key', async () => {
    expect(await verifyTrail([lines], {})).toMatchObject({ intact: true, vkeys: [signer.vkey] });
  });
});

/** A line with bits of one byte flipped, as read from a file with that byte. */
function mutated(line: string, place: number, flip: number): string {
  const bytes = Buffer.from(line, 'utf8');
  bytes.writeUInt8(bytes.readUInt8(place) ^ flip, place);
  return bytes.toString('utf8');
}

describe('one changed byte', () => {
  test('is found at every place of every line, of an export that begins with record 1 and of a later one', async () => {
    const small = { records: testRecords(2), checkpoints: signedBy(1, 2) };
    const late = { ...small, records: small.records.with(1, pruningRecord(2, 2)) };
    for (const all of [exportLines(small), exportLines({ ...late, firstSeq: 2 })]) {
      for (const [index, line] of all.entries()) {
        for (let place = 0; place < Buffer.byteLength(line); place += 1) {
          // The lowest bit turns a digit into another digit and a letter into its neighbour.
          const changed = all.with(index, mutated(line, place, 1));
          if ((await verify(changed)).intact) expect({ index, place, line: changed[index] }).toBe('found');
        }
      }
    }
  });

  test('is found with any bits flipped, not after its line unless a checkpoint has to tell', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: lines.length - 1 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (index, place, flip) => {
          const line = lines[index] ?? '';
          const verdict = await verify(lines.with(index, mutated(line, place % Buffer.byteLength(line), flip)));
          expect(verdict.intact).toBe(false);
          const next = lines.findIndex((other, at) => at >= index && isCheckpoint(other));
          expect(verdict.firstBad?.line ?? 0).toBeLessThanOrEqual(Math.max(next, index) + 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('a line that is not canonical JSON is found, whatever it says', async () => {
  for (const [index, line] of lines.entries()) {
    const verdict = await verify(lines.with(index, line.replace('":', '" :')));
    expect(verdict).toMatchObject({ intact: false, firstBad: { line: index + 1 } });
  }
});

describe('an export that was forged', () => {
  test('with a record edited is found, and the checkpoint names the range', async () => {
    expect(await firstBad(lines.with(lineOf(5), edited(lines[lineOf(5)] ?? '')))).toEqual({
      seq: 4,
      lastSeq: 6,
      checkpoint: 6,
      line: lines.findIndex((line) => isCheckpoint(line) && line.includes('"size":6,')) + 1,
      reason: 'these are not the records that it signs',
    });
  });

  test('with a record removed, repeated or moved is found at that record', async () => {
    expect(await firstBad(lines.toSpliced(lineOf(5), 1))).toMatchObject({ seq: 5, lastSeq: 5 });
    expect(await firstBad(lines.toSpliced(lineOf(5), 0, lines[lineOf(5)] ?? ''))).toMatchObject({ seq: 5 });
    const swapped = lines.with(lineOf(5), lines[lineOf(6)] ?? '').with(lineOf(6), lines[lineOf(5)] ?? '');
    expect(await firstBad(swapped)).toMatchObject({ seq: 5 });
  });

  const forgeries: [string, readonly string[]][] = [
    ['edited', records.with(4, edited(records[4] ?? ''))],
    [
      'removed and the rest numbered anew',
      records.slice(1).map((line, at) => line.replace(/"seq":\d+/, `"seq":${at + 1}`)),
    ],
    ['added', [...records, recordLine(testEntry({ agent_id: 'someone-else' }), 12)]],
    ['replaced by none', []],
  ];
  test.each(forgeries)(
    'with records %s and all checkpoints dropped is unsigned, with the right key',
    async (_how, forged) => {
      const unsigned = exportLines({ records: forged, checkpoints: [], vkeys: [signer.vkey] });
      for (const trust of [{}, { allowUnsignedTail: true }, { keys: [] }])
        expect(await verify(unsigned, trust)).toMatchObject({ intact: false, checkpointsChecked: 0 });
    },
  );

  test.each(forgeries)('with records %s and signed by another key is found', async (_how, forged) => {
    const forger = newSigner();
    const checkpoints = [{ size: forged.length, signers: [forger] }];
    for (const vkeys of [[forger.vkey], [signer.vkey], [signer.vkey, forger.vkey]])
      expect(await verify(exportLines({ records: forged, checkpoints, vkeys }))).toMatchObject({ intact: false });
  });

  test('with records edited after the last checkpoint is unsigned from there on', async () => {
    const tail = exportLines({ records, checkpoints: signedBy(3, 6) });
    expect(await firstBad(tail)).toMatchObject({
      seq: 7,
      lastSeq: 11,
      reason: 'no checkpoint of a trusted key covers them: an unsigned tail proves nothing',
    });
    expect(await verify(tail, { allowUnsignedTail: true })).toMatchObject({ intact: true, recordsUncovered: 5 });
  });

  test('without records is refused, even with the checkpoint of all records', async () => {
    const frontier = exportLines({ ...whole, firstSeq: 11 });
    const header = JSON.parse(frontier[0] ?? '');
    const tree = growTree({ size: 0, frontier: [] });
    for (const line of records) tree.append(leafHash(line));
    const note = noteOver(records, [signer]);
    const emptied = [
      json({ ...header, first_seq: 12, frontier: tree.frontier().map((root) => root.toString('base64')) }),
      end({ records: 0, checkpoints: 0, note }),
    ];
    expect(await firstBad(emptied)).toMatchObject({ reason: 'the trail has no records' });
    expect(await firstBad([lines[0] ?? '', end({ records: 0, checkpoints: 0 })])).toMatchObject({
      reason: 'the trail has no records',
    });
  });

  test('with another beginning is found: no checkpoint has the root that follows from it', async () => {
    const late = exportLines({ ...pruned, firstSeq: 6 });
    const header = JSON.parse(late[0] ?? '');
    expect(await firstBad(late.with(0, json({ ...header, frontier: header.frontier.toReversed() })))).toMatchObject({
      checkpoint: 6,
    });
    expect(await firstBad(late.with(0, json({ ...header, frontier: [] })))).toMatchObject({ line: 1 });
    expect(await verify(late)).toMatchObject({ intact: true, firstSeq: 6 });
  });

  test('without its first records is found: a signed record says how far retention went, if it did', async () => {
    const expected = { seq: 1, reason: 'they are missing, and no signed record says that retention deleted them' };
    expect(await firstBad(exportLines({ ...whole, firstSeq: 6 }))).toMatchObject({ ...expected, lastSeq: 5 });
    const further = { ...whole, records: records.with(10, pruningRecord(11, 4)), firstSeq: 6 };
    expect(await firstBad(exportLines(further))).toMatchObject({ ...expected, lastSeq: 5 });
    const unsigned = exportLines({ ...pruned, checkpoints: signedBy(10), firstSeq: 6 });
    expect(await firstBad(unsigned, { allowUnsignedTail: true })).toMatchObject(expected);
  });
});

describe('an export that was cut off', () => {
  test('has no end', async () => {
    for (let kept = 1; kept < lines.length; kept += 1)
      expect(await firstBad(lines.slice(0, kept))).toMatchObject({ reason: expect.stringContaining('cut off') });
  });

  test('and given an end of its own needs a checkpoint over all that is left', async () => {
    const cut = lines.slice(0, lineOf(9));
    const note = noteOver(records.slice(0, 6), [signer]);
    expect(await firstBad([...cut, end({ records: 8, checkpoints: 2, note })])).toMatchObject({ seq: 7, lastSeq: 8 });
    expect(await firstBad([...cut, end({ records: 11, checkpoints: 3, note })])).toMatchObject({
      reason: expect.stringContaining('counts 11 records and 3 checkpoints, but there are 8 and 2'),
    });
  });

  test('at a checkpoint is an older trail, which only a checkpoint kept elsewhere reveals', async () => {
    const older = exportLines({ records: records.slice(0, 6), checkpoints: signedBy(3, 6) });
    expect(await verify(older)).toMatchObject({ intact: true, lastSeq: 6 });
    expect(await firstBad(older, { kept: [noteOver(records, [signer])] })).toMatchObject({
      seq: 7,
      lastSeq: 11,
      checkpoint: 11,
      reason: expect.stringContaining('its end was cut off, or an older copy was put back'),
    });
  });
});

describe('a checkpoint', () => {
  const at = lines.findIndex((line) => isCheckpoint(line) && line.includes('"size":6,'));
  const replaced = (note: string, size = 6) => lines.with(at, json({ type: 'hestia.audit.checkpoint/2', size, note }));

  test('that was left out changes nothing, while a later one covers its records and the end counts it', async () => {
    expect(await verify(exportLines({ ...whole, checkpoints: signedBy(11) }))).toMatchObject({ intact: true });
    expect(await firstBad(lines.toSpliced(at, 1))).toMatchObject({ reason: expect.stringContaining('counts') });
  });

  test('that was moved, repeated or signed for another size is found', async () => {
    expect(await firstBad(lines.toSpliced(at, 1).toSpliced(lineOf(5), 0, lines[at] ?? ''))).toMatchObject({
      checkpoint: 6,
      reason: expect.stringContaining('records were removed'),
    });
    expect(await firstBad(lines.toSpliced(at, 1).toSpliced(lineOf(8), 0, lines[at] ?? ''))).toMatchObject({
      checkpoint: 6,
      reason: expect.stringContaining('covers 6 only'),
    });
    expect(await firstBad(lines.toSpliced(at, 0, lines[at] ?? ''))).toMatchObject({ reason: 'it comes again' });
    expect(await firstBad(replaced(noteOver(records.slice(0, 5), [signer])))).toMatchObject({
      reason: 'its note states 5 records',
    });
  });

  test('of another log with the same key is found', async () => {
    const other = newSigner('hestia/other');
    expect(await firstBad(replaced(noteOver(records.slice(0, 6), [other], 'hestia/other')))).toMatchObject({
      reason: 'it is of the log hestia/other, not hestia/test',
    });
    expect(await firstBad(exportLines({ ...whole, origin: 'hestia/other', vkeys: [other.vkey] }))).toMatchObject({
      reason: 'the trail is the log hestia/other: the key is of the log hestia/test',
    });
  });

  test('does not vouch for a header that names a key of another log, or one that nobody signed for', async () => {
    const reason = 'the header names a key of another log';
    const foreign = exportLines({ ...whole, vkeys: [signer.vkey, newSigner('hestia/other').vkey] });
    for (const trust of [{}, { keys: [] }]) expect(await firstBad(foreign, trust)).toMatchObject({ line: 1, reason });
    expect(await firstBad(exportLines({ ...whole, vkeys: [signer.vkey, newSigner().vkey] }))).toMatchObject({
      reason: expect.stringContaining('neither trusted nor named by a signed rotation'),
    });
  });

  test('whose signature is of an unknown key, or not valid, is found', async () => {
    expect(await firstBad(replaced(noteOver(records.slice(0, 6), [newSigner()])))).toMatchObject({
      checkpoint: 6,
      reason: 'it has no signature of a trusted key',
    });
    const forged = noteOver(records.slice(0, 6), [signer]).replace(/.{6}\n$/, 'AAAA==\n');
    expect(await firstBad(replaced(forged))).toMatchObject({ reason: expect.any(String) });
    const of5 = noteOver(records.slice(0, 5), [signer]).split('\n').at(-2) ?? '';
    const mixed = `${noteOver(records.slice(0, 6), [signer]).split('\n').slice(0, -2).join('\n')}\n${of5}\n`;
    expect(await firstBad(replaced(mixed))).toMatchObject({ checkpoint: 6, reason: 'its signature is not valid' });
  });
});

describe('a checkpoint that was kept elsewhere', () => {
  test('reveals a trail that was written anew and signed with the same key', async () => {
    const forged = exportLines({ ...whole, records: records.with(4, edited(records[4] ?? '')) });
    expect(await verify(forged)).toMatchObject({ intact: true });
    for (const size of [5, 6, 8, 11])
      expect(await firstBad(forged, { kept: [noteOver(records.slice(0, size), [signer])] })).toMatchObject({
        checkpoint: size,
        reason: expect.stringContaining('kept elsewhere'),
      });
    expect(await verify(forged, { kept: [noteOver(records.slice(0, 4), [signer])] })).toMatchObject({ intact: true });
  });

  test('counts only with the signature of a trusted key, of this log', async () => {
    expect(await firstBad(lines, { kept: [noteOver(records, [newSigner()])] })).toMatchObject({
      reason: expect.stringContaining('no valid signature of a trusted key'),
    });
    const other = newSigner('hestia/other');
    expect(await firstBad(lines, { kept: [noteOver(records, [other], 'hestia/other')] })).toMatchObject({
      reason: expect.stringContaining('is of the log hestia/other'),
    });
    expect(await firstBad(lines, { kept: ['AUDIT_CHECKPOINT'] })).toMatchObject({ seq: 0 });
  });

  test('over deleted records cannot be compared, and that is a fault', async () => {
    const late = exportLines({ ...pruned, firstSeq: 6 });
    expect(await firstBad(late, { kept: [noteOver(records.slice(0, 4), [signer])] })).toMatchObject({
      checkpoint: 4,
      reason: expect.stringContaining('retention deleted'),
    });
    expect(await verify(late, { kept: [noteOver(records.slice(0, 5), [signer])] })).toMatchObject({ intact: true });
    expect(await firstBad(late, { kept: [noteOver(testRecords(5, { agent_id: 'x' }), [signer])] })).toMatchObject({
      checkpoint: 5,
    });
  });
});

describe('a trail whose key was rotated', () => {
  const next = newSigner();
  const rotation = (fields: Record<string, string>) =>
    recordLine(testEntry({ kind: 'change', event: 'AUDIT_KEY_ROTATED', fields }), 6);
  const rotated = records.with(5, rotation({ previous_vkey: signer.vkey, vkey: next.vkey }));
  const parts = (rotation: readonly string[], both: number[] = [6, 8]): ExportParts => ({
    records: rotation,
    checkpoints: [
      { size: 3, signers: [signer] },
      ...both.map((size) => ({ size, signers: [signer, next] })),
      { size: 11, signers: [next] },
    ],
  });
  const oldKey = { keys: [key] };
  const newKey = { keys: [trustedKey(next.vkey)] };

  test('holds with the old key and with the new one', async () => {
    for (const trust of [oldKey, newKey, { keys: [key, trustedKey(next.vkey)] }])
      expect(await verifyTrail([exportLines(parts(rotated))], trust)).toMatchObject({
        intact: true,
        recordsUncovered: 0,
      });
    expect((await verifyTrail([exportLines(parts(rotated))], oldKey)).vkeys).toEqual([signer.vkey, next.vkey]);
  });

  test('holds with the old key only if a checkpoint of the old key covers the rotation', async () => {
    expect(await firstBad(exportLines({ ...parts(rotated, []), vkeys: [next.vkey] }))).toMatchObject({
      reason: expect.stringContaining('no signature of a trusted key'),
    });
    const unsigned = parts(rotated, []);
    const once = {
      ...unsigned,
      checkpoints: [
        { size: 5, signers: [signer] },
        { size: 11, signers: [next] },
      ],
    };
    expect(await verifyTrail([exportLines(once)], oldKey)).toMatchObject({ intact: false });
  });

  test('does not trust a key that no record names, or one of another event', async () => {
    for (const named of [
      records,
      records.with(5, recordLine(testEntry({ fields: { vkey: next.vkey, previous_vkey: signer.vkey } }), 6)),
    ])
      expect(await verifyTrail([exportLines(parts(named))], oldKey)).toMatchObject({ intact: false });
  });

  test('does not trust the key of a forged rotation after the last checkpoint', async () => {
    const forged = exportLines({
      records: [...records.slice(0, 5), rotation({ previous_vkey: signer.vkey, vkey: next.vkey }), ...records.slice(6)],
      checkpoints: [
        { size: 3, signers: [signer] },
        { size: 11, signers: [next] },
      ],
    });
    expect(await verifyTrail([forged], oldKey)).toMatchObject({ intact: false });
  });
});

describe('lines that are no export', () => {
  test.each([[[]], [['']], [['{}']], [['{"type":"hestia.audit.export/1"}']]])('%j', async (none) => {
    expect(await verify(none)).toMatchObject({ intact: false, recordsChecked: 0, firstBad: { seq: 0 } });
  });

  test('after the end are found', async () => {
    expect(await firstBad([...lines, records[0] ?? ''])).toMatchObject({ reason: 'there are lines after the end' });
  });
});

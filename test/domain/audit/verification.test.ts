/** Verification of an export: an untouched trail, every kind of tampering, and the reported fault. */
import { generateKeyPairSync, hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chainRecord, genesis } from '../../../src/domain/audit/chain.ts';
import { createCheckpointSigner } from '../../../src/domain/audit/checkpoint.ts';
import { growTree, leafHash } from '../../../src/domain/audit/merkle-tree.ts';
import { verifyTrail } from '../../../src/domain/audit/verification.ts';
import { chainedAuditRecordSchema } from '../../../src/shapes/audit.ts';
import { type AuditCheckpoint, auditCheckpointSchema } from '../../../src/shapes/audit-checkpoint.ts';
import { openTestTrail, type TestTrail } from '../../support/audit-trail.ts';

let trail: TestTrail;
let lines: string[];
/** The same trail after its first two checkpoints were pruned. */
let prunedLines: string[];
let checkpoints: AuditCheckpoint[];
beforeAll(async () => {
  trail = await openTestTrail({ checkpointRecords: 3 });
  await trail.write(11);
  await trail.sign();
  checkpoints = await trail.checkpoints();
  lines = await trail.lines();
  await trail.prune(6);
  prunedLines = await trail.lines();
});
afterAll(() => trail[Symbol.asyncDispose]());

const isCheckpoint = (line: string) =>
  line.includes('"type":"hestia.audit.checkpoint/1"') && !line.includes('export/1');
const verify = (changed: readonly string[], outside: readonly AuditCheckpoint[] = []) =>
  verifyTrail([changed], { publicKey: trail.parts.verifyWith, checkpoints: outside });
/** The index of the line of record `seq`. */
const lineOf = (seq: number) => lines.findIndex((line) => line.includes(`"seq":${seq},`));
const lineOfCheckpoint = (number: number) =>
  lines.findIndex((line) => isCheckpoint(line) && line.includes(`"number":${number},`));

describe('an untouched trail', () => {
  test('verifies: four checkpoints over eleven records, each after the last record it covers', async () => {
    expect(lines.map(isCheckpoint).flatMap((is, index) => (is ? [index] : []))).toEqual([4, 8, 12, 15]);
    expect(await verify(lines)).toEqual({
      intact: true,
      recordsChecked: 11,
      checkpointsChecked: 4,
      recordsUncovered: 0,
      keyId: trail.parts.verifyWith.keyId,
      firstSeq: 1,
      lastSeq: 11,
      headHash: checkpoints[3]?.head_hash,
    });
  });

  test('verifies after its oldest ranges were pruned, and reports its first record', async () => {
    expect(await verify(prunedLines)).toMatchObject({ intact: true, recordsChecked: 5, firstSeq: 7, lastSeq: 11 });
  });

  test('verifies against each of its checkpoints that was stored elsewhere', async () => {
    for (const checkpoint of checkpoints) expect((await verify(lines, [checkpoint])).intact).toBe(true);
    expect((await verify(lines, checkpoints)).intact).toBe(true);
  });

  test('verifies with the key in its header if the reader has none', async () => {
    expect(await verifyTrail([lines], {})).toMatchObject({ intact: true, keyId: trail.parts.verifyWith.keyId });
  });

  test('reports the number of records after the last checkpoint', async () => {
    await using fresh = await openTestTrail();
    await fresh.write(2);
    expect(await fresh.verify()).toMatchObject({ intact: true, recordsUncovered: 2, checkpointsChecked: 0 });
    await fresh.sign();
    await fresh.write(1);
    expect(await fresh.verify()).toMatchObject({ intact: true, recordsUncovered: 1, checkpointsChecked: 1 });
  });
});

/** A line with bits of one byte flipped, as read from a file with that byte. */
function mutated(line: string, place: number, flip: number): string {
  const bytes = Buffer.from(line, 'utf8');
  bytes.writeUInt8(bytes.readUInt8(place) ^ flip, place);
  return bytes.toString('utf8');
}

describe('one changed byte', () => {
  test('is found at every place of every line, of a trail that begins with record 1 and of a pruned one', async () => {
    await using small = await openTestTrail({ checkpointRecords: 1 });
    await small.write(1);
    await small.sign();
    const whole = await small.lines();
    await small.write(1);
    await small.sign();
    await small.prune(1);
    for (const all of [whole, await small.lines()]) {
      for (const [index, line] of all.entries()) {
        for (let place = 0; place < Buffer.byteLength(line); place += 1) {
          // The lowest bit turns a digit into another digit and a letter into its neighbour.
          const changed = all.with(index, mutated(line, place, 1));
          const verdict = await verifyTrail([changed], { publicKey: small.parts.verifyWith });
          if (verdict.intact) expect({ index, place, line: changed[index] }).toBe('found');
        }
      }
    }
  });

  test('is found with any bits flipped, and reported with its line', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: lines.length - 2 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (index, place, flip) => {
          const line = lines[index] ?? '';
          const verdict = await verify(lines.with(index, mutated(line, place % Buffer.byteLength(line), flip)));
          expect(verdict.intact).toBe(false);
          expect(verdict.firstBad?.line).toBe(index + 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the first fault is reported for', () => {
  const firstBad = async (changed: readonly string[], outside?: readonly AuditCheckpoint[]) =>
    (await verify(changed, outside)).firstBad;

  test('a record whose content was changed', async () => {
    const changed = lines.with(lineOf(5), (lines[lineOf(5)] ?? '').replace('tool-5', 'tool-6'));
    expect(await firstBad(changed)).toEqual({
      seq: 5,
      line: lineOf(5) + 1,
      reason: 'its content does not have the hash it states',
    });
  });

  test('a record that was removed, repeated, moved or inserted', async () => {
    const expected = { reason: expect.stringContaining('removed or inserted') };
    expect(await firstBad(lines.toSpliced(lineOf(5), 1))).toMatchObject({ seq: 6, ...expected });
    expect(await firstBad(lines.toSpliced(lineOf(5), 0, lines[lineOf(5)] ?? ''))).toMatchObject({
      seq: 5,
      ...expected,
    });
    const swapped = lines.with(lineOf(5), lines[lineOf(6)] ?? '').with(lineOf(6), lines[lineOf(5)] ?? '');
    expect(await firstBad(swapped)).toMatchObject({ seq: 6, ...expected });
  });

  test('a record that was changed and hashed again: the next record no longer follows', async () => {
    const record = chainedAuditRecordSchema.parse(JSON.parse(lines[lineOf(5)] ?? ''));
    const { seq: _seq, hash: _hash, previous_hash: previous, ...entry } = record;
    const forged = chainRecord({ ...entry, agent_id: 'someone-else' }, { seq: 4, hash: previous });
    expect(await firstBad(lines.with(lineOf(5), forged.body))).toMatchObject({
      seq: 6,
      reason: expect.stringContaining('one of the two was changed'),
    });
  });

  test('a chain that was rewritten from one record on: its checkpoint signs other records', async () => {
    expect(await firstBad(rewrittenFrom(5, lines))).toMatchObject({
      seq: 6,
      checkpoint: 2,
      reason: 'records 4 to 6 are not the records that it signs',
    });
  });

  test('a trail that was rewritten and signed with another key', async () => {
    const forger = createCheckpointSigner(generateKeyPairSync('ed25519').privateKey);
    const forged = signedAgain(rewrittenFrom(5, lines), forger);
    expect(await firstBad(forged)).toMatchObject({ seq: 0, reason: expect.stringContaining('another key') });
    const disguised = forged.with(0, lines[0] ?? '');
    expect(await firstBad(disguised)).toMatchObject({ checkpoint: 1, reason: expect.stringContaining('another key') });
    // Without the key, the forgery cannot be detected. The verdict names the key, so that the reader can compare it.
    expect(await verifyTrail([forged], {})).toMatchObject({ intact: true, keyId: forger.key.key_id });
  });

  test('a trail that was rewritten and signed with the same key: only a checkpoint stored elsewhere reveals it', async () => {
    const forged = signedAgain(rewrittenFrom(5, lines), trail.parts.signer);
    expect(await verify(forged)).toMatchObject({ intact: true });
    expect(await firstBad(forged, [checkpoints[1] ?? missing()])).toMatchObject({
      checkpoint: 2,
      reason: expect.stringContaining('kept elsewhere'),
    });
    expect(await verify(forged, [checkpoints[0] ?? missing()])).toMatchObject({ intact: true });
  });

  test('a checkpoint that was removed, moved or signed for another place', async () => {
    expect(await firstBad(lines.toSpliced(lineOfCheckpoint(2), 1))).toMatchObject({
      checkpoint: 3,
      reason: expect.stringContaining('number 2 was expected'),
    });
    const early = lines
      .toSpliced(lineOfCheckpoint(2), 1)
      .toSpliced(lineOfCheckpoint(1) + 1, 0, lines[lineOfCheckpoint(2)] ?? '');
    expect(await firstBad(early)).toMatchObject({
      checkpoint: 2,
      reason: expect.stringContaining('some were removed'),
    });
    const late = lines
      .toSpliced(lineOfCheckpoint(2) + 2, 0, lines[lineOfCheckpoint(2)] ?? '')
      .toSpliced(lineOfCheckpoint(2), 1);
    expect(await firstBad(late)).toMatchObject({ checkpoint: 2, reason: expect.stringContaining('covers 6 only') });
  });

  test('an end that was cut off: by the missing end line, by its counts, and by a later checkpoint', async () => {
    expect(await firstBad(lines.slice(0, -1))).toMatchObject({ seq: 11, reason: expect.stringContaining('cut off') });
    const shorter = [...lines.slice(0, lineOfCheckpoint(3) + 1), lines.at(-1) ?? ''];
    expect(await firstBad(shorter)).toMatchObject({ reason: expect.stringContaining('counts 11 records') });
    const recounted = shorter.with(-1, '{"checkpoints":3,"records":9,"type":"hestia.audit.end/1"}');
    expect(await verify(recounted)).toMatchObject({ intact: true, lastSeq: 9 });
    expect(await firstBad(recounted, [checkpoints[3] ?? missing()])).toMatchObject({
      seq: 9,
      checkpoint: 4,
      reason: expect.stringContaining('covers record 11: the end was cut off'),
    });
  });

  test('a beginning that was cut off without a checkpoint over it', async () => {
    const header = JSON.parse(lines[0] ?? '');
    const cut = (anchor: object) => [
      canonicalize({ ...header, anchor }) ?? '',
      ...lines.slice(lineOfCheckpoint(1) + 1),
    ];
    const tree = growTree({ size: 0, frontier: [] });
    for (const line of lines.slice(1, 4)) tree.append(leafHash(line));
    const anchor = { seq: 3, hash: checkpoints[0]?.head_hash, frontier: tree.frontier() };
    expect(await firstBad(cut(anchor))).toMatchObject({ reason: expect.stringContaining('no checkpoint covers') });
    expect(await firstBad(cut({ ...anchor, checkpoint: checkpoints[1] }))).toMatchObject({
      reason: expect.stringContaining('to another place'),
    });
    expect(await firstBad(cut({ ...anchor, frontier: tree.frontier().slice(1) }))).toMatchObject({
      reason: expect.stringContaining('not have that size'),
    });
    // A checkpoint over pruned records cannot be compared with them.
    expect(await firstBad(prunedLines, [checkpoints[0] ?? missing()])).toMatchObject({
      checkpoint: 1,
      reason: expect.stringContaining('were pruned'),
    });
    expect((await verify(prunedLines, [checkpoints[1] ?? missing()])).intact).toBe(true);
  });

  test.each([[[]], [['']], [['{}']]])('lines that are not an export: %j', async (none) => {
    expect(await verify(none)).toMatchObject({ intact: false, recordsChecked: 0, firstBad: { seq: 0 } });
  });
});

/** The lines with all records from `seq` on changed, linked and hashed again. */
function rewrittenFrom(seq: number, original: readonly string[]): string[] {
  let head = genesis;
  return original.map((line) => {
    const parsed = chainedAuditRecordSchema.safeParse(JSON.parse(line));
    if (!parsed.success) return line;
    const { seq: number, hash: _hash, previous_hash: _previous, ...entry } = parsed.data;
    const { record, body } = chainRecord(number < seq ? entry : { ...entry, agent_id: 'someone-else' }, head);
    head = record;
    return body;
  });
}

/** The lines with all checkpoints created and signed again, and the header with the key of `signer`. */
function signedAgain(original: readonly string[], signer: ReturnType<typeof createCheckpointSigner>): string[] {
  const tree = growTree({ size: 0, frontier: [] });
  let head = '';
  let previous = genesis.hash;
  return original.map((line, index) => {
    const value = JSON.parse(line);
    if (index === 0) return canonicalize({ ...value, key: signer.key }) ?? '';
    const checkpoint = auditCheckpointSchema.safeParse(value);
    if (checkpoint.success) {
      const { type: _type, key_id: _key, signature: _signature, ...rest } = checkpoint.data;
      const { body } = signer.sign({ ...rest, root_hash: tree.root(), head_hash: head, previous_hash: previous });
      previous = hash('sha256', body);
      return body;
    }
    if (value.hash !== undefined) {
      tree.append(leafHash(line));
      head = value.hash;
    }
    return line;
  });
}

function missing(): never {
  throw new Error('there is no such checkpoint');
}

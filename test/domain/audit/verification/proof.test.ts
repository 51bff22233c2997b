/** Proofs from a real journal: made by the hub's prover, verified with nothing but a trusted key. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TrustedKey, trustedKey } from '../../../../src/domain/audit/verification/key-ring.ts';
import {
  checkInclusion,
  consistencyFault,
  openTrusted,
} from '../../../../src/domain/audit/verification/proof-check.ts';
import { type AuditProver, createAuditProver } from '../../../../src/domain/audit/verification/prover.ts';
import { readCheckpoints } from '../../../../src/journal/checkpoint-reader.ts';
import { newSigner, noteOver, testRecords } from '../../../support/audit/export-lines.ts';
import { createTestJournal, type OpenTestJournal, type TestJournal } from '../../../support/audit/test-journal.ts';

let stored: TestJournal;
let open: OpenTestJournal;
let prover: AuditProver;
let keys: TrustedKey[];
/** Notes by size. */
const notes = new Map<number, string>();

beforeAll(async () => {
  stored = createTestJournal({ segmentBytesMax: 60_000 });
  open = await stored.open();
  for (const count of [7, 250, 43]) {
    await open.write(count);
    await open.checkpointer.runNow();
    notes.set(open.journal.size(), open.files.newest()?.note ?? '');
  }
  await open.write(2);
  keys = [trustedKey(stored.signer.vkey)];
  const checkpoints = (range: { after: number; until: number }) => readCheckpoints(stored.directory, range);
  prover = createAuditProver({ journal: open.journal, checkpoints, newest: open.files.newest });
});
afterAll(async () => {
  await open.close();
  stored[Symbol.dispose]();
});

describe('a proof that a checkpoint includes a record', () => {
  test('holds for each record under each checkpoint', async () => {
    for (const size of notes.keys())
      for (const seq of [1, 2, 7, 8, 255, 256, 257, 258, 300].filter((seq) => seq <= size)) {
        const proof = await prover.inclusion(seq, size);
        expect(proof.line).toContain(`"seq":${seq},`);
        expect(checkInclusion(proof, { seq, keys })).toMatchObject({ size });
      }
    expect(checkInclusion(await prover.inclusion(12, undefined), { seq: 12, keys })).toMatchObject({ size: 300 });
  });

  test('does not hold for a changed record, another record, another path, another key or another log', async () => {
    const proof = await prover.inclusion(12, undefined);
    const other = await prover.inclusion(13, undefined);
    const reasonOf = (changed: { line: string; proof: string }, trusted = keys, seq = 12) =>
      checkInclusion(changed, { seq, keys: trusted });
    const pathOf = 'does not lead from the record to the root';
    expect(reasonOf({ ...proof, line: proof.line.replace('billing', 'biiling') })).toMatchObject({
      reason: expect.stringContaining(pathOf),
    });
    expect(reasonOf({ ...proof, line: other.line })).toMatchObject({ reason: expect.stringContaining('record 13') });
    expect(reasonOf(other)).toMatchObject({ reason: expect.stringContaining('record 13') });
    expect(reasonOf({ ...proof, proof: other.proof.replace('index 12', 'index 11') })).toMatchObject({
      reason: expect.stringContaining(pathOf),
    });
    expect(reasonOf({ ...proof, proof: proof.proof.replace('index 11', 'index 12') })).toMatchObject({
      reason: expect.stringContaining('at place 13'),
    });
    expect(reasonOf(proof, [trustedKey(newSigner().vkey)])).toMatchObject({
      reason: expect.stringContaining('trusted key'),
    });
    expect(reasonOf(proof, [trustedKey(newSigner('hestia/other').vkey)])).toMatchObject({
      reason: expect.stringContaining('the key is of the log hestia/other'),
    });
    expect(reasonOf({ ...proof, proof: 'no proof' })).toMatchObject({ reason: 'the text is not a proof' });
    expect(reasonOf({ ...proof, line: '{}' })).toMatchObject({ reason: 'it is not a valid audit record' });
  });

  test('is refused for a record that is not stored, and until a checkpoint covers it', async () => {
    await expect(prover.inclusion(303, undefined)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(prover.inclusion(301, undefined)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(prover.inclusion(8, 7)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(prover.inclusion(3, 8)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a proof that a checkpoint only adds to an earlier one', () => {
  test('holds between all checkpoints', async () => {
    for (const [from, kept] of notes)
      for (const to of [...notes.keys()].filter((size) => size >= from)) {
        const proof = await prover.consistency(from, to);
        expect(proof).toMatchObject({ from, to, note: notes.get(to) });
        expect(consistencyFault({ kept, proof }, keys)).toBeUndefined();
      }
  });

  test('does not hold with a checkpoint of other records, of another key, or with a changed path', async () => {
    const kept = notes.get(7) ?? '';
    const proof = await prover.consistency(7, undefined);
    const forged = noteOver(testRecords(7, { agent_id: 'someone-else' }), [stored.signer]);
    expect(consistencyFault({ kept: forged, proof }, keys)).toContain('does not only add to it');
    expect(consistencyFault({ kept: noteOver(testRecords(7), [newSigner()]), proof }, keys)).toContain('trusted key');
    expect(consistencyFault({ kept, proof: { ...proof, path: proof.path.toReversed() } }, keys)).toContain('add to it');
    expect(consistencyFault({ kept, proof: { ...proof, note: notes.get(257) ?? '' } }, keys)).toContain('add to it');
    const other = newSigner('hestia/other');
    const otherKept = noteOver(testRecords(7), [other], 'hestia/other');
    expect(consistencyFault({ kept: otherKept, proof }, [...keys, trustedKey(other.vkey)])).toBeDefined();
  });

  test('is refused where no checkpoint covers the earlier one, and backwards', async () => {
    await expect(prover.consistency(301, undefined)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(prover.consistency(257, 7)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(prover.consistency(7, 8)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a checkpoint is opened only with a valid signature of a trusted key', () => {
  const note = notes.get(300) ?? '';
  expect(openTrusted(note, keys)).toMatchObject({ size: 300, origin: 'hestia/test' });
  const lines = note.split('\n');
  const signature = (notes.get(7) ?? '').split('\n').at(-2) ?? '';
  expect(openTrusted([...lines.slice(0, -2), signature, ''].join('\n'), keys)).toMatchObject({
    reason: expect.stringContaining('no valid signature'),
  });
});

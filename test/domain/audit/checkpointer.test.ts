/** The audit trail on a real database: signing, pruning, proofs, scheduled verification, and tampering. */
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consistencyFault, inclusionFault } from '../../../src/domain/audit/proof-verification.ts';
import { trailLines } from '../../../src/domain/audit/trail-lines.ts';
import { verifyTrail } from '../../../src/domain/audit/verification.ts';
import { loadAuditKeys } from '../../../src/stores/audit-key-store.ts';
import { openTestTrail, type TestTrail } from '../../support/audit-trail.ts';

const alarms = ({ reported }: TestTrail) =>
  reported.flatMap((event) => ('name' in event && event.name === 'AUDIT_CHAIN_BROKEN' ? [event.fields] : []));

describe('a checkpoint', () => {
  test('covers at most the configured number of records, and none is signed without new records', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 4 });
    await trail.sign();
    expect(await trail.checkpoints()).toEqual([]);
    await trail.write(10);
    await trail.sign();
    await trail.sign();
    const ranges = (await trail.checkpoints()).map(({ number, first_seq, last_seq }) => [number, first_seq, last_seq]);
    expect(ranges).toEqual([
      [1, 1, 4],
      [2, 5, 8],
      [3, 9, 10],
    ]);
  });

  test('is due after the configured number of records, or seconds after the first of them', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 4, checkpointSeconds: 1 });
    const due = async () => {
      await trail.parts.checkpointer.runDue();
      return (await trail.checkpoints()).length;
    };
    await trail.write(3);
    expect(await due()).toBe(0);
    expect(trail.parts.checkpointer.uncovered()).toBe(3);
    await trail.write(1);
    expect(await due()).toBe(1);
    expect(trail.parts.checkpointer.uncovered()).toBe(0);
    await trail.write(1);
    expect(await due()).toBe(1);
    await expect.poll(due, { timeout: 5000 }).toBe(2);
  });

  test('is logged completely, so that a copy exists elsewhere', async () => {
    await using trail = await openTestTrail();
    await trail.write(3);
    await trail.sign();
    const [checkpoint] = await trail.checkpoints();
    expect(trail.reported.at(-1)).toEqual({
      kind: 'change',
      name: 'AUDIT_CHECKPOINT',
      fields: { checkpoint_number: 1, audit_seq: 3, checkpoint: canonicalize(checkpoint) },
    });
  });

  test('continues the chain of checkpoints after a restart', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 3 });
    await trail.write(4);
    await trail.sign();
    const again = trail.reopened();
    await trail.write(5);
    await again.checkpointer.runNow();
    expect(await trail.verify()).toMatchObject({ intact: true, checkpointsChecked: 4, recordsUncovered: 0 });
  });

  test('is not signed over a changed record: the alarm is raised instead, once an hour', async () => {
    await using trail = await openTestTrail();
    await trail.write(5);
    trail.tamper(`UPDATE audit_records SET body = replace(body, 'tool-3', 'tool-9') WHERE seq = 3`);
    await trail.sign();
    await trail.sign();
    expect(await trail.checkpoints()).toEqual([]);
    expect(alarms(trail)).toMatchObject([{ audit_seq: 3, reason: 'its content does not have the hash it states' }]);
    trail.advance(3_600_000);
    await trail.sign();
    expect(alarms(trail)).toHaveLength(2);
  });
});

describe('the verification of the trail in the database', () => {
  async function signedTrail(): Promise<TestTrail> {
    const trail = await openTestTrail({ checkpointRecords: 4 });
    await trail.write(10);
    await trail.sign();
    return trail;
  }

  test.each([
    [
      'a record was changed',
      `UPDATE audit_records SET body = replace(body, 'tool-6', 'tool-7') WHERE seq = 6`,
      { seq: 6 },
    ],
    ['a record was removed', 'DELETE FROM audit_records WHERE seq = 6', { seq: 7 }],
    ['the last records were removed', 'DELETE FROM audit_records WHERE seq > 8', { seq: 8, checkpoint: 3 }],
    [
      'a checkpoint was changed',
      `UPDATE audit_checkpoints SET body = replace(body, '"first_seq":5', '"first_seq":6') WHERE number = 2`,
      { checkpoint: 2 },
    ],
    ['a checkpoint was removed', 'DELETE FROM audit_checkpoints WHERE number = 2', { checkpoint: 3 }],
    ['the anchor was moved', `UPDATE audit_anchor SET seq = 2, hash = printf('%064d', 0)`, { seq: 2 }],
    [
      'the oldest range was removed, and the anchor moved without the frontier',
      `UPDATE audit_checkpoints SET frontier = '[]' WHERE number = 1;
       UPDATE audit_anchor SET seq = 4, hash = (SELECT hash FROM audit_records WHERE seq = 4);
       DELETE FROM audit_records WHERE seq <= 4`,
      { seq: 4 },
    ],
    [
      'a byte of a record is no longer UTF-8',
      `UPDATE audit_records SET body = CAST(replace(CAST(body AS BLOB), X'746F6F6C2D36', X'746F6F6C2DFF') AS TEXT) WHERE seq = 6`,
      { seq: 6 },
    ],
  ])('%s: it reports the place, and the scheduled verification raises the alarm', async (_what, statement, named) => {
    await using trail = await signedTrail();
    trail.tamper(statement);
    expect(await trail.verify()).toMatchObject({ intact: false, firstBad: named });
    await trail.parts.scheduledVerification.run();
    expect(alarms(trail).length).toBeGreaterThan(0);
  });

  test('raises no alarm about an untouched trail, over several passes of the scheduled verification and prunings', async () => {
    await using trail = await signedTrail();
    for (let pass = 0; pass < 3; pass += 1) {
      await trail.parts.scheduledVerification.run();
      await trail.write(3);
      await trail.sign();
      await trail.prune(4);
    }
    await trail.parts.scheduledVerification.run();
    expect(alarms(trail)).toEqual([]);
  });

  test('the end was removed with its checkpoints: the hub that signed them raises the alarm in the next run', async () => {
    await using trail = await signedTrail();
    trail.tamper('DELETE FROM audit_records WHERE seq > 8', 'DELETE FROM audit_checkpoints WHERE number > 2');
    expect(await trail.verify()).toMatchObject({ intact: true });
    await trail.parts.scheduledVerification.run();
    // The record of the alarm continues from the head before the removal, so that the gap shows in the records too.
    expect(alarms(trail)).toMatchObject([
      { audit_checkpoint: 3, reason: expect.stringContaining('signed last') },
      { audit_seq: 11, reason: expect.stringContaining('number 9 was expected') },
    ]);
  });
});

describe('pruning', () => {
  test('deletes complete signed ranges, oldest first, in batches; the remaining trail verifies and grows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.record({ write: fc.nat({ max: 9 }), limit: fc.integer({ min: 1, max: 9 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (checkpointRecords, rounds) => {
          await using trail = await openTestTrail({ checkpointRecords });
          let total = 0;
          let deleted = 0;
          for (const { write, limit } of rounds) {
            await trail.write(write);
            await trail.sign();
            total += write;
            deleted += await trail.prune(limit);
            const verdict = await trail.verify();
            const { seq } = await trail.auditStore.anchor();
            expect(verdict).toMatchObject({ intact: true, recordsChecked: total - seq });
            expect(deleted).toBeLessThanOrEqual(seq);
            expect(seq === 0 || (await trail.checkpointStore.endingAt(seq)) !== undefined).toBe(true);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('keeps records that were signed after the limit, and records that are not signed', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 4 });
    await trail.write(6);
    const prune = (before: string) =>
      trail.store.database.transaction((tx) => trail.auditStore.prune(tx, { before, limit: 100 }));
    expect(await prune('2999-01-01T00:00:00.000Z')).toBe(0);
    await trail.sign();
    const [first, second] = await trail.checkpoints();
    expect(await prune(first?.time ?? '')).toBe(0);
    expect(await prune(second?.time ?? '')).toBe(4);
    expect((await trail.auditStore.list({ after: 0, limit: 10 })).map(({ seq }) => seq)).toEqual([5, 6]);
  });

  test('of all records leaves a trail that grows and verifies', async () => {
    await using trail = await openTestTrail();
    await trail.write(5);
    await trail.sign();
    expect(await trail.prune()).toBe(5);
    expect(await trail.verify()).toMatchObject({ intact: true, recordsChecked: 0 });
    await trail.write(2);
    await trail.sign();
    expect(await trail.verify()).toMatchObject({ intact: true, firstSeq: 6, lastSeq: 7 });
  });
});

describe('proofs from the database', () => {
  test('verify for every record and between all checkpoints, from stored nodes, before and after pruning', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 130 });
    const key = trail.parts.verifyWith;
    await trail.write(700);
    await trail.sign();
    for (const kept of [0, 3]) {
      if (kept > 0) expect(await trail.prune(390)).toBe(390);
      const checkpoints = await trail.checkpoints();
      for (let seq = kept * 130 + 1; seq <= 700; seq += 23) {
        const proof = await trail.parts.prover.inclusion(seq, undefined);
        expect(proof.record.seq).toBe(seq);
        expect(inclusionFault(proof, key)).toBeUndefined();
        const under = checkpoints.find(({ last_seq }) => last_seq >= seq)?.number;
        expect(inclusionFault(await trail.parts.prover.inclusion(seq, under), key)).toBeUndefined();
      }
      for (const from of checkpoints) {
        for (const to of checkpoints.filter(({ number }) => number >= from.number)) {
          expect(consistencyFault(await trail.parts.prover.consistency(from.number, to.number), key)).toBeUndefined();
        }
      }
    }
  });

  test('do not verify with another record, checkpoint or key', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 4 });
    await using other = await openTestTrail();
    await trail.write(9);
    await trail.sign();
    const key = trail.parts.verifyWith;
    const proof = await trail.parts.prover.inclusion(3, undefined);
    const { record } = proof;
    expect(inclusionFault({ ...proof, record: { ...record, agent_id: 'x' } }, key)).toContain('leaf hash');
    expect(inclusionFault({ ...proof, record: { ...record, writer_id: 'x' } }, key)).toContain('leaf hash');
    const root = { ...proof.checkpoint, root_hash: record.hash };
    expect(inclusionFault({ ...proof, checkpoint: root }, key)).toContain('does not lead');
    const time = { ...proof.checkpoint, time: record.time };
    expect(inclusionFault({ ...proof, checkpoint: time }, key)).toContain('signature');
    expect(inclusionFault(proof, other.parts.verifyWith)).toContain('another key');
    const consistency = await trail.parts.prover.consistency(1, 3);
    expect(consistencyFault({ ...consistency, path: consistency.path.slice(1) }, key)).toContain('only add');
    expect(consistencyFault({ ...consistency, from: { ...consistency.from, time: record.time } }, key)).toContain(
      'signature',
    );
  });

  test('are refused for a record or checkpoint that does not exist, and for a record that the checkpoint does not cover', async () => {
    await using trail = await openTestTrail({ checkpointRecords: 4 });
    await trail.write(4);
    const { prover } = trail.parts;
    await expect(prover.inclusion(1, undefined)).rejects.toMatchObject({ code: 'CONFLICT' });
    await trail.sign();
    await trail.write(1);
    await expect(prover.inclusion(5, 1)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(prover.inclusion(6, undefined)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(prover.inclusion(1, 2)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(prover.consistency(2, 2)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await trail.sign();
    await expect(prover.consistency(2, 1)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('the keys', () => {
  test('are created once, readable by their owner only, and never replaced', async () => {
    await using trail = await openTestTrail();
    const files = readdirSync(trail.store.folder).filter((name) => name.endsWith('.key'));
    expect(files.toSorted()).toEqual(['audit-digest.key', 'audit-signing.key']);
    for (const name of files) expect(statSync(join(trail.store.folder, name)).mode & 0o777).toBe(0o600);
    expect(trail.reopened().sources.key).toEqual(trail.parts.sources.key);
    await trail.write(1);
    await trail.sign();
    rmSync(join(trail.store.folder, 'audit-signing.key'));
    expect(() => trail.reopened()).toThrow('the file is missing, but the audit trail was created with it');
  });

  test('that are not valid stop the start with one line that shows nothing of their content', async () => {
    await using trail = await openTestTrail();
    for (const text of ['', 'secret-secret', 'a'.repeat(64)]) {
      writeFileSync(join(trail.store.folder, 'audit-signing.key'), text);
      const load = () => loadAuditKeys({ directory: trail.store.folder, mayCreate: true });
      expect(load).toThrow(/^[^\n]*audit-signing\.key: the file does not hold a valid key$/);
    }
  });
});

test('a trail that is pruned while it is read is refused with CONFLICT instead of being reported as broken', async () => {
  await using trail = await openTestTrail({ checkpointRecords: 100 });
  await trail.write(400);
  await trail.sign();
  const pages = trailLines(trail.parts.sources);
  await pages.next();
  await trail.prune(300);
  await expect(verifyTrail(pages, { publicKey: trail.parts.verifyWith })).rejects.toMatchObject({ code: 'CONFLICT' });
});

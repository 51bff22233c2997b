/** The writer of the trail: events, changes with their records, and both while the journal or the database fails. */
import { trace } from '@opentelemetry/api';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { HestiaError } from '../../../src/shapes/error.ts';
import type { Transaction } from '../../../src/stores/database.ts';
import { openRecorder, queuedEntry, type Recorder, skillChange } from '../../support/audit/recorder.ts';

/** A change of the state: it adds one to the scheduler's totals. */
function changeOf({ store }: Recorder) {
  const command = store.database.command('UPDATE scheduler_totals SET total_deleted = total_deleted + 1');
  return async (tx: Transaction) => command.run(tx);
}

function totalOf({ store }: Recorder): unknown {
  const row = z.object({ total: z.int() });
  return store.database.query('SELECT total_deleted AS total FROM scheduler_totals', row).first()?.total;
}

describe('an event', () => {
  test('is one record in the journal, and reported after it', async () => {
    await using recorder = await openRecorder();
    expect(await recorder.trail.record(skillChange('a'))).toBe(true);
    expect(await recorder.records()).toMatchObject([{ seq: 1, event: 'SKILL_PUBLISHED', target: 'skill:a' }]);
    expect(recorder.reported).toHaveLength(1);
    expect(recorder.trail.gap()).toBe(0);
  });

  test('does not wait for the database', async () => {
    await using recorder = await openRecorder();
    await recorder.store.database[Symbol.asyncDispose]();
    expect(await recorder.trail.record(skillChange('a'))).toBe(true);
  });

  test('that the journal refuses is reported, logged, and counted in the gap', async () => {
    await using recorder = await openRecorder();
    recorder.refuse(true);
    expect(await recorder.trail.record(skillChange('a'))).toBe(false);
    expect(recorder.logged).toEqual(['An event could not be recorded']);
    expect(recorder.reported).toHaveLength(1);
    expect(recorder.trail.gap()).toBe(1);
  });
});

describe('a change', () => {
  test('is committed with its records, which are in the journal when it returns, and leave the outbox', async () => {
    await using recorder = await openRecorder();
    await recorder.trail.commit([skillChange('a'), skillChange('b')], changeOf(recorder));
    expect(totalOf(recorder)).toBe(1);
    expect(await recorder.records()).toMatchObject([
      { target: 'skill:a', record_id: expect.stringMatching(/^rec_/) },
      { target: 'skill:b' },
    ]);
    await vi.waitFor(async () => expect(await recorder.outboxStore.list()).toEqual([]));
    recorder.ledger.reconcile(recorder.journal.size());
    expect(recorder.trail.gap()).toBe(0);
  });

  test('that fails is not recorded and not reported', async () => {
    await using recorder = await openRecorder();
    const failing = async () => {
      throw new Error('no');
    };
    await expect(recorder.trail.commit(skillChange('a'), failing)).rejects.toThrow('no');
    expect(recorder.journal.size()).toBe(0);
    expect(recorder.reported).toEqual([]);
    expect(await recorder.outboxStore.list()).toEqual([]);
  });

  test('is refused and not made while the journal accepts no records', async () => {
    await using recorder = await openRecorder();
    recorder.refuse(true);
    const refused = recorder.trail.commit(skillChange('a'), changeOf(recorder));
    await expect(refused).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(totalOf(recorder)).toBe(0);
    expect(recorder.trail.gap()).toBe(0);
  });

  test('whose record the journal refuses after the commit is kept; its record waits, and is appended later', async () => {
    await using recorder = await openRecorder();
    recorder.refuse(true, false);
    await recorder.trail.commit(skillChange('a'), changeOf(recorder));
    expect(totalOf(recorder)).toBe(1);
    expect(recorder.trail.gap()).toBe(1);
    await expect(recorder.trail.checkRecording()).rejects.toThrow('1 records of changes wait for the journal');
    recorder.refuse(false);
    await vi.waitFor(() => expect(recorder.trail.gap()).toBe(0), { timeout: 5000 });
    expect(await recorder.records()).toMatchObject([{ target: 'skill:a' }]);
    await expect(recorder.trail.checkRecording()).resolves.toBeUndefined();
  });
});

describe('the outbox of an earlier process', () => {
  test('is appended once: what the journal has already is only deleted', async () => {
    await using recorder = await openRecorder();
    const { store, outboxStore, outbox, journal, trail } = recorder;
    await trail.record(skillChange('before'));
    const entries = ['rec_1', 'rec_2', 'rec_3'].map((id) => queuedEntry(id, id));
    await store.database.transaction(async (tx) => {
      for (const entry of entries) await outboxStore.insert(tx, { entry, journalSize: 1 });
    });
    // A crash came after the second of three appends.
    await outbox.deliver(entries.slice(1, 2));
    await outbox.recover();
    expect(journal.size()).toBe(4);
    const recordIds = (await recorder.records()).flatMap(({ record_id }) => record_id ?? []);
    expect(recordIds.toSorted()).toEqual(['rec_1', 'rec_2', 'rec_3']);
    await vi.waitFor(async () => expect(await outboxStore.list()).toEqual([]));
    recorder.ledger.reconcile(journal.size());
    expect(trail.gap()).toBe(0);
  });

  test('is appended whole to a journal that is shorter than it was', async () => {
    await using recorder = await openRecorder();
    const entry = queuedEntry('a', 'rec_1');
    await recorder.store.database.transaction((tx) => recorder.outboxStore.insert(tx, { entry, journalSize: 500 }));
    await recorder.outbox.recover();
    expect(await recorder.records()).toMatchObject([{ seq: 1, record_id: 'rec_1' }]);
  });
});

describe('audit mode required', () => {
  test('admits nothing while the journal accepts no records, and writes nothing to find out', async () => {
    await using recorder = await openRecorder('required');
    await expect(recorder.trail.admit()).resolves.toBeUndefined();
    recorder.refuse(true);
    const refusal = await recorder.trail.admit().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HestiaError);
    expect(refusal).toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining('was not called') });
    expect(recorder.journal.size()).toBe(0);
  });

  test('of best-effort admits everything', async () => {
    await using recorder = await openRecorder('best-effort');
    recorder.refuse(true);
    await expect(recorder.trail.admit()).resolves.toBeUndefined();
  });
});

describe('an operation', () => {
  test('that ends without a record is logged and counted in the gap', async () => {
    await using recorder = await openRecorder();
    const span = trace.getTracer('test').startSpan('operation');
    await recorder.trail.operation(span, async () => undefined);
    expect(recorder.trail.gap()).toBe(1);
    expect(recorder.logged).toEqual(['An operation ended without a record']);
  });

  test('whose refusal is counted with others has its record', async () => {
    await using recorder = await openRecorder();
    for (let times = 0; times < 3; times += 1) {
      const span = trace.getTracer('test').startSpan('operation');
      const fields = { action: 'tool.call' };
      const event = { kind: 'security', name: 'ACCESS_DENIED', failed: true, fields } as const;
      await recorder.trail.operation(span, () =>
        recorder.trail.refusals.record({ event, by: skillChange('a').by, span }, 'key_1'),
      );
    }
    await recorder.trail.refusals.flush();
    recorder.ledger.reconcile(recorder.journal.size());
    expect(recorder.trail.gap()).toBe(0);
    expect(await recorder.records()).toMatchObject([{ event: 'ACCESS_DENIED' }, { fields: { count: 2 } }]);
  });
});

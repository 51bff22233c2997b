import { DatabaseSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainRecord, genesis, verifyChain } from '../../src/domain/audit-chain.ts';
import { type AuditStore, createAuditStore } from '../../src/stores/audit-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let audit: AuditStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  audit = createAuditStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const time = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString();

const entryOf = (day: number) =>
  ({
    time: time(day),
    kind: 'security',
    event: 'SKILL_CHANGED',
    agent_id: 'a',
    namespace: 'default',
    key_id: 'k',
    trace_id: 't',
    span_id: 's',
    fields: {},
  }) as const;

function append(day: number, changes: { event?: string; agent_id?: string; trace_id?: string } = {}) {
  const entry = { ...entryOf(day), ...changes };
  return store.database.transaction((tx) => audit.append(tx, (head) => chainRecord(entry, head)));
}

async function verdict() {
  const rows = await audit.listRaw({ after: 0, limit: 1000 });
  return verifyChain(
    (async function* () {
      yield rows;
    })(),
    await audit.anchor(),
  );
}

describe('the trail', () => {
  test('begins at the genesis and links each record to the one before', async () => {
    expect(await audit.anchor()).toEqual(genesis);
    const first = await append(1);
    const second = await append(2);
    expect(first).toMatchObject({ seq: 1, previous_hash: genesis.hash });
    expect(second).toMatchObject({ seq: 2, previous_hash: first.hash });
  });

  test('keeps its order under many appends at once', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => append(index + 1)));
    expect(await verdict()).toMatchObject({ intact: true, recordsChecked: 50 });
  });

  test('has no gap where a transaction was rolled back', async () => {
    await append(1);
    await store.database
      .transaction(async (tx) => {
        await audit.append(tx, (head) =>
          chainRecord(
            {
              time: time(2),
              kind: 'change',
              event: 'X',
              agent_id: 'a',
              namespace: 'n',
              key_id: 'k',
              trace_id: 't',
              span_id: 's',
              fields: {},
            },
            head,
          ),
        );
        throw new Error('undone');
      })
      .catch(() => undefined);
    expect((await append(3)).seq).toBe(2);
    expect(await verdict()).toMatchObject({ intact: true, recordsChecked: 2 });
  });

  test('is listed by event, agent and trace, in pages', async () => {
    await append(1, { event: 'A', agent_id: 'x', trace_id: '1' });
    await append(2, { event: 'B', agent_id: 'x', trace_id: '2' });
    await append(3, { event: 'A', agent_id: 'y', trace_id: '2' });
    const seqs = async (query: object) => (await audit.list({ after: 0, limit: 10, ...query })).map(({ seq }) => seq);
    expect(await seqs({})).toEqual([1, 2, 3]);
    expect(await seqs({ event: 'A' })).toEqual([1, 3]);
    expect(await seqs({ agentId: 'x', after: 1 })).toEqual([2]);
    expect(await seqs({ traceId: '2', event: 'A' })).toEqual([3]);
    expect(await seqs({ limit: 2 })).toEqual([1, 2]);
  });

  test('hands out a tampered row as it is, so that it can be reported', async () => {
    await append(1);
    await append(2);
    const tamperer = new DatabaseSync(store.file);
    const change = "UPDATE audit_records SET body = json_set(body, '$.agent_id', 'someone else') WHERE seq = 2";
    expect(() => tamperer.exec(change)).toThrow('append-only');
    const { name } = Object(
      tamperer
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE UPDATE%audit_records%'")
        .get(),
    );
    tamperer.exec(`DROP TRIGGER ${name}`);
    tamperer.exec(change);
    tamperer.close();
    expect(await verdict()).toMatchObject({ intact: false, firstBad: { seq: 2 } });
  });
});

describe('pruning', () => {
  test('takes a prefix in batches, moves the anchor, and the rest verifies', async () => {
    for (const day of [1, 2, 3, 4, 5]) await append(day);
    const prune = (limit: number) => store.database.transaction((tx) => audit.prune(tx, { before: time(4), limit }));
    expect(await prune(2)).toBe(2);
    expect(await prune(2)).toBe(1);
    expect(await prune(2)).toBe(0);
    expect(await audit.anchor()).toMatchObject({ seq: 3 });
    expect(await verdict()).toMatchObject({ intact: true, recordsChecked: 2, firstSeq: 4 });
    expect((await append(6)).seq).toBe(6);
    expect(await verdict()).toMatchObject({ intact: true, lastSeq: 6 });
  });

  test('stops at the first record that is not old, whatever is behind it', async () => {
    await append(1);
    await append(9);
    await append(1);
    expect(await store.database.transaction((tx) => audit.prune(tx, { before: time(5), limit: 10 }))).toBe(1);
    expect((await audit.list({ after: 0, limit: 10 })).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test('of everything leaves a trail that goes on', async () => {
    await append(1);
    await append(2);
    await store.database.transaction((tx) => audit.prune(tx, { before: time(9), limit: 10 }));
    expect((await append(10)).seq).toBe(3);
    expect(await verdict()).toMatchObject({ intact: true, recordsChecked: 1, firstSeq: 3 });
  });
});

describe('a record', () => {
  test('that does not follow the head is refused, and the trail stays as it was', async () => {
    await append(1);
    const stale = store.database.transaction((tx) =>
      audit.append(tx, (head) => ({ ...chainRecord(entryOf(2), head), previous_hash: genesis.hash })),
    );
    await expect(stale).rejects.toThrow('a record holds the hash of the head');
    const skipping = store.database.transaction((tx) =>
      audit.append(tx, (head) => chainRecord(entryOf(2), { ...head, seq: head.seq + 1 })),
    );
    await expect(skipping).rejects.toThrow('a record counts on from the head');
    expect(await audit.listRaw({ after: 0, limit: 10 })).toHaveLength(1);
  });

  test('cannot be deleted before the anchor has passed it', async () => {
    await append(1);
    const tamperer = new DatabaseSync(store.file);
    expect(() => tamperer.exec('DELETE FROM audit_records')).toThrow('deleted only behind the anchor');
    tamperer.close();
    expect(await audit.listRaw({ after: 0, limit: 10 })).toHaveLength(1);
  });

  test('is stored as canonical JSON, from which the filters are read', async () => {
    const record = await append(1, { event: 'A' });
    const [row] = await audit.listRaw({ after: 0, limit: 1 });
    expect(row).toEqual({ seq: 1, body: canonicalize(record) });
  });
});

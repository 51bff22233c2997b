import { DatabaseSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainRecord, checkRecord, genesis } from '../../src/domain/audit/chain.ts';
import { type AuditStore, createAuditStore } from '../../src/stores/audit-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let audit: AuditStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  audit = createAuditStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const all = { after: 0, until: 1000, limit: 10 };
const time = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString();

const entryOf = (day: number) =>
  ({
    writer_id: audit.writerId(),
    time: time(day),
    kind: 'security',
    event: 'SKILL_CHANGED',
    target: 'hub',
    outcome: 'success',
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

/** The number of records that form a valid chain from the anchor on, and the first that does not. */
async function verifyChain() {
  let head = await audit.anchor();
  let recordsChecked = 0;
  for (const { body } of await audit.listRaw({ ...all, limit: 1000 })) {
    const checked = checkRecord(body, head, audit.writerId());
    if ('reason' in checked) return { recordsChecked, firstBad: checked.seq };
    head = checked.record;
    recordsChecked += 1;
  }
  return { recordsChecked };
}

describe('the trail', () => {
  test('begins at the genesis and links each record to the one before', async () => {
    expect(await audit.anchor()).toEqual(genesis);
    const first = await append(1);
    const second = await append(2);
    expect(first).toMatchObject({ seq: 1, previous_hash: genesis.hash });
    expect(second).toMatchObject({ seq: 2, previous_hash: first.hash });
  });

  test('keeps its order under many concurrent appends', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => append(index + 1)));
    expect(await verifyChain()).toEqual({ recordsChecked: 50 });
  });

  test('has no gap after a transaction was rolled back', async () => {
    await append(1);
    await store.database
      .transaction(async (tx) => {
        await audit.append(tx, (head) => chainRecord(entryOf(2), head));
        throw new Error('undone');
      })
      .catch(() => undefined);
    expect((await append(3)).seq).toBe(2);
    expect(await verifyChain()).toEqual({ recordsChecked: 2 });
  });

  test('is listed in pages, filtered by event, agent and trace', async () => {
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

  test('returns a tampered row unchanged, so that it can be reported', async () => {
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
    expect(await verifyChain()).toEqual({ recordsChecked: 1, firstBad: 2 });
  });
});

describe('a record', () => {
  test('that does not follow the head is refused, and the trail is unchanged', async () => {
    await append(1);
    const stale = store.database.transaction((tx) =>
      audit.append(tx, (head) => {
        const { record, body } = chainRecord(entryOf(2), head);
        return { body, record: { ...record, previous_hash: genesis.hash } };
      }),
    );
    await expect(stale).rejects.toThrow('a record holds the hash of the head');
    const skipping = store.database.transaction((tx) =>
      audit.append(tx, (head) => chainRecord(entryOf(2), { ...head, seq: head.seq + 1 })),
    );
    await expect(skipping).rejects.toThrow('a record counts on from the head');
    expect(await audit.listRaw(all)).toHaveLength(1);
  });

  test('holds a writer id that all stores of one database share, and no other database has', async () => {
    const writerId = audit.writerId();
    expect(writerId).toMatch(/^writer_[0-9a-f]{32}$/);
    expect(createAuditStore(store.database).writerId()).toBe(writerId);
    await using other = await openStoreDatabase();
    expect(createAuditStore(other.database).writerId()).not.toBe(writerId);
  });

  test('cannot be deleted while it is after the anchor', async () => {
    await append(1);
    const tamperer = new DatabaseSync(store.file);
    expect(() => tamperer.exec('DELETE FROM audit_records')).toThrow('deleted only behind the anchor');
    tamperer.close();
    expect(await audit.listRaw(all)).toHaveLength(1);
  });

  test('is stored as canonical JSON, from which the filters are read', async () => {
    const record = await append(1, { event: 'A' });
    const [row] = await audit.listRaw({ ...all, limit: 1 });
    expect(row).toEqual({ seq: 1, body: canonicalize(record) });
  });
});

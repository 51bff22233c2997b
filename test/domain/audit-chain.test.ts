import { describe, expect, test } from 'vitest';
import { chainRecord, genesis, recordHash, verifyChain } from '../../src/domain/audit-chain.ts';
import type { AuditRecord } from '../../src/shapes/audit.ts';

function chain(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  let head = genesis;
  for (let index = 1; index <= length; index += 1) {
    const record = chainRecord(
      {
        time: new Date(1_700_000_000_000 + index).toISOString(),
        kind: 'tool_outcome',
        event: 'TOOL_OUTCOME',
        agent_id: 'agent',
        namespace: 'default',
        key_id: 'key',
        trace_id: '0'.repeat(32),
        span_id: '0'.repeat(16),
        fields: { tool_name: `tool-${index}`, latency_ms: index / 3 },
      },
      head,
    );
    records.push(record);
    head = { seq: record.seq, hash: record.hash };
  }
  return records;
}

const stored = (records: readonly AuditRecord[]) =>
  records.map((record) => ({ seq: record.seq, body: JSON.stringify(record) }));

async function* pages(rows: readonly { seq: number; body: string }[]) {
  for (let at = 0; at < rows.length; at += 4) yield rows.slice(at, at + 4);
}

const verify = (rows: readonly { seq: number; body: string }[], anchor = genesis) => verifyChain(pages(rows), anchor);

/** The records with one replaced. */
const replaced = (records: readonly AuditRecord[], at: number, change: (record: AuditRecord) => AuditRecord) =>
  records.map((record, index) => (index === at ? change(record) : record));

describe('an untouched chain', () => {
  test('is intact, from its first record or from an anchor', async () => {
    const records = chain(10);
    expect(await verify(stored(records))).toEqual({
      intact: true,
      recordsChecked: 10,
      firstSeq: 1,
      lastSeq: 10,
      headHash: records[9]?.hash,
    });
    const anchor = { seq: 4, hash: records[3]?.hash ?? '' };
    expect(await verify(stored(records.slice(4)), anchor)).toMatchObject({
      intact: true,
      recordsChecked: 6,
      firstSeq: 5,
    });
    expect(await verify([])).toEqual({ intact: true, recordsChecked: 0, headHash: genesis.hash });
  });

  test('does not depend on the order of the keys in the stored text', async () => {
    const rows = chain(3).map((record) => ({
      seq: record.seq,
      body: JSON.stringify(Object.fromEntries(Object.entries(record).reverse())),
    }));
    expect((await verify(rows)).intact).toBe(true);
  });
});

describe('a chain that was tampered with', () => {
  const records = chain(8);
  const changes: Partial<AuditRecord>[] = [
    { time: '2020-01-01T00:00:00.000Z' },
    { kind: 'security' },
    { event: 'SKILL_CHANGED' },
    { agent_id: 'other' },
    { namespace: 'other' },
    { key_id: 'other' },
    { trace_id: '1'.repeat(32) },
    { span_id: '1'.repeat(16) },
    { fields: { tool_name: 'tool-4', latency_ms: 4 / 3 + 1e-9 } },
    { previous_hash: 'f'.repeat(64) },
    { hash: 'f'.repeat(64) },
  ];

  test.each(changes)('is found at the record that says %j', async (change) => {
    const verdict = await verify(stored(replaced(records, 3, (record) => ({ ...record, ...change }))));
    expect(verdict).toMatchObject({
      intact: false,
      recordsChecked: 3,
      firstBad: { seq: 4, reason: expect.any(String) },
    });
  });

  test('is found where the changed record was hashed anew: the next one does not follow', async () => {
    const forged = replaced(records, 3, ({ hash: _hash, ...rest }) => {
      const changed = { ...rest, agent_id: 'other' };
      return { ...changed, hash: recordHash(changed) };
    });
    expect(await verify(stored(forged))).toMatchObject({
      intact: false,
      firstBad: { seq: 5, reason: expect.stringContaining('before it') },
    });
  });

  test('is found where a record was removed, inserted or moved', async () => {
    const rows = stored(records);
    expect(await verify(rows.toSpliced(3, 1))).toMatchObject({ intact: false, firstBad: { seq: 5 } });
    expect(await verify(rows.toSpliced(3, 0, { seq: 4, body: rows[2]?.body ?? '' }))).toMatchObject({
      intact: false,
      firstBad: { seq: 4 },
    });
    expect(
      await verify([...rows.slice(0, 3), ...rows.slice(4, 5), ...rows.slice(3, 4), ...rows.slice(5)]),
    ).toMatchObject({ intact: false });
    expect(await verify(rows.slice(1))).toMatchObject({ intact: false, firstBad: { seq: 2 } });
  });

  test.each(['', 'not JSON', '{}', 'null', '[]'])('is found where a record is stored as %j', async (body) => {
    const rows = stored(records).map((row) => (row.seq === 4 ? { ...row, body } : row));
    expect(await verify(rows)).toMatchObject({ intact: false, firstBad: { seq: 4 } });
  });
});

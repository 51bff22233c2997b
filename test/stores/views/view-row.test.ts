/** The columns of a record: exactly those lines have them that are valid records by their schema. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditRecordSchema } from '../../../src/shapes/audit.ts';
import { toolErrorTypes } from '../../../src/shapes/audit-log/record-values.ts';
import { recordedOutcome } from '../../../src/stores/views/recorded-outcome.ts';
import { idKey, viewRowOf } from '../../../src/stores/views/view-row.ts';
import { auditEntry, outcomeEntry } from '../../support/views-stage.ts';

const seq = 7;
const records: Record<string, unknown>[] = [
  { ...auditEntry(), seq },
  { ...auditEntry({ arguments_digest: 'a'.repeat(64), result_digest: 'b'.repeat(64), record_id: 'rec_1' }), seq },
  { ...auditEntry(), seq, imported: { seq: 3, hash: 'c'.repeat(64) } },
  { ...outcomeEntry(), seq },
  { ...outcomeEntry({ credited: 'search_1' }), seq },
];

/** Values that a member may be replaced by: valid ones of other members, of other types, at limits. */
const values: unknown[] = [
  ...[undefined, null, true, '', 'x', 0, 1, -1, 1.5, 7, 2 ** 53, [], {}, ['x'], { x: 1 }, { x: {} }, { seq: 3 }],
  ...[
    'A'.repeat(64),
    'a'.repeat(64),
    'a'.repeat(63),
    { seq: 0, hash: 'a'.repeat(64) },
    { seq: 3, hash: 'a'.repeat(64) },
  ],
  ...['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05Z', '2026-02-30T03:04:05.678Z', '2026-01-02', 'January 2, 2026'],
  ...['security', 'tool_outcome', 'success', 'abandoned', 'internal'],
];

const changed = fc
  .record({
    record: fc.constantFrom(...records),
    name: fc.constantFrom('added', ...new Set(records.flatMap((record) => Object.keys(record)))),
    value: fc.constantFrom(...values),
  })
  .map(({ record, name, value }) => ({ ...record, [name]: value }));

describe('a line of the journal', () => {
  test('has columns if it is a valid record with its number, and only then', () => {
    for (const record of records) expect(viewRowOf(JSON.stringify(record), seq)).toBeDefined();
    fc.assert(
      fc.property(changed, (record) => {
        const line = JSON.stringify(record);
        const { data } = auditRecordSchema.safeParse(JSON.parse(line));
        expect(viewRowOf(line, seq) !== undefined).toBe(data?.seq === seq);
      }),
      { numRuns: 5000 },
    );
  });

  test.each(['', 'null', '[]', '1', '{', '{"seq":7}'])('has none if it is %j', (line) => {
    expect(viewRowOf(line, seq)).toBeUndefined();
  });

  test('has none for a number that JSON cannot hold', () => {
    const line = JSON.stringify({ ...auditEntry(), seq, fields: { latency_ms: 1 } }).replace(':1}', ':1e999}');
    expect(viewRowOf(line, seq)).toBeUndefined();
  });
});

describe('the record of a credited outcome', () => {
  const names = ['call_id', 'server_id', 'tool_name', 'latency_ms', 'error_type', 'search_id', 'credited_search_id'];
  const fieldValues = [undefined, true, '', 'x', -1, 0, 1.5, 'call_0192', ...toolErrorTypes];

  test('has the key of its call if the outcome can be read from it, and only then', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.constantFrom(...fieldValues), (name, value) => {
        const entry = outcomeEntry({ credited: 'search_1' });
        const line = JSON.stringify({ ...entry, seq, fields: { ...entry.fields, [name]: value } });
        const record = auditRecordSchema.parse(JSON.parse(line));
        const credited = viewRowOf(line, seq)?.call?.credited;
        if (credited === undefined) expect(() => recordedOutcome(record)).toThrow();
        else {
          const { outcome, creditedSearchId } = recordedOutcome(record);
          expect(credited).toEqual({ call: idKey(outcome.callId), search: idKey(creditedSearchId) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

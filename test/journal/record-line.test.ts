/** The line of an audit record: canonical bytes for any entry, and a bound on its size. */
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fittingEntry, recordBytesMax, recordLine } from '../../src/journal/record-line.ts';
import { type AuditEntry, auditRecordSchema } from '../../src/shapes/audit.ts';

const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed());
const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const entries: fc.Arbitrary<AuditEntry> = fc.record(
  {
    writer_id: text,
    time: fc.constant('2026-01-01T00:00:00.000Z'),
    kind: fc.constantFrom('security', 'monitoring', 'tool_outcome', 'change'),
    event: text,
    target: text,
    outcome: fc.constantFrom('success', 'error', 'timeout', 'abandoned'),
    agent_id: text,
    namespace: text,
    key_id: text,
    trace_id: text,
    span_id: text,
    fields: fc.dictionary(
      fc.stringMatching(/^[a-z][a-z_]{0,11}$/),
      fc.oneof(text, fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    ),
    arguments_digest: digest,
    result_digest: digest,
    record_id: text,
    imported: fc.record({ seq: fc.integer({ min: 1 }), hash: digest }),
  },
  {
    requiredKeys: [
      'writer_id',
      'time',
      'kind',
      'event',
      'target',
      'outcome',
      'agent_id',
      'namespace',
      'key_id',
      'trace_id',
      'span_id',
      'fields',
    ],
  },
);

describe('the line of a record', () => {
  test('is the canonical JSON of the record, for any entry', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1 }), (entry, seq) => {
        expect(recordLine(entry, seq)).toBe(canonicalize({ ...entry, seq }));
      }),
    );
  });

  test('parses as the record, on one line', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = recordLine(entry, 7);
        expect(line).not.toContain('\n');
        expect(recordLine(auditRecordSchema.parse(JSON.parse(line)), 7)).toBe(line);
      }),
    );
  });
});

describe('an entry that is too long for a line', () => {
  const [entry] = fc.sample(entries, 1);
  const long = (length: number, fieldsCount: number): AuditEntry => {
    if (entry === undefined) throw new Error('no sample');
    const fields = Array.from({ length: fieldsCount }, (_, at) => [`field_${at}`, '😀'.repeat(length / 2)]);
    return {
      ...entry,
      target: `tool:${'x'.repeat(length)}`,
      fields: { ...Object.fromEntries(fields), latency_ms: 1.5 },
    };
  };

  test.each([
    [100_000, 1],
    [100_000, 50],
    [70_000, 3],
    [100, 2000],
  ])('is cut to fit: texts of %i characters in %i fields', (length, fieldsCount) => {
    const line = recordLine(fittingEntry(long(length, fieldsCount)), Number.MAX_SAFE_INTEGER);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(recordBytesMax);
    expect(line.isWellFormed()).toBe(true);
  });

  test('says in each cut text how long it was, and keeps the other fields', () => {
    const { target, fields } = fittingEntry(long(100_000, 1));
    expect(target).toMatch(/^tool:x+… \[cut, 100005 characters\]$/);
    expect(fields).toMatchObject({ field_0: expect.stringMatching(/… \[cut, 100000 characters\]$/), latency_ms: 1.5 });
  });

  test('an entry that fits is unchanged', () => {
    const short = long(100, 2);
    expect(fittingEntry(short)).toBe(short);
  });
});

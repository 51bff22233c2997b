/** Reading records from their lines: the fast path accepts only what the complete check accepts. */
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecordLine } from '../../../../src/domain/audit/verification/record-check.ts';
import { recordLine } from '../../../../src/journal/record-line.ts';
import { type AuditEntry, auditRecordSchema } from '../../../../src/shapes/audit.ts';
import { testEntry } from '../../../support/audit/export-lines.ts';

/** The complete check, without a fast path. */
function isCanonicalRecord(line: string): boolean {
  try {
    const parsed = auditRecordSchema.safeParse(JSON.parse(line));
    return parsed.success && canonicalize(parsed.data) === line;
  } catch {
    return false;
  }
}

const isAccepted = (line: string) => !('reason' in readRecordLine(line));
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => value.isWellFormed());
const digest = fc.constantFrom('a'.repeat(64), '0'.repeat(64));
const entry: fc.Arbitrary<AuditEntry> = fc
  .record(
    {
      writer_id: text,
      agent_id: text,
      key_id: text,
      namespace: text,
      target: text,
      record_id: text,
      outcome: fc.constantFrom('success', 'error', 'timeout', 'abandoned'),
      kind: fc.constantFrom('security', 'monitoring', 'tool_outcome', 'change'),
      event: fc.constantFrom('TOOL_OUTCOME', 'KEY_CREATED', 'odd event'),
      time: fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date('2400-01-01') })
        .map((date) => date.toISOString()),
      fields: fc.dictionary(
        fc.oneof(
          fc.constantFrom('tool_name', 'a', 'Z', 'latency_ms', '_x'),
          text.filter((name) => !/^\d|^__proto__$/.test(name)),
        ),
        fc.oneof(text, fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
        { maxKeys: 5, noNullPrototype: true },
      ),
      arguments_digest: digest,
      result_digest: digest,
      imported: fc.record({ seq: fc.integer({ min: 1 }), hash: digest }),
    },
    { requiredKeys: [] },
  )
  .map(testEntry);

describe('the line of a record', () => {
  test('is read if it is canonical, whatever the record holds', () => {
    fc.assert(
      fc.property(entry, fc.integer({ min: 1 }), (some, seq) => {
        const line = recordLine(some, seq);
        expect(line).toBe(canonicalize(JSON.parse(line)));
        expect(readRecordLine(line)).toEqual({ seq, event: some.event, writerId: some.writer_id });
      }),
      { numRuns: 500 },
    );
  });

  test('is refused with any byte changed, unless it is another canonical record', () => {
    fc.assert(
      fc.property(entry, fc.nat(), fc.integer({ min: 0, max: 127 }), (some, place, code) => {
        const line = recordLine(some, 7);
        const at = place % line.length;
        const changed = `${line.slice(0, at)}${String.fromCharCode(code)}${line.slice(at + 1)}`;
        fc.pre(changed.isWellFormed());
        expect(isAccepted(changed)).toBe(isCanonicalRecord(changed));
      }),
      { numRuns: 3000 },
    );
  });

  const line = recordLine(testEntry({ fields: { a: 1, b: 'x', latency_ms: 0.25 } }), 7);
  test.each([
    ['names that are not in order', line.replace('"a":1,"b":"x"', '"b":"x","a":1')],
    ['a name twice', line.replace('"b":"x"', '"a":"x"')],
    ['a number in another form', line.replace('0.25', '0.250')],
    ['an escape that is not needed', line.replace('"x"', '"\\u0078"')],
    ['an escape with capital digits', line.replace('"x"', '"\\u001F"')],
    ['a long escape where a short one exists', line.replace('"x"', '"\\u000a"')],
    ['half a surrogate pair', line.replace('"x"', '"\\ud800"')],
    ['a day that does not exist', line.replace('2026-01-02', '2026-02-30')],
    ['a member that no record has', line.replace('"key_id"', '"key":"x","key_id"')],
    ['a missing member', line.replace('"namespace":"finance",', '')],
    ['white space', line.replace('"a":1', '"a": 1')],
    ['a number of 0', line.replace('"seq":7', '"seq":0')],
    ['a carriage return at its end', `${line}\r`],
  ])('is refused for %s', (_what, changed) => {
    expect(changed).not.toBe(line);
    expect(isAccepted(line)).toBe(true);
    expect(isAccepted(changed)).toBe(false);
  });
});

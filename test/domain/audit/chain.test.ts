/** The hash chain: the canonical bytes and hash of a record, and its link to the record before it. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chainRecord, checkRecord, genesis } from '../../../src/domain/audit/chain.ts';
import type { AuditEntry, ChainedRecord } from '../../../src/shapes/audit.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const entries: fc.Arbitrary<AuditEntry> = fc.record(
  {
    writer_id: text,
    time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
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
      // The hub chooses the names of fields. zod drops this one from any record.
      text.filter((name) => name !== '__proto__'),
      fc.oneof(text, fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      { noNullPrototype: true },
    ),
    arguments_digest: digest,
    result_digest: digest,
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

/** An independent implementation of RFC 8785 for the values of a record: keys in order of UTF-16 code units, ECMAScript number texts. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

const sha256 = (bytes: string) => createHash('sha256').update(bytes, 'utf8').digest('hex');
const chained = (entry: AuditEntry): ChainedRecord => chainRecord(entry, genesis);
const check = (body: string, writerId: string) => checkRecord(body, genesis, writerId);

describe('a record', () => {
  test('is stored in canonical form, with a hash over the canonical form of its other fields', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { record, body } = chained(entry);
        const { hash, ...rest } = record;
        expect(body).toBe(canonical(record));
        expect(body).toBe(canonicalize(record));
        expect(hash).toBe(sha256(canonical(rest)));
      }),
    );
  });

  test('follows the head it was created for, and no other', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { record, body } = chained(entry);
        expect(check(body, entry.writer_id)).toEqual({ record: JSON.parse(body) });
        expect(checkRecord(body, { seq: 1, hash: record.hash }, entry.writer_id)).toMatchObject({
          reason: expect.stringContaining('removed or inserted'),
        });
        expect(checkRecord(body, { seq: 0, hash: record.hash }, entry.writer_id)).toMatchObject({
          reason: expect.stringContaining('the record before it'),
        });
        expect(check(body, `${entry.writer_id}x`)).toMatchObject({ reason: 'it belongs to another writer' });
      }),
    );
  });

  test('is refused if any byte of it changes', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, at, flip) => {
        const bytes = Buffer.from(chained(entry).body, 'utf8');
        const place = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(place) ^ flip, place);
        // Reading a file or a column replaces invalid UTF-8 by another character.
        expect(check(bytes.toString('utf8'), entry.writer_id)).toHaveProperty('reason');
      }),
      { numRuns: 2000 },
    );
  });

  test('is refused in any other form of the same content', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { record, body } = chained(entry);
        for (const other of [
          JSON.stringify(record, null, 1),
          ` ${body}`,
          `${body}\n`,
          JSON.stringify(reversed(record)),
        ])
          expect(check(other, entry.writer_id)).toMatchObject({ reason: expect.stringContaining('canonical') });
      }),
    );
  });

  test.each(['', 'not JSON', '{}', 'null', '[]', '{"seq":1}'])('is not accepted from the text %j', (body) => {
    expect(check(body, 'w')).toEqual({ seq: 1, reason: 'it is not a valid audit record' });
  });

  test('cannot hold text that is not well-formed Unicode, which has no canonical form', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(() => chained({ ...entry, target: '\ud800' })).toThrow();
      }),
      { numRuns: 5 },
    );
  });
});

const reversed = (value: object) => Object.fromEntries(Object.entries(value).reverse());

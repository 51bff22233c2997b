/** The digest of a pinned definition: that of its canonical JSON, whatever the order of keys and of sets. */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { definitionDigest } from '../../../src/domain/scan/tool-definition.ts';

const digestOf = (value: object) => hash('sha256', canonicalize(value) ?? '', 'hex');

/** JSON as servers send it, with keys and texts that writers of JSON treat differently. */
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('10', '9', '__proto__', 'constructor', 'toJSON', 'a', 'B', 'é', '\u{1f600}', '\uff5e', ''),
);
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom('\\ud83d', '"', '\u2028', -0, 1e21, 1e-7, 0.1, null, true),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('json'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(key, tie('json'), { maxKeys: 4 }),
}));
const definition = fc.dictionary(key, json, { maxKeys: 4 }).map((value) => JSON.parse(JSON.stringify(value)));

describe('the digest of a definition', () => {
  test('is the hash of its canonical JSON where no list is a set', () => {
    const check = (value: Record<string, unknown>) => {
      expect(definitionDigest(value)).toBe(digestOf(value));
    };
    fc.assert(fc.property(definition, check), { numRuns: 3000 });
  });

  test('does not depend on the order of lists that are sets, and on that of others', () => {
    const schema = { required: ['b', 'a', 'é'], enum: [10, 9, { x: 1, a: [2, 1] }], prefixItems: [2, 1] };
    const sorted = { required: ['a', 'b', 'é'], enum: [10, 9, { a: [2, 1], x: 1 }], prefixItems: [2, 1] };
    expect(definitionDigest(schema)).toBe(digestOf(sorted));
    expect(definitionDigest({ ...schema, prefixItems: [1, 2] })).not.toBe(definitionDigest(schema));
  });

  test('does not exist for a lone surrogate, and does for its escape in a text', () => {
    for (const text of ['\ud83d', '\udc00', 'x\udfff']) {
      expect(definitionDigest({ text })).toBeUndefined();
      expect(definitionDigest({ [text]: 1 })).toBeUndefined();
      expect(definitionDigest({ enum: [text] })).toBeUndefined();
    }
    const escaped = { text: '\\ud83d \\udfff' };
    expect(definitionDigest(escaped)).toBe(digestOf(escaped));
  });
});

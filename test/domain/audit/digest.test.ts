/** Keyed digests of content, compared with the HMAC of the platform. */
import { createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createContentDigest } from '../../../src/domain/audit/digest.ts';

const hmac = (key: Buffer, content: unknown) =>
  createHmac('sha256', key)
    .update(canonicalize(content) ?? '')
    .digest('hex');

describe('the digest of content', () => {
  test('is the HMAC-SHA-256 of its canonical JSON, for keys of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((found) => Buffer.from(found));
    fc.assert(
      fc.property(
        bytes,
        fc.jsonValue({ maxDepth: 3 }),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        (key, value, text) => {
          const digest = createContentDigest(key);
          for (const content of [{ value, text }, value]) expect(digest(content)).toBe(hmac(key, content));
        },
      ),
    );
  });

  test('does not depend on the digests before it', () => {
    const key = Buffer.alloc(32, 7);
    const digest = createContentDigest(key);
    const first = digest({ a: 1 });
    digest({ b: 'x'.repeat(100_000) });
    expect(digest({ a: 1 })).toBe(first);
  });

  test('is undefined for content that has no canonical form', () => {
    expect(createContentDigest(Buffer.alloc(32))({ text: '\ud800' })).toBeUndefined();
  });
});

/** Untrusted text that is passed on as content. */
import { describe, expect, test } from 'vitest';
import { cleanContent } from '../../src/shapes/text.ts';

describe('text of an upstream server', () => {
  test.each([
    ['plain text', 'relation "users" does not exist', 'relation "users" does not exist'],
    ['lines and tabs', 'a\r\nb\rc\td', 'a\nb\nc\td'],
    [
      'colours and links of a terminal',
      '\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007',
      'red link',
    ],
    ['control characters', 'a\u0000b\u0008c\u0085d\u007f', 'abcd'],
    ['characters that change the direction', 'a\u202eb\u2066c', 'abc'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['letters of all scripts', 'Größe 大小 \u{1f600}', 'Größe 大小 \u{1f600}'],
  ])('with %s is passed on readable and harmless', (_what, text, clean) => {
    expect(cleanContent(text, 100)).toBe(clean);
  });

  test.each([10, 1000])('is cut to %d units, never within a character, whatever its length', (lengthMax) => {
    for (const text of ['x'.repeat(5_000_000), '\u0000'.repeat(5_000_000), '\u{1f600}'.repeat(1_000_000)]) {
      const startedAt = performance.now();
      const clean = cleanContent(text, lengthMax);
      expect(performance.now() - startedAt).toBeLessThan(500);
      expect(clean.length).toBeLessThanOrEqual(lengthMax);
      expect(clean.endsWith('…')).toBe(true);
      expect(clean.isWellFormed()).toBe(true);
    }
  });
});

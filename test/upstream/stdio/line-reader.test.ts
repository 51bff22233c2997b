/** Reading of lines from a stream of bytes. */
import { describe, expect, test } from 'vitest';
import { LineReader } from '../../../src/upstream/stdio/line-reader.ts';

function reading(bytesMax = 1000) {
  const lines: string[] = [];
  let tooLongCount = 0;
  const reader = new LineReader({
    bytesMax,
    onLine: (line) => lines.push(line),
    onTooLong: () => {
      tooLongCount += 1;
    },
  });
  return { reader, lines, tooLongCount: () => tooLongCount };
}

describe('a line reader', () => {
  test('returns the same lines wherever the chunks are cut, also within a character', () => {
    const bytes = Buffer.from('one\n\nzwei é €\r\n𝄞\nrest');
    for (let size = 1; size <= bytes.length; size += 1) {
      const { reader, lines } = reading();
      for (let from = 0; from < bytes.length; from += size) reader.add(bytes.subarray(from, from + size));
      expect(lines).toEqual(['one', '', 'zwei é €\r', '𝄞']);
      reader.add(Buffer.from('\n'));
      expect(lines.at(-1)).toBe('rest');
    }
  });

  test('accepts a line of the longest length, and reports the first longer one once', () => {
    const { reader, lines, tooLongCount } = reading(8);
    reader.add(Buffer.from('12345678\n1234'));
    reader.add(Buffer.from('5678\n12345678'));
    expect([lines, tooLongCount()]).toEqual([['12345678', '12345678'], 0]);
    reader.add(Buffer.from('9'));
    reader.add(Buffer.from('9\nx\n'));
    expect([lines.length, tooLongCount()]).toEqual([2, 1]);
  });

  test('stops within a chunk, if a line makes its owner stop it', () => {
    const lines: string[] = [];
    const reader = new LineReader({
      bytesMax: 100,
      onLine: (line) => {
        lines.push(line);
        reader.stop();
      },
      onTooLong: () => {},
    });
    reader.add(Buffer.from('a\nb\nc'));
    reader.add(Buffer.from('\n'));
    expect(lines).toEqual(['a']);
  });

  // Copying the line at each chunk would move 200 GB.
  test('reads a line of 20 MiB in chunks of 1 KiB in less than 5 seconds', () => {
    const { reader, lines } = reading(30_000_000);
    const chunk = Buffer.alloc(1024, 'x');
    const at = performance.now();
    for (let count = 0; count < 20_480; count += 1) reader.add(chunk);
    reader.add(Buffer.from('\n'));
    expect(lines[0]).toHaveLength(20_971_520);
    expect(performance.now() - at).toBeLessThan(5000);
  });
});

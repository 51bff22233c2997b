/** Standard error of a child on its way to our log, with a clock in hand. */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { logStderr } from '../../src/upstream/stderr-log.ts';
import { createMemoryLog } from '../support/servers/upstream-connection.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function logged() {
  const stream = new PassThrough();
  const log = createMemoryLog();
  logStderr(stream, { serverId: 'noisy', log });
  const lines = () => log.lines.flatMap(({ fields }) => fields.line ?? []);
  const leftOut = () => log.lines.flatMap(({ fields }) => fields.lines_left_out ?? []);
  return { stream, log, lines, leftOut };
}

describe('standard error of a child', () => {
  test('is cut into lines, wherever its chunks are cut, even within a character', () => {
    const { stream, lines } = logged();
    const bytes = Buffer.from('first é\r\n\nsecond\nthi');
    for (const byte of bytes) stream.write(Buffer.of(byte));
    expect(lines()).toEqual(['first é', 'second']);
    stream.write('rd\n');
    expect(lines().at(-1)).toBe('third');
  });

  test('ends with a line that has no end', async () => {
    const { stream, lines } = logged();
    stream.end('last words');
    await vi.waitFor(() => expect(lines()).toEqual(['last words']));
  });

  test('has its lines cut at 1,000 characters', () => {
    const { stream, lines } = logged();
    stream.write(`${'a'.repeat(1000)}\n`);
    for (let part = 0; part < 100; part += 1) stream.write('b'.repeat(10_000));
    stream.write('\nc\n');
    expect(lines()).toEqual(['a'.repeat(1000), `${'b'.repeat(999)}…`, 'c']);
  });

  test('shows no control characters', () => {
    const { stream, lines } = logged();
    stream.write('\u001b[2J forged\rline\n');
    expect(lines()).toEqual(['\\u001b[2J forged\\u000dline']);
  });

  test('gets 20 lines a second, then a count of the rest, then 20 lines again', () => {
    const { stream, lines, leftOut } = logged();
    stream.write('x\n'.repeat(50));
    expect(lines()).toHaveLength(20);
    expect(leftOut()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(leftOut()).toEqual([30]);
    stream.write('y\n'.repeat(3));
    vi.advanceTimersByTime(1000);
    expect(lines()).toHaveLength(23);
    expect(leftOut()).toEqual([30]);
  });
});

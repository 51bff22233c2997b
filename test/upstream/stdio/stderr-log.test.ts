/** The log of the standard error of a child process. */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { logStderr } from '../../../src/upstream/stdio/stderr-log.ts';
import { createMemoryLog } from '../../support/servers/upstream-connection.ts';

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
  const omitted = () => log.lines.flatMap(({ fields }) => fields.lines_left_out ?? []);
  return { stream, log, lines, omitted };
}

describe('standard error of a child process', () => {
  test('is split into lines, also when a chunk ends within a character', () => {
    const { stream, lines } = logged();
    const bytes = Buffer.from('first é\r\n\nsecond\nthi');
    for (const byte of bytes) stream.write(Buffer.of(byte));
    expect(lines()).toEqual(['first é', 'second']);
    stream.write('rd\n');
    expect(lines().at(-1)).toBe('third');
  });

  test('is logged up to a last line without a line break', async () => {
    const { stream, lines } = logged();
    stream.end('last words');
    await vi.waitFor(() => expect(lines()).toEqual(['last words']));
  });

  test('has its lines truncated to 1,000 characters', () => {
    const { stream, lines } = logged();
    stream.write(`${'a'.repeat(1000)}\n`);
    for (let part = 0; part < 100; part += 1) stream.write('b'.repeat(10_000));
    stream.write('\nc\n');
    expect(lines()).toEqual(['a'.repeat(1000), `${'b'.repeat(999)}…`, 'c']);
  });

  test('has its control characters escaped', () => {
    const { stream, lines } = logged();
    stream.write('\u001b[2J forged\rline\n');
    expect(lines()).toEqual(['\\u001b[2J forged\\u000dline']);
  });

  test('is limited to 20 lines a second, followed by the number of omitted lines', () => {
    const { stream, lines, omitted } = logged();
    stream.write('x\n'.repeat(50));
    expect(lines()).toHaveLength(20);
    expect(omitted()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(omitted()).toEqual([30]);
    stream.write('y\n'.repeat(3));
    vi.advanceTimersByTime(1000);
    expect(lines()).toHaveLength(23);
    expect(omitted()).toEqual([30]);
  });
});

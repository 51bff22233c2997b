/** Writing of messages to a process, grouped by the turn of the event loop. */
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TurnWriter } from '../../../src/upstream/stdio/turn-writer.ts';

/** A stream that accepts one write, and the next one after `drain`. */
function slowStream() {
  const writes: string[] = [];
  let accept: (() => void) | undefined;
  const stream = new Writable({
    highWaterMark: 1,
    decodeStrings: false,
    write: (text, _encoding, done) => {
      writes.push(text);
      accept = done;
    },
  });
  return { stream, writes, accept: () => accept?.() };
}

describe('messages to a process', () => {
  test('of one turn are one write', async () => {
    const { stream, writes } = slowStream();
    const writer = new TurnWriter(stream);
    void writer.send('a\n');
    await Promise.resolve();
    void writer.send('b\n');
    expect(writes).toEqual([]);
    await nextTurn();
    expect(writes).toEqual(['a\nb\n']);
  });

  test('wait while the process does not read, and are then one write', async () => {
    const { stream, writes, accept } = slowStream();
    const writer = new TurnWriter(stream);
    await writer.send('a\n');
    const sent = ['b\n', 'c\n'].map((message) => writer.send(message));
    await nextTurn();
    await nextTurn();
    expect(writes).toEqual(['a\n']);
    accept();
    await Promise.all(sent);
    expect(writes).toEqual(['a\n', 'b\nc\n']);
  });

  test('are refused when 64 Mi characters are queued', async () => {
    const { stream } = slowStream();
    const writer = new TurnWriter(stream);
    await writer.send('a\n');
    const half = 'x'.repeat(33_554_432);
    void writer.send(half);
    void writer.send(half);
    await expect(writer.send('b\n')).rejects.toThrow('does not read');
  });

  test('are written before the end, and refused after it', async () => {
    const { stream, writes } = slowStream();
    const writer = new TurnWriter(stream);
    void writer.send('a\n');
    writer.end();
    expect(writes).toEqual(['a\n']);
    await expect(writer.send('b\n')).rejects.toThrow('closed');
  });
});

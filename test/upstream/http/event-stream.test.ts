/** Streams of server-sent events whose messages are rewritten. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rewrittenEvents } from '../../../src/upstream/http/event-stream.ts';

async function rewritten(chunks: Uint8Array[], rewrite: (data: string) => string): Promise<string> {
  return new Response(rewrittenEvents(ReadableStream.from(chunks), rewrite)).text();
}

/** The text as chunks of bytes, cut at these places, also within characters. */
function cut(text: string, places: number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const ends = [...new Set([...places.map((place) => place % bytes.length), bytes.length])].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 20 });

describe('a flood of short events', () => {
  test('lets the event loop turn', async () => {
    const flood = new TextEncoder().encode(': x\n\n'.repeat(200_000));
    let turns = 0;
    let isRead = false;
    const turn = () => {
      turns += 1;
      if (!isRead) setImmediate(turn);
    };
    setImmediate(turn);
    const text = await rewritten([flood], (data) => data);
    isRead = true;
    expect([text.length, turns > 5]).toEqual([flood.length, true]);
  });
});

describe('a stream of events', () => {
  test('is unchanged if its messages are, in any spelling and however it is cut', async () => {
    const lineBreak = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(lineBreak, places, async (end, cuts) => {
        const stream = [': open', '', 'id: 1', 'data: {"ü":1}', '', 'data: a', 'data:b', '', 'data: c', ''].join(end);
        const seen: string[] = [];
        const same = await rewritten(cut(stream, cuts), (data) => {
          seen.push(data);
          return data;
        });
        expect(same).toBe(stream);
        expect(seen).toEqual(['{"ü":1}', 'a\nb', 'c']);
      }),
    );
  });

  test('keeps the other fields of an event whose message is rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const stream = 'id: 7\r\nevent: message\r\ndata: old\r\n\r\n: keep-alive\n\ndata: other\n\n';
        const replaced = await rewritten(cut(stream, cuts), (data) => (data === 'old' ? 'new' : data));
        expect(replaced).toBe('id: 7\nevent: message\ndata: new\n\n: keep-alive\n\ndata: other\n\n');
      }),
    );
  });
});

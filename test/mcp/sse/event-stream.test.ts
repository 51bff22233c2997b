/** The buffer of a stream of events whose client reads slowly or not at all. */
import { describe, expect, test } from 'vitest';
import { createEventStream } from '../../../src/mcp/sse/event-stream.ts';

const large = JSON.stringify('x'.repeat(1_048_576));

/** Whether the promise resolves before all work that is due now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('a stream whose client does not read', () => {
  test('accepts a buffer of events, holds what follows until the client reads, and loses none', async () => {
    const stream = createEventStream(() => {});
    expect(await isSettled(stream.send('message', '1'))).toBe(true);
    const second = stream.send('message', large);
    const third = stream.send('message', '3');
    expect([await isSettled(second), await isSettled(third)]).toEqual([false, false]);
    const reader = stream.response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.endsWith('data: 3\n\n')) text += (await reader?.read())?.value;
    await Promise.all([second, third]);
    expect(text).toBe(`event: message\ndata: 1\n\nevent: message\ndata: ${large}\n\nevent: message\ndata: 3\n\n`);
  });

  test('is reported as dead at the second comment that nobody read', async () => {
    const stream = createEventStream(() => {});
    const waiting = stream.send('message', large);
    expect(await isSettled(waiting)).toBe(false);
    expect([stream.keepAlive(), stream.keepAlive()]).toEqual([true, false]);
  });

  test('lets what waits go when it ends', async () => {
    const stream = createEventStream(() => {});
    void stream.send('message', large);
    const waiting = stream.send('message', '2');
    expect(await isSettled(waiting)).toBe(false);
    stream.end();
    expect(await isSettled(waiting)).toBe(true);
    expect(stream.keepAlive()).toBe(false);
  });
});

describe('a stream', () => {
  test('writes JSON with line breaks as one event', async () => {
    const stream = createEventStream(() => {});
    await stream.send('message', '{\n"a":\r\n1}');
    stream.end();
    expect(await stream.response.text()).toBe('event: message\ndata: { "a": 1}\n\n');
  });

  test('says that its client has disconnected', async () => {
    let cancelled = 0;
    const stream = createEventStream(() => {
      cancelled += 1;
    });
    await stream.response.body?.cancel();
    expect(cancelled).toBe(1);
    await stream.send('message', '1');
  });
});

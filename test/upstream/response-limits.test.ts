/** Limits on responses and results of upstream servers. */
import { describe, expect, test } from 'vitest';
import { limitedResponse, resultFault } from '../../src/upstream/response-limits.ts';

describe('a result', () => {
  const values = ['plain', 'é', '\u0000\n"\\', '\ud800', [1, 2.5, -1e-300, true, null], { 'é"': [{ a: {} }] }, []];
  test.each(values)('is accepted with exactly the bytes of its JSON, and refused with one less: %j', (value) => {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    expect(resultFault(value, bytes)).toBeUndefined();
    expect(resultFault(value, bytes - 1)).toBe('too_large');
  });

  test('is refused when nested deeper than 500 levels', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(resultFault(nested(500), 10_000)).toBeUndefined();
    expect(resultFault(nested(501), 10_000)).toBe('too_deep');
    expect(resultFault(nested(100_000), 1_000_000)).toBe('too_deep');
  });
});

function limited(chunks: string[], contentType: string, bytesMax: number) {
  const calls: string[] = [];
  const response = new Response(ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))), {
    status: 201,
    headers: { 'content-type': contentType },
  });
  const observer = { onExceeded: () => calls.push('exceeded'), onEnded: () => calls.push('ended') };
  return { calls, response: limitedResponse(response, bytesMax, observer) };
}

describe('a response', () => {
  test('within its limit passes with its status and headers', async () => {
    const { calls, response } = limited(['12345', '67890'], 'application/json', 10);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('1234567890');
    expect(calls).toEqual(['ended']);
  });

  test('over its limit fails while it is read', async () => {
    const { calls, response } = limited(['12345', '67890', '1'], 'application/json', 10);
    await expect(response.text()).rejects.toThrow('response too large');
    expect(calls).toEqual(['exceeded']);
  });

  test('without a body is returned unchanged', () => {
    const response = new Response(null, { status: 202 });
    expect(limitedResponse(response, 1, { onExceeded: () => {}, onEnded: () => {} })).toBe(response);
  });

  test.each(['\n\n', '\r\n\r\n', '\r\r'])(
    'of events may have any length if each event is within the limit (%j)',
    async (end) => {
      const event = `data: 12${end}`;
      const { calls, response } = limited(Array(50).fill(event), 'text/event-stream; charset=utf-8', 16);
      expect(await response.text()).toHaveLength(50 * event.length);
      expect(calls).toEqual(['ended']);
    },
  );

  test('of events fails at one that is too long, however it is split into chunks', async () => {
    const { calls, response } = limited(['data: 1\n\ndata: 2', '34567', '890123'], 'text/event-stream', 16);
    await expect(response.text()).rejects.toThrow('response too large');
    expect(calls).toEqual(['exceeded']);
  });
});

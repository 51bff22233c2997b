/** Limits on what an upstream may answer. */
import { describe, expect, test } from 'vitest';
import { limitedResponse, resultFault } from '../../src/upstream/response-limits.ts';

describe('a result', () => {
  const values = ['plain', 'é', '\u0000\n"\\', '\ud800', [1, 2.5, -1e-300, true, null], { 'é"': [{ a: {} }] }, []];
  test.each(values)('is allowed as many bytes as its JSON has, and not one less: %j', (value) => {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    expect(resultFault(value, bytes)).toBeUndefined();
    expect(resultFault(value, bytes - 1)).toBe('too_large');
  });

  test('may be nested, but not without end', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(resultFault(nested(500), 10_000)).toBeUndefined();
    expect(resultFault(nested(501), 10_000)).toBe('too_deep');
    expect(resultFault(nested(100_000), 1_000_000)).toBe('too_deep');
  });
});

function limited(chunks: string[], contentType: string, bytesMax: number) {
  const seen: string[] = [];
  const response = new Response(ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))), {
    status: 201,
    headers: { 'content-type': contentType },
  });
  const watcher = { onExceeded: () => seen.push('exceeded'), onEnded: () => seen.push('ended') };
  return { seen, response: limitedResponse(response, bytesMax, watcher) };
}

describe('a response', () => {
  test('within its limit comes through, status and headers too', async () => {
    const { seen, response } = limited(['12345', '67890'], 'application/json', 10);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('1234567890');
    expect(seen).toEqual(['ended']);
  });

  test('over its limit breaks off', async () => {
    const { seen, response } = limited(['12345', '67890', '1'], 'application/json', 10);
    await expect(response.text()).rejects.toThrow('response too large');
    expect(seen).toEqual(['exceeded']);
  });

  test('without a body is left as it is', () => {
    const response = new Response(null, { status: 202 });
    expect(limitedResponse(response, 1, { onExceeded: () => {}, onEnded: () => {} })).toBe(response);
  });

  test.each(['\n\n', '\r\n\r\n', '\r\r'])(
    'of events may go on for as long as each is within the limit (%j)',
    async (end) => {
      const event = `data: 12${end}`;
      const { seen, response } = limited(Array(50).fill(event), 'text/event-stream; charset=utf-8', 16);
      expect(await response.text()).toHaveLength(50 * event.length);
      expect(seen).toEqual(['ended']);
    },
  );

  test('of events breaks off at one that is too long, wherever it is cut', async () => {
    const { seen, response } = limited(['data: 1\n\ndata: 2', '34567', '890123'], 'text/event-stream', 16);
    await expect(response.text()).rejects.toThrow('response too large');
    expect(seen).toEqual(['exceeded']);
  });
});

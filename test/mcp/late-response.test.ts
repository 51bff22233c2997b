/** Responses that take long: their connection is kept alive, on the endpoint as it is and with short intervals. */
import { describe, expect, test } from 'vitest';
import { type Answer, keptAlive } from '../../src/mcp/late-response.ts';
import { json } from '../support/hub/hub.ts';
import { startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

const accept = 'application/json, text/event-stream';

/** The response to an answer that comes after the first comment; `end` is what follows the comments. */
async function lateResponse(answer: Answer | Error): Promise<{ response: Response; end: () => Promise<string> }> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const response = await keptAlive(promise, accept, 1);
  if (typeof response === 'string') throw new Error('the response is not late');
  const end = async () => {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    expect(first?.value).toBe(': keep-alive\n\n');
    if (answer instanceof Error) reject(answer);
    else resolve(answer);
    let text = '';
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    return text.replaceAll(': keep-alive\n\n', '');
  };
  return { response, end };
}

describe('an answer that is there in time', () => {
  test('is returned as it is', async () => {
    expect(await keptAlive(Promise.resolve('{}'), accept)).toBe('{}');
    const response = new Response('x', { status: 400 });
    expect(await keptAlive(Promise.resolve(response), accept)).toBe(response);
  });

  test('fails as it does', async () => {
    await expect(keptAlive(Promise.reject(new Error('failed')), accept)).rejects.toThrow('failed');
  });
});

describe('an answer that is late', () => {
  test.each<[string, Answer, string]>([
    ['a message', '{"id":1}', 'event: message\ndata: {"id":1}\n\n'],
    ['a response of JSON', Response.json({ id: 1 }), 'event: message\ndata: {"id":1}\n\n'],
    ['a stream', new Response('data: 1\n\n', { headers: { 'content-type': 'text/event-stream' } }), 'data: 1\n\n'],
    ['a response without content', new Response(null, { status: 202 }), ''],
  ])('is the end of a stream of comments: %s', async (_what, answer, expected) => {
    const { response, end } = await lateResponse(answer);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await end()).toBe(expected);
  });

  test('fails the stream if it fails', async () => {
    const { end } = await lateResponse(new Error('failed'));
    await expect(end()).rejects.toThrow('failed');
  });

  test('is waited for if the client accepts no stream', async () => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const kept = keptAlive(promise, 'application/json', 1);
    setTimeout(resolve, 20, '{}');
    expect(await kept).toBe('{}');
  });
});

describe('a silent call of a client that requests no progress', () => {
  test('has comments on its stream, and ends as abandoned when the client disconnects', async () => {
    await using hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
    await untilConnected(hub, 'faulty');
    const disconnect = new AbortController();
    const response = await fetch(`${hub.url}/mcp`, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json', authorization: `Bearer ${hub.operator.secret}` },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'call_mcp_tool', arguments: { server_id: 'faulty', tool_name: 'hang', timeout_ms: 120_000 } },
      }),
      signal: disconnect.signal,
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const first = await response.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toBe(': keep-alive\n\n');
    disconnect.abort();
    await expect
      .poll(async () => (await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME'))).items[0]?.fields)
      .toMatchObject({ tool_name: 'hang', outcome: 'abandoned', error_type: 'cancelled' });
  });
});

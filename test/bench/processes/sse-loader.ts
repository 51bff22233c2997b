/** Load for servers of MCP over HTTP with server-sent events (protocol 2024-11-05). */
import { request } from 'undici';
import { type HttpLoader, loadSlice, toolsCall } from '../load.ts';

/** Opens the event stream and a session. A response for which `isAnswer` is false fails the run. */
export async function sseLoader(
  url: string,
  call: { name: string; args: object; isAnswer: (body: string) => boolean; pid: number },
): Promise<HttpLoader> {
  const leaving = new AbortController();
  const { body } = await request(url, { headers: { accept: 'text/event-stream' }, signal: leaving.signal });
  const waiting = new Map<number, (data: string) => void>();
  const { promise: endpoint, resolve: onEndpoint } = Promise.withResolvers<string>();
  let text = '';
  body.setEncoding('utf8');
  body.on('error', () => undefined);
  body.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: ?(.*)$/m.exec(text.slice(0, end))?.[1] ?? '';
      if (text.startsWith('event: endpoint')) onEndpoint(data);
      else deliver(waiting, data);
      text = text.slice(end + 2);
    }
  });
  const postUrl = new URL(await endpoint, url);
  const headers = { 'content-type': 'application/json' };
  const post = async (message: string) => {
    const response = await request(postUrl, { method: 'POST', headers, body: message });
    await response.body.dump();
  };
  const send = async (id: number, message: string): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.set(id, resolve);
    await post(message);
    return promise;
  };
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } };
  await send(0, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }));
  await post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  const message = toolsCall(call.name, call.args);
  let id = 0;
  const once = async () => {
    id += 1;
    const answer = await send(id, message(id));
    if (!call.isAnswer(answer)) throw new Error(`${url} answered ${answer.slice(0, 300)}`);
  };
  return {
    call: once,
    subject: (name, inFlight) => ({
      name,
      slice: (durationMs) => loadSlice(once, { durationMs, inFlight, pid: call.pid }),
    }),
    [Symbol.asyncDispose]: async () => leaving.abort(),
  };
}

function deliver(waiting: Map<number, (data: string) => void>, data: string): void {
  const id = Number(/"id":(\d+)/.exec(data)?.[1]);
  waiting.get(id)?.(data);
  waiting.delete(id);
}

/**
 * Requests to upstream servers by undici's own interface under the library's `fetch` option. A response that is not a
 * stream is read whole and limited, without the streams of the platform: a third of what the global fetch costs.
 */

import { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { type BodyWatcher, limitedResponse } from './byte-limit.ts';

/** What the library calls in place of the global fetch. */
export type HttpFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Requests over connections that are kept open. */
export interface HttpRequests {
  /**
   * As the global fetch with `redirect: 'manual'`, for bodies that are texts. The body is limited to `bytesMax` bytes,
   * or, where it is a stream of events, to as many between two blank lines.
   * @throws what undici throws; an AbortError where `init.signal` aborts
   */
  fetch(url: string | URL, init: RequestInit | undefined, watcher: BodyWatcher): Promise<Response>;
  /** Ends the connections, idle or not. */
  close(): Promise<void>;
}

/** Prepares requests; `bytesMax` limits each response. No time is limited here: the deadlines are the callers' signals. */
export function createHttpRequests(bytesMax: number): HttpRequests {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    fetch: async (url, init = {}, watcher) => {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        method: init.method === 'POST' || init.method === 'DELETE' ? init.method : 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        body: typeof init.body === 'string' ? init.body : null,
        signal: init.signal ?? null,
      });
      const plain = plainHeaders(headers);
      if (plain['content-type']?.startsWith('text/event-stream')) {
        const stream = new Response(Readable.toWeb(body), { status: statusCode, headers: plain });
        return limitedResponse(stream, bytesMax, watcher);
      }
      return new WholeResponse(await readWhole(body, bytesMax, watcher), { status: statusCode, headers: plain });
    },
    close: () => dispatcher.destroy(),
  };
}

/** A response whose body has been read to its end. */
class WholeResponse extends Response {
  override readonly text: () => Promise<string>;
  override readonly json: () => Promise<unknown>;

  constructor(body: string, init: ResponseInit) {
    super(null, init);
    this.text = async () => body;
    this.json = async () => JSON.parse(body);
  }
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return plain;
}

async function readWhole(body: Readable, bytesMax: number, watcher: BodyWatcher): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      watcher.onExceeded();
      throw new Error('response too large');
    }
    chunks.push(chunk);
  }
  watcher.onEnded();
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Requests to upstream servers by undici's own interface. An answer that is not a stream is read whole and limited, without
 * the Headers, Response and streams of the platform, which cost more than the request; `fetch` makes them for the library.
 */
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { type BodyWatcher, limitedResponse } from './response-limits.ts';

/** One request; `body` is JSON text. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal | null;
}

/** An answer with its body: a text that has been read to its end, or a stream of events. Header names are in lower case. */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: string | Readable;
}

/** Requests over connections that are kept open. */
export interface HttpClient {
  /**
   * Sends a request; redirects are answers. A body is limited to `bytesMax` bytes, unless it is a stream of events.
   * @throws what undici throws; an AbortError where the signal aborts; an Error where the body is too long
   */
  send(url: string | URL, options: HttpRequest, watcher: BodyWatcher): Promise<HttpResponse>;
  /** Ends the connections, idle or not. */
  close(): Promise<void>;
}

/** Prepares requests; `bytesMax` limits each body. No time is limited here: the deadlines are the callers' signals. */
export function createHttpClient(bytesMax: number): HttpClient {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    send: async (url, options, watcher) => {
      const { statusCode, headers: received, body } = await request(url, { dispatcher, ...options });
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(received)) {
        if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
      }
      const isStream = headers['content-type']?.startsWith('text/event-stream') ?? false;
      return { status: statusCode, headers, body: isStream ? body : await readBody(body, bytesMax, watcher) };
    },
    close: () => dispatcher.destroy(),
  };
}

/** The request that a call of fetch with a text for a body means. */
export function httpRequest({ method, headers, body, signal }: RequestInit = {}): HttpRequest {
  return {
    method: method === 'POST' || method === 'DELETE' ? method : 'GET',
    headers: Object.fromEntries(new Headers(headers)),
    body: typeof body === 'string' ? body : null,
    signal: signal ?? null,
  };
}

/** The answer as fetch gives it; a stream is limited to `bytesMax` bytes between two blank lines. */
export function fetchResponse(
  { status, headers, body }: HttpResponse,
  bytesMax: number,
  watcher: BodyWatcher,
): Response {
  if (typeof body === 'string') return new Response(bodiless.has(status) ? null : body, { status, headers });
  return limitedResponse(new Response(Readable.toWeb(body), { status, headers }), bytesMax, watcher);
}

/** Statuses whose responses have no body by the fetch standard. */
const bodiless = new Set([204, 205, 304]);

/** Reads a body to its end. @throws Error where it is longer than `bytesMax` or breaks off */
function readBody(body: Readable, bytesMax: number, watcher: BodyWatcher): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= bytesMax) return;
    watcher.onExceeded();
    body.destroy(new Error('response too large'));
  });
  body.once('error', reject);
  body.once('close', () => reject(new Error('the body was closed before its end')));
  body.once('end', () => {
    watcher.onEnded();
    resolve(Buffer.concat(chunks).toString('utf8'));
  });
  return promise;
}

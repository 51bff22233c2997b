/**
 * An HTTP client for upstream servers, on `undici.request`. A response that is not a stream is read completely, up to a
 * limit, without the platform's Headers, Response and streams, which cost more CPU than the request.
 */
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { type BodyObserver, limitedResponse } from '../response-limits.ts';

/** An HTTP request. `body` is JSON text. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal | null;
}

/** An HTTP response. Its body is the complete text, or a stream of events. Header names are in lower case. */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: string | Readable;
}

/** A client that keeps connections open between requests. */
export interface HttpClient {
  /**
   * Sends a request. Redirects are returned, not followed. A body that is not a stream of events is limited in bytes.
   * @throws the errors of undici; an AbortError if the signal aborts; an Error if the body is too long
   */
  send(url: string | URL, options: HttpRequest, observer: BodyObserver): Promise<HttpResponse>;
  /** Closes all connections, also those in use. */
  close(): Promise<void>;
}

/** Creates a client; `bytesMax` limits each body. It has no timeouts: the signals of the requests are the deadlines. */
export function createHttpClient(bytesMax: number): HttpClient {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    send: async (url, options, observer) => {
      const { statusCode, headers: received, body } = await request(url, { dispatcher, ...options });
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(received)) {
        if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
      }
      const isStream = headers['content-type']?.startsWith('text/event-stream') ?? false;
      return { status: statusCode, headers, body: isStream ? body : await readBody(body, bytesMax, observer) };
    },
    close: () => dispatcher.destroy(),
  };
}

/** Converts the options of a `fetch` call. A body must be a string. */
export function httpRequest({ method, headers, body, signal }: RequestInit = {}): HttpRequest {
  return {
    method: method === 'POST' || method === 'DELETE' ? method : 'GET',
    headers: Object.fromEntries(new Headers(headers)),
    body: typeof body === 'string' ? body : null,
    signal: signal ?? null,
  };
}

/** Converts to a `fetch` response. Each event of a stream is limited to `bytesMax` bytes. */
export function fetchResponse(
  { status, headers, body }: HttpResponse,
  bytesMax: number,
  observer: BodyObserver,
): Response {
  if (typeof body === 'string') return new Response(nullBodyStatuses.has(status) ? null : body, { status, headers });
  return limitedResponse(new Response(Readable.toWeb(body), { status, headers }), bytesMax, observer);
}

/** The null body statuses of the fetch standard, apart from 101 and 103. */
const nullBodyStatuses = new Set([204, 205, 304]);

/** Reads a body to its end. @throws Error if it is longer than `bytesMax`, or is cut off */
function readBody(body: Readable, bytesMax: number, observer: BodyObserver): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= bytesMax) return;
    observer.onExceeded();
    body.destroy(new Error('response too large'));
  });
  body.once('error', reject);
  body.once('close', () => reject(new Error('the body was closed before its end')));
  body.once('end', () => {
    observer.onEnded();
    resolve(Buffer.concat(chunks).toString('utf8'));
  });
  return promise;
}

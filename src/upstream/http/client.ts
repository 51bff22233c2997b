/**
 * An HTTP client for upstream servers, on `undici.request`. A response that is not a stream is read completely, up to a
 * limit, without the platform's Headers, Response and streams, which cost more CPU than the request.
 */
import { Readable } from 'node:stream';
import { Agent, interceptors, request } from 'undici';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { isResponse, libraryResponse, responseOutcome } from '../json-rpc.ts';
import { type BodyObserver, limitedResponse } from '../response-limits.ts';
import { rewrittenEvents } from './event-stream.ts';

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
   * Sends a request. A redirect that keeps the method (307, 308) is followed within the origin, others are returned. A
   * compressed body is decompressed. A body that is not a stream of events is limited in bytes.
   * @throws the errors of undici; an AbortError if the signal aborts; an Error if the body is too long
   */
  send(url: string | URL, options: HttpRequest, observer: BodyObserver): Promise<HttpResponse>;
  /** Closes all connections, also those in use. */
  close(): Promise<void>;
}

/** Creates a client; `bytesMax` limits each body. It has no timeouts: the signals of the requests are the deadlines. */
export function createHttpClient(bytesMax: number): HttpClient {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  // Some servers compress without being asked to.
  const dispatcher = agent.compose(interceptors.decompress({ skipErrorResponses: false }));
  return {
    send: async (url, options, observer) => {
      let target = typeof url === 'string' ? new URL(url) : url;
      for (let redirectsCount = 0; ; redirectsCount += 1) {
        const { statusCode: status, headers: received, body } = await request(target, { dispatcher, ...options });
        const headers = plainHeaders(received);
        const next = redirectsCount < redirectsMax ? redirectTarget(target, status, headers.location) : undefined;
        if (next === undefined) {
          if (headers['content-type'] === eventStreamType) return { status, headers, body };
          if (!isWithin(headers, bytesMax)) return { status, headers, body: await readBody(body, bytesMax, observer) };
          const text = await body.text();
          observer.onEnded();
          return { status, headers, body: text };
        }
        await body.dump();
        target = next;
      }
    },
    close: () => agent.destroy(),
  };
}

/**
 * Whether a body is no longer than `bytesMax` by its headers. Such a body is read by the library at once, which takes 10 us less
 * than counting its bytes as they arrive. The length of a compressed body says nothing about what it becomes.
 */
function isWithin(headers: Record<string, string>, bytesMax: number): boolean {
  return headers['content-encoding'] === undefined && Number(headers['content-length'] ?? Number.NaN) <= bytesMax;
}

const redirectsMax = 5;
const eventStreamType = 'text/event-stream';

/** Headers as text. The type of a stream of events is written as the library compares it. */
function plainHeaders(received: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';');
  if (mediaType.trim().toLowerCase() === eventStreamType) headers['content-type'] = eventStreamType;
  return headers;
}

/** Where to repeat a request; undefined where it must not be: another host could be one inside the hub's network. */
function redirectTarget(from: URL, status: number, location: string | undefined): URL | undefined {
  if ((status !== 307 && status !== 308) || location === undefined) return undefined;
  if (!URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from);
  const hasCredentials = target.username !== '' || target.password !== '';
  return target.origin === from.origin && !hasCredentials ? target : undefined;
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

/** What {@link fetchResponse} needs besides the response. */
export interface FetchResponseOptions {
  /** The most bytes of an event of a stream. */
  bytesMax: number;
  observer: BodyObserver;
  /** Receives the JSON text of each message, before it is rewritten for the library. */
  onMessage?: (text: string) => void;
  /** Receives the id of a response that is invalid, so that its request need not wait for another. */
  onInvalid?: (id: string | number) => void;
}

/** Converts to a `fetch` response, whose messages are as the MCP library accepts them. */
export function fetchResponse(
  { status, headers, body }: HttpResponse,
  { bytesMax, observer, onMessage, onInvalid }: FetchResponseOptions,
): Response {
  const acceptable = (text: string) => {
    onMessage?.(text);
    return acceptableJson(text, onInvalid);
  };
  if (typeof body === 'string') {
    return new Response(nullBodyStatuses.has(status) ? null : acceptable(body), { status, headers });
  }
  const limited = limitedResponse(new Response(Readable.toWeb(body), { status, headers }), bytesMax, observer);
  if (limited.body === null) return limited;
  return new Response(rewrittenEvents(limited.body, acceptable), { status, headers });
}

/** The null body statuses of the fetch standard, apart from 101 and 103. */
const nullBodyStatuses = new Set([204, 205, 304]);

/** The message with null fields that the library refuses removed. Any other text is returned unchanged. */
function acceptableJson(body: string, onInvalid: FetchResponseOptions['onInvalid']): string {
  if (!deviation.test(body)) return body;
  const message = parsedJson(body);
  if (!isJsonObject(message) || !isResponse(message)) return body;
  const { id } = message;
  if (typeof id !== 'string' && typeof id !== 'number') return body;
  const outcome = responseOutcome(message);
  if (outcome.kind === 'invalid') onInvalid?.(id);
  return JSON.stringify(libraryResponse(id, outcome));
}

/**
 * What a message has if the library may refuse it: null for what is absent, a text for the code of an error, or what a server
 * says about itself.
 */
const deviation = /"(?:error|_meta)"\s*:\s*null|"code"\s*:\s*"|"(?:protocolVersion|supportedVersions)"\s*:/;

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

/**
 * Requests to authorization servers: over TLS only, within the origin, bounded in size and time.
 * Addresses of this machine are allowed for servers of this machine only, so that no other server makes the hub ask there.
 */
import type { FetchLike } from '@modelcontextprotocol/client';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { isLoopback, isProtected } from '../../shapes/oauth/server-oauth.ts';
import { LoginFailure } from './login-error.ts';

const requestMsMax = 10_000;
const bodyBytesMax = 1_048_576;
const redirectsMax = 3;

/** Creates the function that an OAuth client of the server at `serverUrl` uses. */
export function createGuardedFetch(serverUrl: URL): FetchLike {
  const mayBeLocal = isLoopback(serverUrl.hostname);
  return async (target, init) => {
    const signal = AbortSignal.any([AbortSignal.timeout(requestMsMax), ...(init?.signal ? [init.signal] : [])]);
    let url = new URL(target);
    for (let redirectsCount = 0; ; redirectsCount += 1) {
      requireSafe(url, mayBeLocal);
      const response = await fetch(url, { ...init, signal, redirect: 'manual' });
      const next = redirectsCount < redirectsMax ? redirectTarget(url, response, init?.method) : undefined;
      if (next === undefined) return bounded(response);
      await response.body?.cancel();
      url = next;
    }
  };
}

/** @throws LoginFailure for an address that the hub does not send credentials or requests to */
export function requireSafe(url: URL, mayBeLocal: boolean): void {
  const isSafe = isProtected(url) && (mayBeLocal || !isLoopback(url.hostname));
  if (!isSafe) throw new LoginFailure('refused', 'the server names an address that is not https');
}

/** Where to repeat a request without a body; undefined where it must not be. */
function redirectTarget(from: URL, { status, headers }: Response, method = 'GET'): URL | undefined {
  const location = headers.get('location');
  if (method !== 'GET' || status < 301 || status > 308 || location === null) return undefined;
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  return target?.origin === from.origin ? target : undefined;
}

async function bounded(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) throw new LoginFailure('invalid_answer', 'the answer of the server is too long');
    chunks.push(chunk);
  }
  const { status, headers } = response;
  const hasBody = chunks.length > 0 && status !== 204 && status !== 304;
  const body = Buffer.concat(chunks).toString('utf8');
  return new Response(hasBody ? (status >= 400 ? errorCode(body) : body) : null, { status, headers: plain(headers) });
}

/**
 * The body of an error without its texts (RFC 6749, section 5.2): the library writes them to standard error, where text of
 * another server does not belong.
 */
function errorCode(body: string): string {
  const answer = parsedJson(body);
  const code = isJsonObject(answer) ? answer.error : undefined;
  return JSON.stringify(typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? { error: code } : {});
}

/** The headers without those that describe the encoding of the body, which is decoded. */
function plain(headers: Headers): Headers {
  const decoded = new Headers(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) decoded.delete(name);
  return decoded;
}

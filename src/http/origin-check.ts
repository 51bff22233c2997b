/** Checks of the host and origin of requests, and answers to browsers of allowed origins (CORS). */
import { validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { BoundedMap } from '../flow/bounded-map.ts';
import { HestiaError } from '../shapes/error.ts';
import { quotable } from '../shapes/text.ts';

/** Accepted host names and host names of origins, besides those of this machine. */
export interface OriginPolicy {
  hosts: readonly string[];
  origins: readonly string[];
}

/** Host names of this machine. */
const localNames = ['localhost', '127.0.0.1', '[::1]'];

/** The most accepted `Host` headers in the cache. */
const hostsAcceptedMax = 64;

const shownLengthMax = 100;

/** A header as a message shows it: the value that somebody sent is data. */
function shown(value: string | undefined): string {
  return value === undefined ? 'a request without a name' : `"${quotable(value, shownLengthMax)}"`;
}

/** The middleware that refuses unknown hosts and origins: DNS rebinding lets a web page reach a local hub by them. */
export function checkHost({ hosts, origins }: OriginPolicy): MiddlewareHandler {
  const accepted = new BoundedMap<string, true>(hostsAcceptedMax);
  return (c, next) => {
    const host = c.req.header('host');
    if (host === undefined || !accepted.has(host)) {
      if (!validateHostHeader(host, [...localNames, ...hosts]).ok) {
        throw new HestiaError(
          'FORBIDDEN',
          `host: the hub does not answer to ${shown(host)}; add it to policy.allowedHosts`,
        );
      }
      if (host !== undefined) accepted.set(host, true);
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && !validateOriginHeader(origin, [...localNames, ...origins]).ok) {
      throw new HestiaError(
        'FORBIDDEN',
        `origin: pages of ${shown(origin)} may not call the hub; add its host name to policy.allowedOrigins`,
      );
    }
    return next();
  };
}

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightMaxAgeSeconds = 600;
/** Headers of responses that a page may read, besides those of the Fetch standard. */
const exposedHeaders = ['mcp-session-id', 'mcp-protocol-version', 'www-authenticate', 'retry-after'];

/**
 * The middleware that lets pages of the configured origins call the hub: it answers their preflights, which browsers send
 * without a key. Pages of this machine need an entry too. No cookies are used, so credentials are not allowed.
 */
export function allowOrigins({ origins }: OriginPolicy): MiddlewareHandler {
  const allowed = cors({
    origin: (origin) => origin,
    exposeHeaders: exposedHeaders,
    maxAge: preflightMaxAgeSeconds,
  });
  return (c, next) => {
    const origin = c.req.header('origin');
    return origin !== undefined && validateOriginHeader(origin, [...origins]).ok ? allowed(c, next) : next();
  };
}

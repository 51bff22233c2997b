/**
 * Complete responses, built in one step, and the security headers of all responses. A complete response carries plain
 * headers, so that the server writes it without the platform's Response and Headers, which cost as much as a tool call.
 */
import type { MiddlewareHandler } from 'hono';

/** Headers that keep a browser from guessing types, embedding pages and leaking referrers. */
const securityHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

const jsonHeaders = { ...securityHeaders, 'content-type': 'application/json' };

const completeResponses = new WeakSet<Response>();

/** A 200 with this JSON text as its whole body. */
export function completeJson(json: string): Response {
  return complete(new Response(json, { status: 200, headers: jsonHeaders }));
}

/** A response with this text as its whole body; the security headers are added. */
export function completeResponse(text: string, status: 503, headers: Record<string, string>): Response {
  return complete(new Response(text, { status, headers: { ...securityHeaders, ...headers } }));
}

/** Whether a response was built here: it is no stream, and no middleware has to read or set its headers. */
export function isComplete(response: Response): boolean {
  return completeResponses.has(response);
}

/** The middleware that sets the security headers of all other responses, but for those that a route has set itself. */
export function secureHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (isComplete(c.res)) return;
    for (const [name, value] of Object.entries(securityHeaders)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
  };
}

function complete(response: Response): Response {
  completeResponses.add(response);
  return response;
}

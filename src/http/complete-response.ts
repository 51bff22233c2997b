/**
 * Answers whose JSON is known whole. They leave with plain headers, security headers included, so that the server writes
 * them without making a Response and a Headers of the platform: on the way of a tool call that costs as much as the call.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { HubEnv } from './authenticate.ts';

/** What every answer tells a browser: to guess nothing, embed nothing and pass nothing on. */
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

const wholeHeaders = { ...securityHeaders, 'content-type': 'application/json' };

/** A 200 with the JSON text, which no middleware needs to look at again. */
export function wholeJson(c: Context<HubEnv>, json: string): Response {
  c.set('isWhole', true);
  return new Response(json, { status: 200, headers: wholeHeaders });
}

/** Any answer with its text, which no middleware needs to look at again. */
export function wholeAnswer(c: Context, text: string, status: 503, headers: Record<string, string>): Response {
  c.set('isWhole', true);
  return new Response(text, { status, headers: { ...securityHeaders, ...headers } });
}

/** Sets the security headers of answers that are not whole. */
export function secureHeaders(): MiddlewareHandler<HubEnv> {
  return async (c, next) => {
    await next();
    if (c.var.isWhole) return;
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
  };
}

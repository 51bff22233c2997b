/** Who calls: the API key of a request to a {@link Caller}, or a refusal that is on record. */
import { trace } from '@opentelemetry/api';
import type { Context, MiddlewareHandler } from 'hono';
import type { AccessService } from '../domain/access-service.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import { inSpan } from '../telemetry/span.ts';

/** What authentication leaves for the routes. */
export type HubEnv = { Variables: { caller: Caller } };

/** Paths that need no key. */
const openPaths = new Set(['/livez', '/readyz']);
/** Pages for people: a browser cannot send a bearer key, so it may give it as the password of Basic authentication. */
const pagePaths = /^\/(docs(\/.*)?|openapi\.json|config\.schema\.json)$/;

/** Makes the middleware. */
export function authenticate({ access }: { access: AccessService }): MiddlewareHandler<HubEnv> {
  return async (c, next) => {
    if (openPaths.has(c.req.path)) return next();
    const caller = await access.authenticate(presentedKey(c));
    if (!('failure' in caller)) {
      c.set('caller', caller);
      return next();
    }
    const span = trace.getActiveSpan();
    if (span) await access.recordFailure(caller.failure, span);
    else await inSpan('authenticate', {}, (own) => access.recordFailure(caller.failure, own));
    throw new HestiaError('UNAUTHENTICATED', 'send "Authorization: Bearer <key>" with a key that is valid');
  };
}

/** What a refusal asks for: a browser shows its password prompt for pages only. */
export function challengeFor(path: string): string {
  return pagePaths.test(path)
    ? 'Basic realm="hestia: the API key is the password", charset="UTF-8"'
    : 'Bearer realm="hestia"';
}

function presentedKey(c: Context): string | undefined {
  const header = c.req.header('authorization');
  if (header === undefined) return undefined;
  const [scheme = '', value = ''] = header.split(/ +/, 2);
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic' || !pagePaths.test(c.req.path)) return '';
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}

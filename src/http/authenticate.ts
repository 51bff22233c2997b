/** The HTTP middleware that admits a request by its API key or access token. */
import type { Context, MiddlewareHandler } from 'hono';
import type { AccessService } from '../domain/access-service.ts';
import type { Caller } from '../shapes/access.ts';
import { clientSource } from './client-address.ts';

/** The admission of further messages of a request that has several. */
export interface MessageAdmission {
  /** Counts a message as a request of its key, and waits for its turn. @throws HestiaError RATE_LIMITED */
  nextMessage: () => Promise<void>;
}

/** The variables of a request's context: its caller, set by {@link authenticate}, and the admission, set by `limitKeys`. */
export type HubEnv = { Variables: MessageAdmission & { caller: Caller } };

/** Pages for people: a browser cannot send a bearer key, so it may send it as the password of Basic authentication. */
const pagePaths = /^\/(docs(\/.*)?|openapi\.json|config\.schema\.json)$/;

/** The middleware; it sets the request's caller. */
export function authenticate({ access }: { access: AccessService }): MiddlewareHandler<HubEnv> {
  return async (c, next) => {
    c.set('caller', await access.admit({ secret: presentedKey(c), address: clientSource(c) }));
    return next();
  };
}

/** The caller of a request that needs no key; undefined without a valid one. A failed authentication is recorded as any. */
export async function optionalCaller({ access }: { access: AccessService }, c: Context): Promise<Caller | undefined> {
  if (c.req.header('authorization') === undefined) return undefined;
  return access.admit({ secret: presentedKey(c), address: clientSource(c) }).catch(() => undefined);
}

/**
 * The `WWW-Authenticate` challenge of a refusal. A page makes a browser prompt for a password; every other path gives an
 * OAuth client the address of the protected-resource metadata (RFC 9728, section 5.1).
 */
export function challengeFor(path: string, metadataUrl: string | undefined): string {
  if (pagePaths.test(path)) return 'Basic realm="hestia: the API key is the password", charset="UTF-8"';
  return `Bearer realm="hestia"${metadataUrl === undefined ? '' : `, resource_metadata="${metadataUrl}"`}`;
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

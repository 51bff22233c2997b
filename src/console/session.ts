/** The session of a browser: its cookie, the pages that need one, and the check of its forms. */
import { timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AccessService } from '../domain/access-service.ts';
import { HestiaError } from '../shapes/error.ts';
import { type Page, type PageContext, pageDocument } from './layout.ts';
import type { Markup } from './markup.ts';

/** The variables of a page's request, set by {@link requireSession}. */
export type ConsoleEnv = { Variables: { page: PageContext } };

const cookieName = 'hestia_session';
const signInPath = '/console/sign-in';

/** Content that a page may load: only files of the hub. Nothing inline, nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The middleware that admits requests of a session and refuses its changes without the token of its forms. */
export function requireSession({ access }: { access: AccessService }): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    const token = sessionToken(c);
    const session = token === undefined ? undefined : await access.signIn.find(token);
    if (session === undefined) return c.redirect(signInPath, 303);
    const { caller, formToken } = session;
    c.set('page', { caller, formToken, url: new URL(c.req.url), now: Date.now() });
    if (c.req.method === 'POST') checkFormToken((await c.req.parseBody()).formToken, formToken);
    return next();
  };
}

/** The token in the cookie of a request. */
export function sessionToken(c: Context): string | undefined {
  return getCookie(c, cookieName);
}

/** Gives the browser a session, until it is closed. */
export function startSession(c: Context, token: string): Response {
  const secure = new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';
  setCookie(c, cookieName, token, { httpOnly: true, sameSite: 'Strict', path: '/', secure });
  return c.redirect('/', 303);
}

/** Takes the session from the browser. */
export function endSession(c: Context): Response {
  deleteCookie(c, cookieName, { path: '/' });
  return c.redirect(signInPath, 303);
}

/** A page as a response. */
export function show(c: Context<ConsoleEnv>, page: Page): Promise<Response> {
  return respond(pageDocument(page, c.var.page), 200);
}

/** A document as a response. It shows what only its reader may see, so that nothing stores it. */
export async function respond(document: Markup, status: number): Promise<Response> {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'no-store',
    // Without a referrer a browser sends its forms with the origin "null", which the check of origins refuses.
    'referrer-policy': 'same-origin',
  };
  return new Response(String(await document), { status, headers });
}

function checkFormToken(sent: unknown, expected: string): void {
  const isSame =
    typeof sent === 'string' &&
    sent.length === expected.length &&
    timingSafeEqual(Buffer.from(sent), Buffer.from(expected));
  if (!isSame) throw new HestiaError('FORBIDDEN', 'the form is not of this session; load the page again');
}

/** The session of a browser: its cookie, the pages that need one, and the check of its forms. */
import { timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { AccessService } from '../domain/access-service.ts';
import { HestiaError } from '../shapes/error.ts';
import { issuerPaths } from '../shapes/oauth/server-oauth.ts';
import { type Page, type PageContext, pageDocument, plainDocument } from './layout.ts';
import { html, type Markup } from './markup.ts';

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
    if (session === undefined) return isLive(c) ? streamSSE(c, reportSignedOut) : c.redirect(signInPath, 303);
    const { caller, formToken } = session;
    const url = new URL(c.req.url);
    if (isSecure(c)) url.protocol = 'https:';
    c.set('page', { caller, formToken, url, now: Date.now() });
    if (c.req.method === 'POST') checkFormToken((await c.req.parseBody()).formToken, formToken);
    return next();
  };
}

/** Whether a request is for updates of an open page, which no page to sign in can answer. */
function isLive(c: Context): boolean {
  return c.req.header('accept')?.includes('text/event-stream') === true;
}

/** Reports to an open page that its session has ended: its script then leads to the page to sign in. */
export async function reportSignedOut(stream: SSEStreamingApi): Promise<void> {
  await stream.writeSSE({ event: 'signed-out', data: '' });
}

/** The token in the cookie of a request. */
export function sessionToken(c: Context): string | undefined {
  return getCookie(c, cookieName);
}

/** Gives the browser a session, until it is closed, and sends it to the home page. */
export function startSession(c: Context, token: string): Response {
  setSessionCookie(c, token);
  return c.redirect('/', 303);
}

/**
 * Gives a browser a session that comes from another site. It sends the cookie only with requests that a page of the hub makes, and
 * not with a redirect, so that this page leads on.
 */
export async function startSessionFromElsewhere(c: Context, token: string): Promise<Response> {
  setSessionCookie(c, token);
  const content = html`<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Go on to the console</a></p>`;
  const page = await respond(plainDocument('Signed in', content), 200);
  return c.newResponse(page.body, page);
}

function setSessionCookie(c: Context, token: string): void {
  setCookie(c, cookieName, token, { httpOnly: true, sameSite: 'Strict', path: '/', secure: isSecure(c) });
}

const attemptCookieName = 'hestia_sign_in';
const attemptCookiePath = issuerPaths.start;

/** Gives the browser the secret of its sign-in at the issuer. A browser sends it also when it comes from the issuer's site. */
export function setAttempt(c: Context, secret: string, maxAgeMs: number): void {
  const options = { httpOnly: true, sameSite: 'Lax', path: attemptCookiePath, secure: isSecure(c) } as const;
  setCookie(c, attemptCookieName, secret, { ...options, maxAge: maxAgeMs / 1000 });
}

/** Takes the secret of a sign-in from the browser. */
export function takeAttempt(c: Context): string | undefined {
  const secret = getCookie(c, attemptCookieName);
  deleteCookie(c, attemptCookieName, { path: attemptCookiePath });
  return secret;
}

function isSecure(c: Context): boolean {
  return new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';
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

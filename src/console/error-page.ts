/** Pages of errors: what is wrong, what to do about it, and where to go on. */
import type { Context } from 'hono';
import { type ErrorCode, errorCodes, HestiaError } from '../shapes/error.ts';
import { isoTime } from '../shapes/time.ts';
import { pageDocument, plainDocument, sectionOf } from './layout.ts';
import { html, type Markup, type Shown } from './markup.ts';
import { firstOf } from './parts.ts';
import { type ConsoleEnv, respond } from './session.ts';

/** The page of an error. It has the navigation where the reader is signed in. An error that is not of the hub says nothing of its cause. */
export function errorPage(c: Context<ConsoleEnv>, error: unknown): Promise<Response> {
  const isPublic = error instanceof HestiaError;
  const code: ErrorCode = isPublic ? error.code : 'INTERNAL';
  const { status, title } = errorCodes[code];
  const message = isPublic ? error.message : 'the hub failed; its log has the cause';
  const violations = isPublic && error.violations.length > 1 ? error.violations : [];
  const list = html`<ul>${firstOf(violations, violationsMax, ({ field, message: why }) => html`<li>${field}: ${why}</li>`)}</ul>`;
  const content = html`<div class="notice bad" role="alert"><p>${message}</p>${violations.length > 0 && list}</div>
    <p>${adviceOf(c, code, isPublic ? error.retryAfterSeconds : undefined)}</p>${wayOn(c)}`;
  // A request that was refused before its session was looked for has no page.
  const page: ConsoleEnv['Variables']['page'] | undefined = c.var.page;
  return respond(page === undefined ? plainDocument(title, content) : pageDocument({ title, content }, page), status);
}

/** The most violated rules that are shown. */
const violationsMax = 20;

/** What a reader can do about an error. */
function adviceOf(c: Context, code: ErrorCode, retryAfterSeconds: number | undefined): Shown {
  switch (code) {
    case 'INVALID_REQUEST':
    case 'INVALID_SKILL':
    case 'INVALID_ARGUMENTS':
      return c.req.method === 'GET'
        ? 'Correct the filter or the address.'
        : 'Nothing was changed. Go back, where the browser still has what you entered, and correct it.';
    case 'FORBIDDEN':
      return 'Where the role of your key does not allow it, an operator can do it, or give you another key.';
    case 'UNAUTHENTICATED':
      return html`<a href="/console/sign-in">Sign in</a> with a key.`;
    case 'NOT_FOUND':
      return 'It may have been removed or switched off, or be in a namespace that your key does not see.';
    case 'CONFLICT':
      return 'Load the page again to see the present state.';
    case 'PAYLOAD_TOO_LARGE':
      return html`Send large content by the command line (<code>hestia</code>) or the API.`;
    case 'INJECTION_SUSPECTED':
      return html`<a href="/console/quarantine">Quarantine</a> has the passage. An operator can approve it there.`;
    case 'LOGIN_REQUIRED':
    case 'SERVER_UNAVAILABLE':
    case 'UPSTREAM_FAILED':
      return html`<a href="/console/servers">Servers</a> says why a server does not connect, and has its login.`;
    case 'STORAGE_FAILED':
      return html`The disk of the hub may be full or read-only. <code>hestia doctor</code> says what is wrong.`;
    case 'RATE_LIMITED':
    case 'OVERLOADED':
    case 'VIEWS_UNAVAILABLE':
    case 'SHUTTING_DOWN':
    case 'ISSUER_UNAVAILABLE':
    case 'TIMEOUT':
      return `Try again in ${retryAfterSeconds === undefined ? 'a moment' : `${retryAfterSeconds} s`}.`;
    default:
      return `An operator finds it in the log of the hub at ${isoTime(Date.now())}.`;
  }
}

/** Where to go on: the page of the navigation that the address belongs to, without its filters. */
function wayOn(c: Context): Markup {
  const { path, title } = sectionOf(new URL(c.req.url));
  return html`<p><a href="${path}">${title}</a></p>`;
}

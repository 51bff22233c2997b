/** The pages to sign in: with an API key, by a one-time link or at the issuer, and the end of a session. */
import { type Context, Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import { errorCodes, HestiaError } from '../../shapes/error.ts';
import { issuerPaths } from '../../shapes/oauth/server-oauth.ts';
import { plainDocument } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { field } from '../parts.ts';
import {
  type ConsoleEnv,
  endSession,
  respond,
  sessionToken,
  setAttempt,
  startSession,
  startSessionFromElsewhere,
  takeAttempt,
} from '../session.ts';

/** Signing in, as the access service does it. */
type SignIn = AccessService['signIn'];

/** Dependencies of the pages. */
export interface SignInPagesDeps {
  access: AccessService;
  /** The address of a client, by which failures are limited; undefined if the connection has none. */
  addressOf: (c: Context) => string | undefined;
}

/** The routes below `/console/sign-in`, which need no session. */
export function signInPages({ access, addressOf }: SignInPagesDeps): Hono {
  const router = new Hono();
  const { signIn } = access;
  router.get('/console/sign-in', async (c) => {
    const code = c.req.query('code');
    if (code === undefined) return respond(signInDocument(signIn), 200);
    const { token } = await signIn.withCode({ code, address: addressOf(c) });
    return startSession(c, token);
  });
  router.post('/console/sign-in', async (c) => {
    const { key } = await c.req.parseBody();
    const secret = typeof key === 'string' ? key.trim() : '';
    return started(c, signIn, () => signIn.withKey({ secret, address: addressOf(c) }));
  });
  router.get(issuerPaths.start, async (c) => {
    try {
      const { url, browserSecret } = await signIn.beginAtIssuer();
      setAttempt(c, browserSecret, attemptMs);
      return c.redirect(url, 303);
    } catch (error) {
      return refused(signIn, error);
    }
  });
  router.get(issuerPaths.back, async (c) => {
    const { state, code, iss, error: issuerError } = c.req.query();
    const returned = { state, code, iss, error: issuerError, browserSecret: takeAttempt(c) };
    try {
      const { token } = await signIn.atIssuer(returned, addressOf(c));
      return await startSessionFromElsewhere(c, token);
    } catch (error) {
      return refused(signIn, error);
    }
  });
  return router;
}

/** How long the browser keeps the secret of a sign-in at the issuer, in milliseconds. */
const attemptMs = 600_000;

async function started(c: Context, signIn: SignIn, open: () => Promise<{ token: string }>): Promise<Response> {
  try {
    return startSession(c, (await open()).token);
  } catch (error) {
    const isRefused = error instanceof HestiaError && error.code === 'UNAUTHENTICATED';
    return refused(signIn, error, isRefused ? 'This key is not valid, was revoked or has expired.' : undefined);
  }
}

/** The page to sign in again, with the reason. @throws an error that is not of the hub */
function refused(signIn: SignIn, error: unknown, reason?: string): Promise<Response> {
  if (!(error instanceof HestiaError)) throw error;
  return respond(signInDocument(signIn, reason ?? error.message), errorCodes[error.code].status);
}

/** The route `/console/sign-out` of a session. */
export function signOutPages({ access }: Pick<SignInPagesDeps, 'access'>): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.post('/console/sign-out', (c) => {
    const token = sessionToken(c);
    if (token !== undefined) access.signIn.end(token);
    return endSession(c);
  });
  return router;
}

function signInDocument({ issuer }: SignIn, refusal?: string): Markup {
  const input = html`<input id="key" name="key" type="password" required autocomplete="current-password" autofocus>`;
  return plainDocument(
    'Sign in to Hestia',
    html`${refusal !== undefined && html`<p class="notice bad" role="alert">${refusal}</p>`}
      <form method="post" action="/console/sign-in" class="stacked card">
        ${field('key', 'API key', input, 'The hub wrote the key of the operator to the file operator.key in its data directory at its first start.')}
        <button>Sign in</button>
      </form>
      ${issuer !== undefined && html`<p class="or">or</p><p class="card"><a class="button" href="${issuer.startUrl}">Sign in at the issuer</a> <span class="hint line">${issuer.name}</span></p>`}`,
  );
}

/** The page to sign in, with an API key or by a one-time link, and the end of a session. */
import { type Context, Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import { errorCodes, HestiaError } from '../../shapes/error.ts';
import { plainDocument } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { field } from '../parts.ts';
import { type ConsoleEnv, endSession, respond, sessionToken, startSession } from '../session.ts';

/** Dependencies of the pages. */
export interface SignInPagesDeps {
  access: AccessService;
  /** The address of a client, by which failures are limited; undefined if the connection has none. */
  addressOf: (c: Context) => string | undefined;
}

/** The route `/console/sign-in`, which needs no session. */
export function signInPages({ access, addressOf }: SignInPagesDeps): Hono {
  const router = new Hono();
  router.get('/console/sign-in', async (c) => {
    const code = c.req.query('code');
    if (code === undefined) return respond(signInDocument(), 200);
    const { token } = await access.signIn.withCode({ code, address: addressOf(c) });
    return startSession(c, token);
  });
  router.post('/console/sign-in', async (c) => {
    const { key } = await c.req.parseBody();
    const secret = typeof key === 'string' ? key.trim() : '';
    try {
      const { token } = await access.signIn.withKey({ secret, address: addressOf(c) });
      return startSession(c, token);
    } catch (error) {
      if (!(error instanceof HestiaError)) throw error;
      const isRefused = error.code === 'UNAUTHENTICATED';
      const reason = isRefused ? 'This key is not valid, was revoked or has expired.' : error.message;
      return respond(signInDocument(reason), errorCodes[error.code].status);
    }
  });
  return router;
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

function signInDocument(refusal?: string): Markup {
  const input = html`<input id="key" name="key" type="password" required autocomplete="current-password" autofocus>`;
  return plainDocument(
    'Sign in to Hestia',
    html`${refusal !== undefined && html`<p class="notice bad" role="alert">${refusal}</p>`}
      <form method="post" action="/console/sign-in" class="stacked">
        ${field('key', 'API key', input, 'The hub wrote the key of the operator to a file in its data directory at its first start.')}
        <button>Sign in</button>
      </form>`,
  );
}

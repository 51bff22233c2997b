/**
 * The page that a browser returns to from the login to an upstream server. Also the client id metadata document of the hub.
 * Neither needs a key: the state of a login is its credential, and is used once.
 */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ServerService } from '../../domain/server-service.ts';
import type { LoginView } from '../../shapes/oauth/login.ts';
import { loginPaths } from '../../shapes/oauth/server-oauth.ts';

/** Dependencies of the routes. */
export interface LoginCallbackDeps {
  servers: Pick<ServerService, 'finishLogin'>;
  /** Undefined where the hub has no address for it. */
  redirectUrl: string | undefined;
  clientMetadataUrl: string | undefined;
}

/** A page that loads nothing, and that a browser does not keep. */
const pageHeaders = { 'content-security-policy': "default-src 'none'", 'cache-control': 'no-store' };

/** The routes. */
export function loginCallbackRoutes({ servers, redirectUrl, clientMetadataUrl }: LoginCallbackDeps): Hono {
  const router = new Hono();
  router.get(loginPaths.callback, async (c) => {
    const { state, code, iss, error } = c.req.query();
    const login = await servers.finishLogin({ state, code, iss, error });
    return c.html(page(login), login?.state === 'completed' ? 200 : 400, pageHeaders);
  });
  if (clientMetadataUrl !== undefined && redirectUrl !== undefined) {
    const document = {
      client_id: clientMetadataUrl,
      client_name: 'Hestia',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
    router.get(loginPaths.clientMetadata, (c) => c.json(document));
  }
  return router;
}

function page(login: LoginView | undefined) {
  const [title, text] = texts(login);
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><p>${text}</p></body></html>`;
}

function texts(login: LoginView | undefined): [string, string] {
  if (login === undefined) return ['No login waits for this', 'It was used, or has expired. Start the login again.'];
  if (login.state === 'completed') return [`Logged in to ${login.serverId}`, 'You may close this page.'];
  return [`Not logged in to ${login.serverId}`, login.message ?? 'The login failed.'];
}

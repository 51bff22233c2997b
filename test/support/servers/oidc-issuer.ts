/** An issuer of access tokens (oidc-provider) at which people sign in to the console of a hub. */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { browse, interact, listen } from './protected-server.ts';

/** A running issuer. Its tokens are JSON Web Tokens for the resource, and name the role `operator`. */
export interface OidcIssuer extends AsyncDisposable {
  issuer: string;
  /** Signs in as a user at an address of the issuer, and returns the address that the browser is sent back to. */
  browse(url: string, user: string): Promise<URL>;
  /** The requests for tokens, by grant. */
  grants: string[];
}

/** Starts an issuer with the public client `console`, and dynamic registration. */
export async function startOidcIssuer({
  resource,
  redirectUrl,
}: {
  resource: string;
  redirectUrl: string;
}): Promise<OidcIssuer> {
  const server = createServer();
  // Another site than that of a hub at 127.0.0.1, as issuers are.
  const issuer = (await listen(server)).replace('127.0.0.1', 'localhost');
  const grants: string[] = [];
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'console', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' }],
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    ttl: { AccessToken: 3600, Grant: 86_400, Session: 86_400 },
    findAccount: async (_ctx: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    extraTokenClaims: async () => ({ hestia_role: 'operator' }),
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: async () => ({
          ...{ scope: 'console', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 3600 },
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  provider.on('grant.success', (ctx) => grants.push(ctx.oidc.params.grant_type));
  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/')) void interact(provider, request, response);
    else void callback(request, response);
  });
  return {
    issuer,
    grants,
    browse: (url, user) => browse(url, user, redirectUrl),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

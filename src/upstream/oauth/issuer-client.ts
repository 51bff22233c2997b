/**
 * The OAuth client at the issuer of access tokens, for people who sign in to the console.
 * The flow is that of the authorization code with PKCE. What the access token allows is decided in the domain.
 */
import {
  type AuthorizationServerMetadata,
  discoverAuthorizationServerMetadata,
  exchangeAuthorization,
  type FetchLike,
  type OAuthClientInformationMixed,
  registerClient,
  startAuthorization,
} from '@modelcontextprotocol/client';
import type { OauthConfiguration } from '../../shapes/configuration/oauth.ts';
import { isLoopback } from '../../shapes/oauth/server-oauth.ts';
import { createGuardedFetch, requireSafe } from './guarded-fetch.ts';
import { LoginFailure, loginFailure } from './login-error.ts';

/** The client. All methods throw LoginFailure. */
export interface IssuerClient {
  /** Where a person signs in, for an attempt with this state, and the verifier that redeems its code (RFC 7636). */
  begin(state: string): Promise<{ url: string; codeVerifier: string }>;
  /** The access token of a code. `iss` is checked (RFC 9207). */
  redeem(returned: { code: string; iss: string | undefined; codeVerifier: string }): Promise<string>;
}

/** Dependencies of the client. */
export interface IssuerClientDeps {
  oauth: OauthConfiguration;
  /** Undefined for a public client. */
  clientSecret: string | undefined;
  /** Where the issuer sends browsers back to. */
  redirectUrl: string;
}

interface Known {
  metadata: AuthorizationServerMetadata;
  clientInformation: OAuthClientInformationMixed;
}

/** Creates the client. Its metadata is read, and the client registered, with the first sign-in. */
export function createIssuerClient(deps: IssuerClientDeps): IssuerClient {
  const { oauth, redirectUrl } = deps;
  const { issuer, resource } = oauth;
  const mayBeLocal = isLoopback(new URL(issuer).hostname);
  const fetchFn = createGuardedFetch(new URL(issuer));
  const scope = oauth.scopes && { scope: oauth.scopes.join(' ') };
  let known: Promise<Known> | undefined;
  const get = (): Promise<Known> => {
    known ??= findClient(deps, fetchFn).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    begin: (state) =>
      translated(async () => {
        const options = { ...(await get()), redirectUrl, state, resource, ...scope };
        const { authorizationUrl, codeVerifier } = await startAuthorization(issuer, options);
        requireSafe(authorizationUrl, mayBeLocal);
        return { url: authorizationUrl.href, codeVerifier };
      }),
    redeem: ({ code, iss, codeVerifier }) =>
      translated(async () => {
        const returned = { authorizationCode: code, codeVerifier, redirectUri: redirectUrl, ...(iss && { iss }) };
        const tokens = await exchangeAuthorization(issuer, { ...(await get()), resource, fetchFn, ...returned });
        return tokens.access_token;
      }),
  };
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw loginFailure(error);
  }
}

/** The metadata of the issuer, and the configured client or a newly registered one. */
async function findClient(
  { oauth: { issuer, clientId }, clientSecret, redirectUrl }: IssuerClientDeps,
  fetchFn: FetchLike,
): Promise<Known> {
  const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn });
  if (metadata === undefined) throw new LoginFailure('invalid_answer', 'the issuer has no metadata');
  if (clientId !== undefined) {
    const secret = clientSecret !== undefined && { client_secret: clientSecret };
    return { metadata, clientInformation: { client_id: clientId, ...secret } };
  }
  if (metadata.registration_endpoint === undefined)
    throw new LoginFailure('refused', 'the issuer registers no clients; set policy.oauth.clientId');
  const clientMetadata = {
    client_name: 'Hestia console',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  return { metadata, clientInformation: await registerClient(issuer, { metadata, clientMetadata, fetchFn }) };
}

/** One login in progress, as the OAuth client of the MCP library uses it. */
import {
  type AuthorizationServerMetadata,
  createPrivateKeyJwtAuth,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type OAuthTokens,
  type StoredOAuthClientInformation,
} from '@modelcontextprotocol/client';
import type { Credential } from '../../shapes/oauth/credential.ts';
import { algorithmOf, type ServerOauth } from '../../shapes/oauth/server-oauth.ts';

/** What a login is made with. */
export interface LoginDeps {
  serverUrl: URL;
  oauth: ServerOauth | undefined;
  /** Where a browser returns to; undefined for logins without one. */
  redirectUrl: string | undefined;
  /** The URL of the hub's client id metadata document, where it has one. */
  clientMetadataUrl: string | undefined;
  /** The credential of an earlier login, whose client is used again. */
  known: Credential | undefined;
  /** The scopes that are requested. */
  scope: string | undefined;
  now: () => number;
}

/** What a login has found so far. */
export interface LoginDraft {
  discovery: OAuthDiscoveryState | undefined;
  client: StoredOAuthClientInformation | undefined;
  resource: string | undefined;
  codeVerifier: string | undefined;
  authorizationUrl: URL | undefined;
  tokens: OAuthTokens | undefined;
}

/** A login: the provider that the library uses, and the draft that it fills. */
export interface Login {
  deps: LoginDeps;
  provider: OAuthClientProvider;
  draft: LoginDraft;
}

/** The grant of a device code (RFC 8628, section 3.4). */
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** Begins a login. `state` is the OAuth parameter; `grant` is that of the token request. */
export function createLogin(deps: LoginDeps, state: string, grant: string): Login {
  const { oauth, redirectUrl } = deps;
  const draft: LoginDraft = {
    discovery: undefined,
    client: undefined,
    resource: undefined,
    codeVerifier: undefined,
    authorizationUrl: undefined,
    tokens: undefined,
  };
  const provider: OAuthClientProvider = {
    redirectUrl,
    get clientMetadata() {
      return clientMetadata(deps, grant, draft.discovery?.authorizationServerMetadata);
    },
    ...clientMetadataUrlOf(deps),
    state: () => state,
    clientInformation: (context) => {
      draft.client ??= knownClient(deps, context?.issuer);
      return draft.client;
    },
    saveClientInformation: (client) => {
      draft.client = client;
    },
    tokens: () => undefined,
    saveTokens: (tokens) => {
      draft.tokens = tokens;
    },
    redirectToAuthorization: (url) => {
      draft.authorizationUrl = url;
    },
    saveCodeVerifier: (verifier) => {
      draft.codeVerifier = verifier;
    },
    codeVerifier: () => draft.codeVerifier ?? '',
    discoveryState: () => draft.discovery,
    saveDiscoveryState: (discovery) => {
      draft.discovery = discovery;
    },
    // Without it, the library writes text of the server to standard error. Nothing is stored before the login has succeeded.
    invalidateCredentials: () => undefined,
    saveResourceUrl: (resource) => {
      draft.resource = resource;
    },
    ...(oauth?.grant === 'client_credentials' && { prepareTokenRequest: clientCredentialsRequest }),
    ...clientAuthentication(oauth),
  };
  return { deps, provider, draft };
}

function clientMetadataUrlOf({ oauth, clientMetadataUrl }: LoginDeps): { clientMetadataUrl?: string } {
  const url = oauth?.clientMetadataUrl ?? clientMetadataUrl;
  return url === undefined ? {} : { clientMetadataUrl: url };
}

/** How a client with a private key authenticates (RFC 7523, section 2.2); others do as the authorization server says. */
export function clientAuthentication(
  oauth: ServerOauth | undefined,
): Required<Pick<OAuthClientProvider, 'addClientAuthentication'>> | Record<never, never> {
  const { clientId, privateKey, signingAlgorithm } = oauth ?? {};
  const alg = signingAlgorithm ?? (privateKey === undefined ? undefined : algorithmOf(privateKey));
  if (clientId === undefined || privateKey === undefined || alg === undefined) return {};
  return { addClientAuthentication: createPrivateKeyJwtAuth({ issuer: clientId, subject: clientId, privateKey, alg }) };
}

function clientCredentialsRequest(scope?: string): URLSearchParams {
  return new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) });
}

/**
 * The client of the configuration, or of an earlier login at the same issuer, if it was registered with the same redirect URI
 * and for the scopes that are requested.
 */
function knownClient(
  { oauth, known, redirectUrl, scope }: LoginDeps,
  issuer: string | undefined,
): StoredOAuthClientInformation | undefined {
  if (oauth?.clientId !== undefined) {
    return {
      client_id: oauth.clientId,
      ...(oauth.clientSecret !== undefined && { client_secret: oauth.clientSecret }),
      // Discovery has checked the issuer.
      ...(issuer !== undefined && { issuer }),
    };
  }
  if (known === undefined || known.issuer !== issuer || known.redirectUrl !== redirectUrl) return undefined;
  const { scope: registered, ...client } = known.client;
  const isRegistered = (wanted: string) => registered === undefined || registered.split(' ').includes(wanted);
  return scope?.split(' ').every(isRegistered) === false ? undefined : { ...client, issuer: known.issuer };
}

/** The registration of the hub (RFC 7591). A public client is preferred: its registration holds no secret. */
function clientMetadata(
  { redirectUrl, oauth }: LoginDeps,
  grant: string,
  server: AuthorizationServerMetadata | undefined,
) {
  const methods = server?.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const method = ['none', 'client_secret_basic', 'client_secret_post'].find((name) => methods.includes(name));
  return {
    client_name: 'Hestia',
    redirect_uris: redirectUrl === undefined ? [] : [redirectUrl],
    grant_types: [grant, 'refresh_token'],
    response_types: grant === 'authorization_code' ? ['code'] : [],
    ...(method !== undefined && { token_endpoint_auth_method: method }),
    ...(oauth?.scopes !== undefined && { scope: oauth.scopes.join(' ') }),
  };
}

/** The credential that the login has yielded; undefined before it has tokens. */
export function credentialOf({ deps, draft }: Login): Credential | undefined {
  const { tokens, client, discovery, resource } = draft;
  if (tokens === undefined || client === undefined || discovery === undefined) return undefined;
  const { client_id, client_secret } = client;
  const { token_endpoint_auth_method: method, scope: registered }: Record<string, unknown> = { ...client };
  return {
    serverUrl: deps.serverUrl.href,
    issuer: issuerOf(discovery),
    authorizationServerUrl: discovery.authorizationServerUrl,
    ...(resource !== undefined && { resource }),
    client: {
      client_id,
      ...(client_secret !== undefined && { client_secret }),
      ...(typeof method === 'string' && { token_endpoint_auth_method: method }),
      ...(typeof registered === 'string' && { scope: registered }),
    },
    ...(deps.redirectUrl !== undefined && { redirectUrl: deps.redirectUrl }),
    ...tokenFields(tokens, deps.now()),
  };
}

/** The issuer identifier of an authorization server, as the library compares it. */
export function issuerOf({ authorizationServerMetadata, authorizationServerUrl }: OAuthDiscoveryState): string {
  return authorizationServerMetadata?.issuer ?? String(authorizationServerUrl);
}

/** What is kept of an answer of the token endpoint. */
export function tokenFields({ access_token, refresh_token, scope, expires_in }: OAuthTokens, now: number) {
  return {
    accessToken: access_token,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(scope !== undefined && { scope }),
    ...(expires_in !== undefined && { expiresAt: now + expires_in * 1000 }),
  };
}

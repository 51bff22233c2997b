/** Finds the authorization server of an MCP server, and checks it before anything is sent there. */
import {
  checkResourceAllowed,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  type FetchLike,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/client';
import type { Credential } from '../../shapes/oauth/credential.ts';
import { isLoopback, type ServerOauth } from '../../shapes/oauth/server-oauth.ts';
import { requireSafe } from './guarded-fetch.ts';
import { LoginFailure } from './login-error.ts';
import { issuerOf } from './login-provider.ts';

/** What a server said as it refused a request: where its metadata is, and what it requires (RFC 9728, RFC 6750). */
export interface Challenge {
  resourceMetadataUrl: URL | undefined;
  scope: string | undefined;
  error: string | undefined;
}

/** Reads `WWW-Authenticate`. */
export function challengeOf(headers: Record<string, string>): Challenge {
  const found = extractWWWAuthenticateParams(new Response(null, { status: 401, headers: challengeHeader(headers) }));
  const { resourceMetadataUrl, scope, error } = found;
  return { resourceMetadataUrl, scope: isScope(scope) ? scope : undefined, error };
}

function challengeHeader(headers: Record<string, string>): Record<string, string> {
  const value = headers['www-authenticate'];
  return value === undefined ? {} : { 'www-authenticate': value };
}

const scopeLengthMax = 2000;

/** RFC 6749, section 3.3. */
function isScope(scope: string | undefined): boolean {
  return scope !== undefined && scope.length <= scopeLengthMax && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);
}

/** What discovery needs. */
export interface DiscoveryDeps {
  serverUrl: URL;
  oauth: ServerOauth | undefined;
  known: Credential | undefined;
  challenge: Challenge | undefined;
  fetch: FetchLike;
}

/**
 * Finds the authorization server (RFC 9728, RFC 8414, OpenID Connect Discovery).
 * @throws LoginFailure if it must not be used: another issuer than expected, metadata of another resource, no PKCE with S256,
 *   or an address that is not protected
 */
export async function discoverServer(deps: DiscoveryDeps): Promise<OAuthDiscoveryState> {
  const { serverUrl, oauth, known, challenge, fetch } = deps;
  const resourceMetadataUrl = challenge?.resourceMetadataUrl;
  const info = await discoverOAuthServerInfo(serverUrl, {
    fetchFn: fetch,
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
  });
  const discovery = { ...info, ...(resourceMetadataUrl && { resourceMetadataUrl: resourceMetadataUrl.href }) };
  const configuredResource = info.resourceMetadata?.resource;
  if (configuredResource !== undefined && !checkResourceAllowed({ requestedResource: serverUrl, configuredResource })) {
    throw new LoginFailure('resource_mismatch', 'the metadata of the server is that of another resource');
  }
  // A secret of the configuration goes to the authorization server that got it first, and to no other.
  const hasSecret = oauth?.clientSecret !== undefined || oauth?.privateKey !== undefined;
  const expected = oauth?.issuer ?? (hasSecret ? known?.issuer : undefined);
  if (expected !== undefined && !isSameIssuer(expected, issuerOf(discovery))) {
    throw new LoginFailure('issuer_mismatch', 'the server names another authorization server than the expected one');
  }
  checkEndpoints(discovery, serverUrl, oauth);
  return discovery;
}

function isSameIssuer(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}

function checkEndpoints(
  { authorizationServerMetadata: metadata }: OAuthDiscoveryState,
  serverUrl: URL,
  oauth: ServerOauth | undefined,
): void {
  if (metadata === undefined) return;
  const mayBeLocal = isLoopback(serverUrl.hostname);
  for (const endpoint of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.registration_endpoint]) {
    if (endpoint !== undefined) requireSafe(new URL(endpoint), mayBeLocal);
  }
  // MCP 2025-11-25, Authorization: a client must refuse a server that does not declare PKCE.
  const isInteractive = oauth?.grant !== 'client_credentials';
  if (isInteractive && metadata.code_challenge_methods_supported?.includes('S256') !== true) {
    throw new LoginFailure('refused', 'the authorization server does not support PKCE with S256');
  }
}

/** An endpoint in metadata, by the name of RFC 8414, RFC 7009 or RFC 8628; undefined where there is none. */
export function endpointOf(metadata: object | undefined, name: string): string | undefined {
  const endpoint: unknown = metadata && Object.entries(metadata).find(([key]) => key === name)?.[1];
  return typeof endpoint === 'string' && URL.canParse(endpoint) ? endpoint : undefined;
}

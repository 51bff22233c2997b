/** Revokes the tokens of a deleted login (RFC 7009), where the authorization server offers it. */
import { discoverAuthorizationServerMetadata } from '@modelcontextprotocol/client';
import type { Credential } from '../../shapes/oauth/credential.ts';
import { endpointOf } from './discovery.ts';
import { createGuardedFetch } from './guarded-fetch.ts';

/** Revokes the refresh token, or else the access token. @returns whether the server accepted it; never throws */
export async function revokeTokens(credential: Credential): Promise<boolean> {
  const { client, refreshToken, accessToken, authorizationServerUrl, issuer } = credential;
  const fetchFn = createGuardedFetch(new URL(credential.serverUrl));
  try {
    const metadata = await discoverAuthorizationServerMetadata(authorizationServerUrl, { fetchFn });
    const endpoint = endpointOf(metadata, 'revocation_endpoint');
    if (endpoint === undefined || metadata?.issuer !== issuer) return false;
    const isPost = client.token_endpoint_auth_method === 'client_secret_post';
    const basic = `${encodeURIComponent(client.client_id)}:${encodeURIComponent(client.client_secret ?? '')}`;
    const response = await fetchFn(endpoint, {
      method: 'POST',
      headers: client.client_secret === undefined || isPost ? {} : { authorization: `Basic ${btoa(basic)}` },
      body: new URLSearchParams({
        token: refreshToken ?? accessToken,
        token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
        client_id: client.client_id,
        ...(isPost && client.client_secret !== undefined && { client_secret: client.client_secret }),
      }),
    });
    return response.ok;
  } catch {
    return false;
  }
}

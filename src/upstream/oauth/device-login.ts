/** Logins by a device code (RFC 8628), which a person enters in any browser while the hub polls. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type FetchLike,
  fetchToken,
  OAuthError,
  registerClient,
  type StoredOAuthClientInformation,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { isProtected } from '../../shapes/oauth/server-oauth.ts';
import { endpointOf } from './discovery.ts';
import { LoginFailure } from './login-error.ts';
import { deviceCodeGrant, issuerOf, type Login } from './login-provider.ts';

/** What the authorization server answers a device (RFC 8628, section 3.2). Times are in seconds. */
const deviceAnswerSchema = z.object({
  device_code: z.string(),
  user_code: z
    .string()
    .max(64)
    .regex(/^[\x20-\x7e]+$/),
  verification_uri: z.url(),
  verification_uri_complete: z.url().optional(),
  expires_in: z.number().positive(),
  interval: z.number().min(0).max(600).default(5),
});

/** A code that waits to be entered. */
export interface DeviceCode {
  userCode: string;
  url: string;
  expiresInMs: number;
  /** Polls until the code was entered, and fills the draft of the login. @throws LoginFailure; errors of the library */
  poll(signal: AbortSignal): Promise<void>;
}

/** What a device login needs. */
export interface DeviceLoginDeps {
  login: Login;
  scope: string | undefined;
  fetch: FetchLike;
}

/** By how much polling slows down when the server says so, in milliseconds (RFC 8628, section 3.5). */
const slowDownMs = 5000;

/** Requests a code. @throws LoginFailure if the server has no such login; errors of the library */
export async function requestDeviceCode(deps: DeviceLoginDeps): Promise<DeviceCode> {
  const { login, fetch } = deps;
  const { resource, scopes_supported: supported } = login.draft.discovery?.resourceMetadata ?? {};
  const scope = deps.scope ?? supported?.join(' ');
  const endpoint = deviceEndpointOf(login);
  const client = await clientOf({ ...deps, scope });
  if (resource !== undefined) login.draft.resource = resource;
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    ...(client.client_secret !== undefined && { client_secret: client.client_secret }),
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource }),
  });
  const headers = new Headers({ accept: 'application/json' });
  const metadata = login.draft.discovery?.authorizationServerMetadata;
  await login.provider.addClientAuthentication?.(headers, parameters, endpoint, metadata);
  const response = await fetch(endpoint, { method: 'POST', body: parameters, headers });
  const answer = deviceAnswerSchema.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !answer.success) {
    throw new LoginFailure('refused', 'the authorization server refused to issue a device code');
  }
  const { user_code: userCode, verification_uri, verification_uri_complete: complete, ...code } = answer.data;
  const url = complete ?? verification_uri;
  if (!isProtected(new URL(url))) throw new LoginFailure('refused', 'the server names an address that is not https');
  const poll = (signal: AbortSignal) => pollToken(deps, code.device_code, { intervalMs: code.interval * 1000, signal });
  return { userCode, url, expiresInMs: code.expires_in * 1000, poll };
}

function deviceEndpointOf({ draft }: Login): string {
  const endpoint = endpointOf(draft.discovery?.authorizationServerMetadata, 'device_authorization_endpoint');
  if (endpoint !== undefined) return endpoint;
  throw new LoginFailure('refused', 'the authorization server has no login by device code; use a browser');
}

/** The client of the login: a known one, the hub's metadata document, or a new registration. */
async function clientOf({ login, scope, fetch }: DeviceLoginDeps): Promise<StoredOAuthClientInformation> {
  const { provider, draft } = login;
  if (draft.discovery === undefined) throw new LoginFailure('invalid_answer', 'no authorization server was found');
  const issuer = issuerOf(draft.discovery);
  const metadata = draft.discovery.authorizationServerMetadata;
  const known = await provider.clientInformation({ issuer });
  const isDocument = metadata?.client_id_metadata_document_supported === true;
  const url = isDocument ? provider.clientMetadataUrl : undefined;
  const client =
    known ??
    (url !== undefined
      ? { client_id: url }
      : await registerClient(draft.discovery.authorizationServerUrl, {
          ...(metadata !== undefined && { metadata }),
          clientMetadata: provider.clientMetadata,
          ...(scope !== undefined && { scope }),
          fetchFn: fetch,
        }));
  draft.client = { ...client, issuer };
  return draft.client;
}

async function pollToken(
  { login, fetch }: DeviceLoginDeps,
  deviceCode: string,
  { intervalMs, signal }: { intervalMs: number; signal: AbortSignal },
): Promise<void> {
  const { provider, draft } = login;
  const { discovery, resource } = draft;
  if (discovery === undefined) return;
  const metadata = discovery.authorizationServerMetadata;
  const request = () => new URLSearchParams({ grant_type: deviceCodeGrant, device_code: deviceCode });
  for (let waitMs = intervalMs; ; ) {
    await delay(waitMs, undefined, { signal });
    try {
      draft.tokens = await fetchToken({ ...provider, prepareTokenRequest: request }, discovery.authorizationServerUrl, {
        ...(metadata !== undefined && { metadata }),
        ...(resource !== undefined && { resource }),
        fetchFn: fetch,
      });
      return;
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      if (error.code === 'slow_down') waitMs += slowDownMs;
      else if (error.code !== 'authorization_pending') throw error;
    }
  }
}

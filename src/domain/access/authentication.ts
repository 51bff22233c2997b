/**
 * Authentication by API key or access token, without counting or recording. A key's secret is stored as a hash, and compared in
 * constant time.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../shapes/access.ts';
import type { StoredKey } from '../../stores/access-store.ts';
import type { CredentialLifetimes } from './credential-lifetime.ts';
import type { KeyCache } from './key-cache.ts';
import { type AccessTokens, type AuthenticatedToken, looksLikeToken } from './tokens.ts';

/** Why a request could not be authenticated. The reason is recorded, but never sent to the client. */
export type AuthFailure =
  | 'missing'
  | 'malformed'
  | 'unknown'
  | 'revoked'
  | 'expired'
  | 'invalid_token'
  | 'invalid_claims';

/** Dependencies of the authentication. `tokens` is undefined if no issuer is configured. */
export interface AuthenticationDeps {
  keys: KeyCache;
  lifetimes: CredentialLifetimes;
  tokens: AccessTokens | undefined;
}

/** The caller that a credential belongs to, or why it is refused. */
export type Authentication = (secret: string | undefined) => Promise<Caller | { failure: AuthFailure }>;

/** `hst_`, the key's id (16 hex digits), `_`, and 256 random bits in base64url. */
const secretPattern = /^hst_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** Creates the authentication. It throws HestiaError ISSUER_UNAVAILABLE if an access token cannot be verified now. */
export function createAuthentication({ keys, lifetimes, tokens }: AuthenticationDeps): Authentication {
  return async (secret) => {
    if (tokens !== undefined && secret !== undefined && looksLikeToken(secret)) {
      const authenticated = await tokens.caller(secret);
      return 'failure' in authenticated ? authenticated : callerOfToken(authenticated, lifetimes);
    }
    return callerOf(secret, await findPresented(keys, secret), lifetimes);
  };
}

async function findPresented(keys: KeyCache, secret: string | undefined): Promise<StoredKey | undefined> {
  const keyId = secret && secretPattern.exec(secret)?.[1];
  return keyId ? keys.find(keyId) : undefined;
}

/** Returns the caller that a presented secret belongs to. Its duration does not reveal whether the key exists. */
function callerOf(
  secret: string | undefined,
  found: StoredKey | undefined,
  lifetimes: CredentialLifetimes,
): Caller | { failure: AuthFailure } {
  if (secret === undefined) return { failure: 'missing' };
  if (!secretPattern.test(secret)) return { failure: 'malformed' };
  const matches = hasDigest(secret, found?.secretHash ?? noDigest);
  if (found === undefined || !matches) return { failure: 'unknown' };
  return callerOfStored(found, lifetimes);
}

/** The caller of a key that is neither revoked nor expired. */
async function callerOfKey(
  keyId: string,
  { keys, lifetimes }: Pick<AuthenticationDeps, 'keys' | 'lifetimes'>,
): Promise<Caller | undefined> {
  const found = await keys.find(keyId);
  const caller = found && callerOfStored(found, lifetimes);
  return caller === undefined || 'failure' in caller ? undefined : caller;
}

function callerOfStored({ key }: StoredKey, lifetimes: CredentialLifetimes): Caller | { failure: AuthFailure } {
  const { keyId, agentId, namespace, role, scope, revokedAt, expiresAt } = key;
  // The end of an expired key is stored as a revocation at its expiry.
  if (revokedAt !== undefined) return { failure: revokedAt === expiresAt ? 'expired' : 'revoked' };
  if (lifetimes.hasEnded({ keyId, expiresAt })) return { failure: 'expired' };
  return { keyId, agentId, namespace, role, scope, ended: lifetimes.signal({ keyId, expiresAt }) };
}

/** The caller of a session's holder, whose key or access token is valid now. */
export async function callerOfHolder(
  holder: { keyId: string } | AuthenticatedToken,
  deps: Pick<AuthenticationDeps, 'keys' | 'lifetimes'>,
): Promise<Caller | undefined> {
  if ('keyId' in holder) return callerOfKey(holder.keyId, deps);
  const caller = callerOfToken(holder, deps.lifetimes);
  return 'failure' in caller ? undefined : caller;
}

/** The caller of an access token that was verified, unless it has expired since. */
function callerOfToken(
  { caller, expiresAt }: AuthenticatedToken,
  lifetimes: CredentialLifetimes,
): Caller | { failure: 'expired' } {
  const credential = { keyId: caller.keyId, expiresAt };
  if (lifetimes.hasEnded(credential)) return { failure: 'expired' };
  return { ...caller, ended: lifetimes.signal(credential) };
}

/** SHA-256 without a slow key derivation suffices: the secret is 256 random bits and cannot be guessed. */
export function secretDigest(secret: string): string {
  return hash('sha256', secret);
}

/** The digest that the secret is compared with if the key does not exist. */
const noDigest = secretDigest('no such key');

function hasDigest(secret: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', secret, 'buffer'), Buffer.from(expected, 'hex'));
}

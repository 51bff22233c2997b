/**
 * Verification of access tokens (JWT) of an OAuth 2.1 issuer: signature, issuer, audience and times. The issuer's key
 * set is fetched on demand and cached. What the claims allow is decided in the domain. The library is loaded with the
 * first token, since most hubs use API keys only.
 */
import type { createRemoteJWKSet, errors, JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OauthConfiguration } from '../shapes/configuration/oauth.ts';

/** The result of a verification. `unavailable`: not checked, since the issuer's keys cannot be fetched. */
export type TokenVerdict =
  | { outcome: 'valid'; claims: JWTPayload }
  | { outcome: 'expired' | 'invalid' | 'unavailable' };

/** A verifier of access tokens. */
export interface TokenIssuer {
  /** Verifies a token; never rejects. Fetches the issuer's keys if the one that the token names is not cached. */
  verify(token: string): Promise<TokenVerdict>;
}

/** Asymmetric algorithms only, so that a public key is never accepted as the secret of an HMAC. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const fetchTimeoutMs = 5000;
/** Time without requests after a failed fetch, so that a flood of tokens is not passed on to the issuer. */
const retryAfterMs = 5000;
const metadataSchema = z.object({ jwks_uri: z.url() });

/** The age of the issuer's keys at which they are fetched again, in the background. */
const keysAgeMsMax = 600_000;

/** Creates a verifier. Nothing is fetched before the first token. */
export function createTokenIssuer(configuration: OauthConfiguration): TokenIssuer {
  const keySet = keySetSource(configuration);
  let failedAt = Number.NEGATIVE_INFINITY;
  let refreshedAt = performance.now();
  const hasFailed = () => performance.now() - failedAt < retryAfterMs;
  const refreshSoon = (keys: RemoteKeys) => {
    if (performance.now() - refreshedAt < keysAgeMsMax || hasFailed()) return;
    refreshedAt = performance.now();
    keys.reload().catch(() => {
      failedAt = performance.now();
    });
  };
  return {
    verify: async (token) => {
      const jose = await import('jose');
      const verify = async (keys: JWTVerifyGetKey): Promise<TokenVerdict> => {
        const { payload } = await jose.jwtVerify(token, keys, verifyOptions(configuration));
        return { outcome: 'valid', claims: payload };
      };
      try {
        const keys = await (hasFailed() ? keySet.ifKnown() : keySet.get());
        const known = keys?.jwks();
        if (keys === undefined) return { outcome: 'unavailable' };
        if (known !== undefined) {
          // Also while the issuer is down: its failure concerns only tokens of keys that are unknown.
          refreshSoon(keys);
          const verdict = await verify(jose.createLocalJWKSet(known)).catch((error: unknown) => {
            if (error instanceof jose.errors.JWKSNoMatchingKey) return undefined;
            throw error;
          });
          if (verdict !== undefined) return verdict;
          if (hasFailed()) return { outcome: 'unavailable' };
        }
        return await verify(keys);
      } catch (error) {
        const outcome = failedOutcome(error, jose.errors);
        if (outcome === 'unavailable') failedAt = performance.now();
        return { outcome };
      }
    },
  };
}

function verifyOptions({ issuer, resource, audience = resource, clockSkewSeconds }: OauthConfiguration) {
  return { issuer, audience, clockTolerance: clockSkewSeconds, algorithms, requiredClaims: ['exp', 'sub'] };
}

function failedOutcome(error: unknown, known: typeof errors): 'expired' | 'invalid' | 'unavailable' {
  if (error instanceof known.JWTExpired) return 'expired';
  // Failures to fetch the key set, which say nothing about the token. The last is for a response that is not a key set.
  const issuerFailures: readonly string[] = [known.JWKSTimeout.code, known.JWKSInvalid.code, known.JOSEError.code];
  return error instanceof known.JOSEError && !issuerFailures.includes(error.code) ? 'invalid' : 'unavailable';
}

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/** The issuer's key set. Unless configured, its URL is discovered once from the issuer's metadata. */
function keySetSource({ issuer, jwksUrl }: OauthConfiguration) {
  let known: RemoteKeys | undefined;
  const keySetAt = async (url: URL) => {
    const { createRemoteJWKSet } = await import('jose');
    // Known keys stay usable however old they are: they are refreshed in the background.
    known = createRemoteJWKSet(url, { timeoutDuration: fetchTimeoutMs, cacheMaxAge: Number.POSITIVE_INFINITY });
    return known;
  };
  let keySet = jwksUrl === undefined ? undefined : keySetAt(new URL(jwksUrl));
  return {
    get: (): Promise<RemoteKeys> => {
      keySet ??= discoverKeySet(issuer).then(keySetAt, (error) => {
        keySet = undefined;
        throw error;
      });
      return keySet;
    },
    /** The key set without a request; undefined before it is discovered. */
    ifKnown: (): RemoteKeys | undefined => known,
  };
}

/** Tries the metadata URLs of RFC 8414, section 3, and of OpenID Connect Discovery, section 4. */
async function discoverKeySet(issuer: string): Promise<URL> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const metadataUrls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const metadataUrl of metadataUrls) {
    const response = await fetch(metadataUrl, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' });
    if (!response.ok) {
      await response.body?.cancel();
      continue;
    }
    return new URL(metadataSchema.parse(await response.json()).jwks_uri);
  }
  throw new Error('the issuer has no metadata');
}

/**
 * Verification of access tokens (JWT) of an OAuth 2.1 issuer: signature, issuer, audience and times. The issuer's key
 * set is fetched on demand and cached. What the claims allow is decided in the domain. The library is loaded with the
 * first token, since most hubs use API keys only.
 */
import type { errors, JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OauthConfiguration } from '../shapes/configuration/config.ts';

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

/** Creates a verifier. Nothing is fetched before the first token. */
export function createTokenIssuer(configuration: OauthConfiguration): TokenIssuer {
  const { issuer, resource, audience = resource, clockSkewSeconds } = configuration;
  const keySet = keySetSource(configuration);
  let failedAt = Number.NEGATIVE_INFINITY;
  return {
    verify: async (token) => {
      if (performance.now() - failedAt < retryAfterMs) return { outcome: 'unavailable' };
      const jose = await import('jose');
      try {
        const { payload } = await jose.jwtVerify(token, await keySet(), {
          issuer,
          audience,
          clockTolerance: clockSkewSeconds,
          algorithms,
          requiredClaims: ['exp', 'sub'],
        });
        return { outcome: 'valid', claims: payload };
      } catch (error) {
        const outcome = failedOutcome(error, jose.errors);
        if (outcome === 'unavailable') failedAt = performance.now();
        return { outcome };
      }
    },
  };
}

function failedOutcome(error: unknown, known: typeof errors): 'expired' | 'invalid' | 'unavailable' {
  if (error instanceof known.JWTExpired) return 'expired';
  // Failures to fetch the key set, which say nothing about the token. The last is for a response that is not a key set.
  const issuerFailures: readonly string[] = [known.JWKSTimeout.code, known.JWKSInvalid.code, known.JOSEError.code];
  return error instanceof known.JOSEError && !issuerFailures.includes(error.code) ? 'invalid' : 'unavailable';
}

/** The issuer's key set. Unless configured, its URL is discovered once from the issuer's metadata. */
function keySetSource({ issuer, jwksUrl }: OauthConfiguration): () => Promise<JWTVerifyGetKey> {
  const keySetAt = async (url: URL) => {
    const { createRemoteJWKSet } = await import('jose');
    return createRemoteJWKSet(url, { timeoutDuration: fetchTimeoutMs });
  };
  let keySet = jwksUrl === undefined ? undefined : keySetAt(new URL(jwksUrl));
  return () => {
    keySet ??= discoverKeySet(issuer).then(keySetAt, (error) => {
      keySet = undefined;
      throw error;
    });
    return keySet;
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

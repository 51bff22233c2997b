/**
 * Access tokens of an OAuth 2.1 issuer: signature, issuer, audience and times checked against the issuer's own keys,
 * which are fetched when they are needed and kept. Knows claims, not what they allow. The library is loaded with the first
 * token, since most hubs know keys only.
 */
import type { errors, JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OauthConfiguration } from '../shapes/configuration/config.ts';

/** What became of a token. `unavailable`: its issuer's keys cannot be had now, so nothing is known of it. */
export type TokenVerdict =
  | { outcome: 'valid'; claims: JWTPayload }
  | { outcome: 'expired' | 'invalid' | 'unavailable' };

/** Verifies tokens. */
export interface TokenIssuer {
  /** Never throws. Fetches the issuer's keys where it has none yet, or the token names one that it does not know. */
  verify(token: string): Promise<TokenVerdict>;
}

/** Signatures that only the issuer can make: a key set of public keys must never serve as a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const fetchTimeoutMs = 5000;
/** After a failed fetch the issuer is left alone this long, so that a flood of tokens is not passed on to it. */
const retryAfterMs = 5000;
const metadataSchema = z.object({ jwks_uri: z.url() });

/** Makes the verifier; nothing is fetched before the first token. */
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
  // These say nothing about the token: its issuer's keys were not to be had. The last is for an answer that is no key set.
  const issuerFailures: readonly string[] = [known.JWKSTimeout.code, known.JWKSInvalid.code, known.JOSEError.code];
  return error instanceof known.JOSEError && !issuerFailures.includes(error.code) ? 'invalid' : 'unavailable';
}

/** The issuer's key set, found once by its metadata where the configuration does not name it. */
function keySetSource({ issuer, jwksUrl }: OauthConfiguration): () => Promise<JWTVerifyGetKey> {
  const keySetAt = async (url: URL) => {
    const { createRemoteJWKSet } = await import('jose');
    return createRemoteJWKSet(url, { timeoutDuration: fetchTimeoutMs });
  };
  let found = jwksUrl === undefined ? undefined : keySetAt(new URL(jwksUrl));
  return () => {
    found ??= discoverKeySet(issuer).then(keySetAt, (error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

/** RFC 8414, section 3, and OpenID Connect Discovery, section 4, which put the well-known part at different places. */
async function discoverKeySet(issuer: string): Promise<URL> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const place of places) {
    const response = await fetch(place, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' });
    if (!response.ok) {
      await response.body?.cancel();
      continue;
    }
    return new URL(metadataSchema.parse(await response.json()).jwks_uri);
  }
  throw new Error('the issuer has no metadata');
}

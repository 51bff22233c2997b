/**
 * Maps the claims of an OAuth access token to a caller: agent, namespace and role. A claim that does not have the form
 * required of an API key's fields is refused, never corrected.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { agentIdSchema, type Caller, isReservedAgentId, namespaceSchema, roleSchema } from '../../shapes/access.ts';
import type { OauthConfiguration } from '../../shapes/configuration/oauth.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { TokenIssuer } from '../../upstream/token-issuer.ts';

/** Authenticates callers by access token. */
export interface AccessTokens {
  /**
   * Returns the caller that a token authenticates, or why it is refused. `expiresAt` is Unix milliseconds.
   * @throws HestiaError ISSUER_UNAVAILABLE
   */
  caller(token: string): Promise<AuthenticatedToken | { failure: 'expired' | 'invalid_token' | 'invalid_claims' }>;
}

/** The caller of a token, and when the token expires, in Unix milliseconds. */
export interface AuthenticatedToken {
  caller: Caller;
  expiresAt: number | undefined;
}

/** Reports whether a bearer credential has the form of a JSON Web Token (RFC 7519): three parts in base64url. */
export function looksLikeToken(credential: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(credential);
}

const claimsSchema = z
  .object({
    subject: z.string().min(1),
    agentId: agentIdSchema,
    namespace: namespaceSchema.default('default'),
    role: roleSchema.default('agent'),
  })
  .refine(({ agentId, role }) => !isReservedAgentId(agentId, role));

/** Creates the mapping for one issuer. */
export function createAccessTokens(deps: { issuer: TokenIssuer; oauth: OauthConfiguration }): AccessTokens {
  const { issuer, oauth } = deps;
  return {
    caller: async (token) => {
      const verdict = await issuer.verify(token);
      switch (verdict.outcome) {
        case 'unavailable':
          throw new HestiaError('ISSUER_UNAVAILABLE', 'the token cannot be checked: its issuer does not answer');
        case 'expired':
          return { failure: 'expired' };
        case 'invalid':
          return { failure: 'invalid_token' };
        case 'valid':
          break;
        default:
          return verdict satisfies never;
      }
      const { sub, exp, ...claims } = verdict.claims;
      const claimed = claimsSchema.safeParse({
        subject: sub,
        agentId: oauth.agentClaim === 'sub' ? sub : claims[oauth.agentClaim],
        namespace: claims[oauth.namespaceClaim],
        role: claims[oauth.roleClaim],
      });
      if (!claimed.success) return { failure: 'invalid_claims' };
      const { subject, ...caller } = claimed.data;
      const expiresAt = exp === undefined ? undefined : (exp + oauth.clockSkewSeconds) * 1000;
      return { caller: { keyId: principalId(oauth.issuer, subject), ...caller }, expiresAt };
    },
  };
}

/** The key id of a caller without an API key: the same for every token of one subject, and not secret. */
function principalId(issuer: string, subject: string): string {
  return `jwt_${hash('sha256', JSON.stringify([issuer, subject])).slice(0, 16)}`;
}

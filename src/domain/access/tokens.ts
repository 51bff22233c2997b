/**
 * Access tokens to callers: which agent, namespace and role a trusted issuer's token stands for. A claim that is not of
 * the form an API key would have is refused, never mended.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { agentIdSchema, type Caller, namespaceSchema, roleSchema } from '../../shapes/access.ts';
import type { OauthConfiguration } from '../../shapes/configuration/config.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { TokenIssuer } from '../../upstream/token-issuer.ts';

/** Callers by token. */
export interface AccessTokens {
  /** The caller a token stands for, or why there is none. @throws HestiaError ISSUER_UNAVAILABLE */
  caller(token: string): Promise<Caller | { failure: 'expired' | 'invalid_token' | 'invalid_claims' }>;
}

/** Whether a bearer credential has the form of a JSON Web Token (RFC 7519): three parts of base64url. */
export function looksLikeToken(credential: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(credential);
}

const claimsSchema = z.object({
  subject: z.string().min(1),
  agentId: agentIdSchema,
  namespace: namespaceSchema.default('default'),
  role: roleSchema.default('agent'),
});

/** Makes the mapping for one issuer. */
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
      const { sub, ...claims } = verdict.claims;
      const named = claimsSchema.safeParse({
        subject: sub,
        agentId: oauth.agentClaim === 'sub' ? sub : claims[oauth.agentClaim],
        namespace: claims[oauth.namespaceClaim],
        role: claims[oauth.roleClaim],
      });
      if (!named.success) return { failure: 'invalid_claims' };
      const { subject, ...caller } = named.data;
      return { keyId: principalId(oauth.issuer, subject), ...caller };
    },
  };
}

/** Stands for the key of a caller that has none: the same for every token of one subject, and no secret. */
function principalId(issuer: string, subject: string): string {
  return `jwt_${hash('sha256', JSON.stringify([issuer, subject])).slice(0, 16)}`;
}

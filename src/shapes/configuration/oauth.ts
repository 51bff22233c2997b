/** `policy.oauth` in the configuration: the issuer of access tokens, and how people sign in there. */
import { z } from 'zod';

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** The issuer of access tokens (JWT, RFC 9068), and the claims that a token must have. */
export const oauthSchema = z.strictObject({
  issuer: httpUrl.describe('The issuer, exactly as tokens name it in `iss`.'),
  resource: httpUrl.describe("The URL of this hub's MCP endpoint, as clients use it. Tokens must be issued for it."),
  audience: z.string().min(1).optional().describe('The audience that tokens name in `aud`. If unset: the resource.'),
  jwksUrl: httpUrl.optional().describe("The URL of the issuer's keys. If unset: from the issuer's metadata."),
  clockSkewSeconds: z
    .int()
    .min(0)
    .max(300)
    .default(30)
    .describe('Tolerated difference between the clocks of hub and issuer.'),
  agentClaim: z.string().min(1).default('sub').describe('The claim that names the agent.'),
  namespaceClaim: z.string().min(1).default('hestia_namespace').describe('The claim that names the namespace.'),
  roleClaim: z
    .string()
    .min(1)
    .default('hestia_role')
    .describe('The claim that names the role. If a token has none: `agent`.'),
  clientId: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The client of this hub at the issuer, by which people sign in to the console. Its redirect URI is `/console/sign-in/issuer/return` at the host of the resource. If unset: the hub registers itself, where the issuer allows it.',
    ),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope without blanks'))
    .optional()
    .describe('Scopes that are requested when people sign in to the console.'),
});
/** The configuration of the trusted issuer. */
export type OauthConfiguration = z.infer<typeof oauthSchema>;

/** Requests and answers of a login to an upstream server. */
import { z } from 'zod';
import { agentIdSchema, namespaceSchema } from '../access.ts';
import { isoTimeSchema } from '../time.ts';

/** `POST /v1/servers/{id}/login`. */
export const loginRequestSchema = z.strictObject({
  flow: z
    .enum(['browser', 'device'])
    .default('browser')
    .describe(
      '`browser`: open a URL in a browser that reaches the hub. `device`: enter a code at a URL, on any device.',
    ),
  agentId: agentIdSchema
    .optional()
    .describe('The agent that logs in, with `oauth.identity: agent`. Agents log in themselves only.'),
  namespace: namespaceSchema.optional().describe('The namespace of that agent. If absent: `default`.'),
});
export type LoginRequest = z.infer<typeof loginRequestSchema>;

/** `POST /v1/servers/{id}/logout`. */
export const logoutRequestSchema = loginRequestSchema.pick({ agentId: true, namespace: true });
export type LogoutRequest = z.infer<typeof logoutRequestSchema>;

/** Why a login failed, as a closed list. */
export const loginErrorSchema = z.enum([
  'denied',
  'expired',
  'issuer_mismatch',
  'resource_mismatch',
  'refused',
  'unreachable',
  'invalid_answer',
]);
export type LoginError = z.infer<typeof loginErrorSchema>;

/** A login in progress, or its end. */
export const loginViewSchema = z
  .object({
    loginId: z.string(),
    serverId: z.string(),
    state: z.enum(['pending', 'completed', 'failed']),
    /** Where the person logs in. */
    url: z.string().optional().describe('Open it in a browser.'),
    userCode: z.string().optional().describe('The code to enter there, for the flow `device`.'),
    expiresAt: isoTimeSchema.optional(),
    error: loginErrorSchema.optional(),
    message: z.string().optional().describe('What went wrong, and what to do.'),
  })
  .meta({ id: 'Login' });
export type LoginView = z.infer<typeof loginViewSchema>;

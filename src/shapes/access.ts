/** Who calls: roles, callers and API keys as the rest of the house sees them. Never holds a key's secret at rest. */
import { z } from 'zod';

/** `agent`: search, call, activate its own skills. `auditor`: read everything, change nothing. `operator`: all. */
export const roleSchema = z.enum(['agent', 'auditor', 'operator']);
export type Role = z.infer<typeof roleSchema>;

const identifierPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** An agent's name: 1 to 64 letters, digits, `.`, `_`, `-`, with a letter or digit at either end. */
export const agentIdSchema = z
  .string()
  .regex(identifierPattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", with a letter or digit at either end')
  .meta({ examples: ['billing-bot'] });

/** A namespace's name; the same form as an agent's. */
export const namespaceSchema = agentIdSchema.meta({ examples: ['default'] });

/** Who makes a call. Made by authentication only; a request body never names another agent. */
export const callerSchema = z.strictObject({
  keyId: z.string(),
  agentId: z.string(),
  namespace: z.string(),
  role: roleSchema,
});
export type Caller = z.infer<typeof callerSchema>;

/** The hub itself, when the scheduler or a watched directory acts. It never authenticates. */
export const hubCaller: Caller = { keyId: 'hub', agentId: 'hestia', namespace: 'default', role: 'operator' };

/** Whoever has not shown who they are; failures to authenticate are on record under it. */
export const anonymousCaller: Caller = { keyId: 'none', agentId: 'anonymous', namespace: 'none', role: 'agent' };

/** A key as it may be shown: everything but its secret. Times are Unix milliseconds. */
export interface ApiKey extends Caller {
  createdAt: number;
  expiresAt: number | undefined;
  revokedAt: number | undefined;
  /** To the minute. */
  lastUsedAt: number | undefined;
}

/** The longest life a key may be given, in days. */
const expiresInDaysMax = 3650;

/** What an operator gives to create a key. */
export const keyRequestSchema = z.strictObject({
  agentId: agentIdSchema,
  namespace: namespaceSchema.default('default'),
  role: roleSchema.default('agent'),
  expiresInDays: z
    .number()
    .positive()
    .max(expiresInDaysMax)
    .optional()
    .describe('Days until the key stops working; never, if absent.'),
});
export type KeyRequest = z.infer<typeof keyRequestSchema>;

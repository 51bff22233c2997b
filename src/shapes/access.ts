/** Roles, callers and API keys. A key's secret is in no shape here. */
import { z } from 'zod';
import { filterTextSchema } from './page.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/**
 * `agent` may search, call tools, and activate its own skills. `auditor` may read everything and change nothing. `operator`
 * may do everything.
 */
export const roleSchema = z.enum(['agent', 'auditor', 'operator']);
export type Role = z.infer<typeof roleSchema>;

const identifierPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** The name of an agent: 1 to 64 letters, digits, `.`, `_`, `-`, with a letter or digit at either end. */
export const agentIdSchema = z
  .string()
  .regex(identifierPattern, 'must be 1 to 64 letters, digits, ".", "_" or "-", with a letter or digit at either end')
  .meta({ examples: ['billing-bot'] });

/** Names under which the hub itself acts, or records what nobody did. A key or token with one could forge such records. */
const hubActors: ReadonlySet<string> = new Set(['hestia', 'hub', 'scheduler', 'anonymous', 'start', 'system']);
/** The agent of the first key. */
const operatorAgentId = 'operator';

/** Whether an agent may not have this name, in any case of letters: it is the hub's, or that of the operator. */
export function isReservedAgentId(agentId: string, role: Role): boolean {
  const name = agentId.toLowerCase();
  return hubActors.has(name) || (name === operatorAgentId && role !== 'operator');
}

/** The name of a namespace, of the same form as an agent's. */
export const namespaceSchema = agentIdSchema.meta({ examples: ['default'] });

const globsMax = 100;
const globLengthMax = 256;
const globSchema = z
  .string()
  .min(1)
  .max(globLengthMax)
  .regex(/^[^[\]{}!]*$/, 'must have no wildcards but "*" and "?"');

/** What an API key is limited to: a tool must meet every condition that is present. */
export const keyScopeSchema = z
  .strictObject({
    servers: z
      .array(globSchema)
      .min(1)
      .max(globsMax)
      .optional()
      .describe('Globs of server ids. `hestia` has the tools of skills. `*` matches any text, `?` one character.'),
    tools: z
      .array(globSchema.regex(/\//, 'must be a server and a tool, such as "github/get_*"'))
      .min(1)
      .max(globsMax)
      .optional()
      .describe('Globs of `server/tool`, such as `github/get_*`.'),
    readOnly: z
      .boolean()
      .optional()
      .describe('Only tools whose annotations say `readOnlyHint: true`. The key cannot publish or activate skills.'),
  })
  .refine(({ servers, tools, readOnly }) => servers !== undefined || tools !== undefined || readOnly === true, {
    message: 'must have servers, tools or readOnly',
  })
  .meta({ id: 'KeyScope' });
export type KeyScope = z.infer<typeof keyScopeSchema>;

/** Who makes a call. Only authentication creates a caller; a request body never names another agent. */
export const callerSchema = z.strictObject({
  keyId: z.string(),
  agentId: z.string(),
  namespace: z.string(),
  role: roleSchema,
  /** What the key is limited to; absent for a key that may use every tool. */
  scope: keyScopeSchema.optional(),
});
/** Who makes a call, and until when. */
export type Caller = z.infer<typeof callerSchema> & {
  /** Aborts when the caller's key is revoked, or its key or access token expires. Absent for the hub's own callers. */
  readonly ended?: AbortSignal;
};

/** The caller of actions of the scheduler and of watched directories: the hub itself. It never authenticates. */
export const hubCaller: Caller = { keyId: 'hub', agentId: 'hestia', namespace: 'default', role: 'operator' };

/** A caller that has not authenticated; failures to authenticate are recorded under it. */
export const anonymousCaller: Caller = { keyId: 'none', agentId: 'anonymous', namespace: 'none', role: 'agent' };

/** An API key without its secret. Times are Unix milliseconds; `lastUsedAt` is accurate to the minute. */
export const apiKeySchema = z.object({
  ...callerSchema.shape,
  createdAt: z.number(),
  expiresAt: z.number().optional(),
  revokedAt: z.number().optional(),
  lastUsedAt: z.number().optional(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;

/** Whether a key can be used, and otherwise why not. */
export const keyStateSchema = z.enum(['valid', 'expired', 'revoked']);
export type KeyState = z.infer<typeof keyStateSchema>;

/** The state of a key at a time in Unix milliseconds. An expired key is revoked at its expiry, and is still expired. */
export function keyState({ expiresAt, revokedAt }: Pick<ApiKey, 'expiresAt' | 'revokedAt'>, at: number): KeyState {
  if (revokedAt !== undefined) return revokedAt === expiresAt ? 'expired' : 'revoked';
  return expiresAt !== undefined && expiresAt <= at ? 'expired' : 'valid';
}

/** Filters of a list of keys, which must all match. */
export const keyFilterSchema = z.object({
  query: filterTextSchema.optional().describe('Only keys whose agent or id contains this text, in any case of ASCII.'),
  namespace: namespaceSchema.optional().describe('Only keys of this namespace.'),
  role: roleSchema.optional().describe('Only keys of this role.'),
  state: z
    .enum([...keyStateSchema.options, 'expiring'])
    .optional()
    .describe('Only keys in this state. `expiring`: valid for at most 30 more days.'),
});
export type KeyFilter = z.infer<typeof keyFilterSchema>;

/** A key in an answer. */
export const keyViewSchema = apiKeySchema
  .extend({
    createdAt: isoTimeSchema,
    expiresAt: isoTimeSchema.optional(),
    revokedAt: isoTimeSchema.optional(),
    lastUsedAt: isoTimeSchema.optional(),
  })
  .meta({ id: 'Key' });

/** A key that was just created: the only answer that holds its secret. */
export const createdKeyViewSchema = keyViewSchema.extend({ key: z.string() });

/** The view of a key. */
export function keyView(key: ApiKey): z.infer<typeof keyViewSchema> {
  return keyViewSchema.parse({
    ...key,
    createdAt: isoTime(key.createdAt),
    expiresAt: isoTime(key.expiresAt),
    revokedAt: isoTime(key.revokedAt),
    lastUsedAt: isoTime(key.lastUsedAt),
  });
}

/** The longest lifetime of a key, in days. */
const expiresInDaysMax = 3650;

/** The body of `POST /v1/keys`. */
export const keyRequestSchema = z
  .strictObject({
    agentId: agentIdSchema,
    namespace: namespaceSchema.default('default'),
    role: roleSchema.default('agent'),
    expiresInDays: z
      .number()
      .positive()
      .max(expiresInDaysMax)
      .optional()
      .describe('Days until the key expires. If absent, it never expires.'),
    scope: keyScopeSchema.optional().describe('What the key is limited to. If absent, it may use every tool.'),
  })
  .refine(({ role, scope }) => scope === undefined || role === 'agent', {
    path: ['scope'],
    message: 'must be absent for auditors and operators, who see and manage all servers',
  })
  .refine(({ agentId, role }) => !isReservedAgentId(agentId, role), {
    path: ['agentId'],
    message: 'must not be a name of the hub (hestia, hub, scheduler, anonymous, start, system), or of its operator',
  });
export type KeyRequest = z.infer<typeof keyRequestSchema>;

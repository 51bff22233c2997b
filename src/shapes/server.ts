/** Upstream MCP servers: their configuration, as MCP clients write it, and their state. */
import { z } from 'zod';
import { isoTime, isoTimeSchema } from './time.ts';

/** The server id of the hub's own tools and of skills. No upstream server may have it. */
export const hubServerId = 'hestia';

/** The longest name of a server, in UTF-16 units. */
export const serverIdLengthMax = 64;

/**
 * A server's name in `mcpServers`: 1 to 64 letters, digits, blanks, `.`, `_`, `@`, `:`, `/`, `-`, beginning with a letter, a
 * digit or `@`, such as `files`, `@scope/name` or `io.github.user/server`.
 */
export const serverIdSchema = z
  .string()
  .regex(
    /^[\p{L}\p{N}@][\p{L}\p{N} ._@:/-]{0,63}$/u,
    'must be 1 to 64 letters, digits, blanks, ".", "_", "@", ":", "/" or "-", beginning with a letter, a digit or "@"',
  )
  .refine((id) => id !== hubServerId, `"${hubServerId}" is the hub's own name`);

/** A server that the hub starts and reaches over standard input and output. */
export const stdioServerSchema = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.string().min(1).describe('The program to start.'),
  args: z.array(z.string()).default([]).describe('Its arguments.'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Its environment variables, in addition to PATH, HOME, USER, LOGNAME, SHELL and TERM. No other variable is passed on.',
    ),
  cwd: z.string().optional().describe('Its working directory.'),
  autoConnect: z.boolean().default(true).describe('Connect at start.'),
});

/** A server reached by Streamable HTTP. */
export const httpServerSchema = z.strictObject({
  type: z.enum(['http', 'streamable-http']).optional(),
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL, as in "https://example.org/mcp"' })
    .describe('Its Streamable HTTP endpoint.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Headers sent with each request, such as Authorization.'),
  autoConnect: z.boolean().default(true).describe('Connect at start.'),
});

export type StdioServer = z.infer<typeof stdioServerSchema>;
export type HttpServer = z.infer<typeof httpServerSchema>;

/** One entry of `mcpServers` in the hub's form, with either `command` or `url`. */
export const serverConfigurationSchema = z.union([stdioServerSchema, httpServerSchema], {
  error: 'must be { "command", "args", "env", "cwd" } or { "url", "headers" }, each with an optional "autoConnect"',
});
export type ServerConfiguration = z.infer<typeof serverConfigurationSchema>;

/**
 * `disconnected`: not requested, or disconnected by an operator. `connecting`: the first attempt is in progress.
 * `connected`: tools may be called. `reconnecting`: the connection failed, and the next attempt is scheduled.
 * `misconfigured`: its entry in the configuration cannot be used; `reason` says why.
 */
export const serverStateSchema = z.enum(['disconnected', 'connecting', 'connected', 'reconnecting', 'misconfigured']);
export type ServerState = z.infer<typeof serverStateSchema>;

/** Why a connection failed, as a closed list. The text of the upstream server goes to the log only. */
export const serverErrorTypeSchema = z.enum([
  'spawn_failed',
  'connect_failed',
  'connect_timeout',
  'connection_lost',
  'list_failed',
]);
export type ServerErrorType = z.infer<typeof serverErrorTypeSchema>;

/**
 * The state of a server. It never holds the server's command, environment, headers or URL, which may contain secrets.
 * `stateSince` is Unix milliseconds.
 */
export const serverStatusSchema = z.object({
  serverId: z.string(),
  transport: z.enum(['stdio', 'http']),
  state: serverStateSchema,
  stateSince: z.number(),
  toolsCount: z.int(),
  /** Tools that were listed but cannot be offered: a second one of the same name, or a definition that is not valid. */
  toolsRefusedCount: z.int(),
  /** The protocol version agreed with the server, once connected. */
  protocolVersion: z.string().optional(),
  /** The type of the last failure since the server was last connected. */
  errorType: serverErrorTypeSchema.optional(),
  /** Why the server is misconfigured: the place in the file, what was found and what to write. */
  reason: z.string().optional(),
});
export type ServerStatus = z.infer<typeof serverStatusSchema>;

/** A server whose entry cannot be used. */
export interface MisconfiguredServer {
  serverId: string;
  transport: 'stdio' | 'http';
  /** One line: the file, the place, what was found and what to write. It contains no value that may be a secret. */
  reason: string;
}

/** A server in an answer. */
export const serverViewSchema = serverStatusSchema.extend({ stateSince: isoTimeSchema }).meta({ id: 'Server' });

/** All servers in an answer. */
export const serverListViewSchema = z.object({ items: z.array(serverViewSchema) });

/** The view of a server. */
export function serverView(status: ServerStatus): z.infer<typeof serverViewSchema> {
  return serverViewSchema.parse({ ...status, stateSince: isoTime(status.stateSince) });
}

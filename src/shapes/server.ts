/** Upstream MCP servers: their configuration, as MCP clients write it, and their state. */
import { z } from 'zod';
import { jsonObjectSchema } from './json.ts';
import { serverOauthSchema } from './oauth/server-oauth.ts';
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

/**
 * The variables of the hub's environment that every server over stdio gets: what a program needs to find its files, its
 * language, a proxy and trusted certificates. No other is passed on, since the hub's environment holds its secrets.
 */
export const inheritedVariables = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'TMPDIR', 'TMP', 'TEMP'],
  ...['LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'LC_MESSAGES', 'TZ'],
  ...['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY'],
  ...['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'AWS_CA_BUNDLE', 'NIX_SSL_CERT_FILE'],
] as const;

/** The part of an environment that every server over stdio gets. A shell function is left out, as in Shellshock. */
export function inheritedEnvironment(environment: Record<string, string | undefined>): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of inheritedVariables) {
    const value = environment[name];
    if (value !== undefined && !value.startsWith('()')) inherited[name] = value;
  }
  return inherited;
}

/** A server that the hub starts and reaches over standard input and output. */
export const stdioServerSchema = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.string().min(1).describe('The program to start.'),
  args: z.array(z.string()).default([]).describe('Its arguments.'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      `Its environment variables. Of the hub's own, these are passed on: ${inheritedVariables.join(', ')}. No other variable is.`,
    ),
  cwd: z.string().optional().describe('Its working directory.'),
  autoConnect: z.boolean().default(true).describe('Connect at start.'),
  disabledTools: z.array(z.string()).optional().describe('Names of its tools that are not offered.'),
});

/** A server reached by Streamable HTTP, or by its predecessor HTTP+SSE. */
export const httpServerSchema = z.strictObject({
  type: z
    .enum(['http', 'streamable-http', 'sse'])
    .optional()
    .describe('Its transport: `http` or `streamable-http`, or `sse` for HTTP+SSE of 2024. If unset: both are tried.'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL, as in "https://example.org/mcp"' })
    .describe('Its MCP endpoint.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Headers sent with each request, such as Authorization.'),
  oauth: serverOauthSchema.optional().describe('How the hub logs in. If unset: as the server asks for.'),
  autoConnect: z.boolean().default(true).describe('Connect at start.'),
  disabledTools: z.array(z.string()).optional().describe('Names of its tools that are not offered.'),
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
  'message_too_large',
  'login_required',
]);
export type ServerErrorType = z.infer<typeof serverErrorTypeSchema>;

/** What is known about the last failure. `systemCode` is a code of the operating system, such as `ENOENT`. */
export const serverFailureSchema = z.object({
  httpStatus: z.int().optional(),
  systemCode: z.string().optional(),
  jsonRpcCode: z.int().optional(),
  exitCode: z.int().optional(),
  exitSignal: z.string().optional(),
  /** The last lines that the process wrote to standard error. Only callers who may manage servers see them. */
  stderrLines: z.array(z.string()).optional(),
});
export type ServerFailure = z.infer<typeof serverFailureSchema>;

/**
 * The state of a server. It never holds the server's command, environment, headers or URL, which may contain secrets.
 * `stateSince` and `retryAt` are Unix milliseconds.
 */
export const serverStatusSchema = z.object({
  serverId: z.string(),
  transport: z.enum(['stdio', 'http']),
  state: serverStateSchema,
  stateSince: z.number(),
  toolsCount: z.int(),
  /**
   * Tools that were listed but cannot be offered: a second one of the same name, a definition that is not valid, or a new name
   * where 50,000 of the server are pinned.
   */
  toolsRefusedCount: z.int(),
  /** The protocol version agreed with the server, once connected. */
  protocolVersion: z.string().optional(),
  /** The type of the last failure since the server was last connected. */
  errorType: serverErrorTypeSchema.optional(),
  /** Why the server is misconfigured: the place in the file, what was found and what to write. Or how to log in. */
  reason: z.string().optional(),
  /** Codes and output of that failure. */
  failure: serverFailureSchema.optional(),
  /** When the next attempt to connect is due, while the server is reconnecting. */
  retryAt: z.number().optional(),
  /** True while the server is left alone until `retryAt`, because it died too often. */
  quarantined: z.boolean().optional(),
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
export const serverViewSchema = serverStatusSchema
  .extend({ stateSince: isoTimeSchema, retryAt: isoTimeSchema.optional() })
  .meta({ id: 'Server' });

/** A new server in a request. */
export const serverCreationSchema = z.strictObject({
  serverId: z.string().min(1).max(serverIdLengthMax).describe('Its name.'),
  configuration: jsonObjectSchema.describe(
    'Its entry as in `mcpServers`, in the notation of the hub or of an MCP client.',
  ),
});

/** A change of a server in a request. */
export const serverPatchSchema = z.strictObject({
  configuration: jsonObjectSchema.describe('The keys of its entry to change; null removes a key (RFC 7396).'),
});

/** All servers in an answer. */
export const serverListViewSchema = z.object({ items: z.array(serverViewSchema) });

/** The view of a server. */
export function serverView({ stateSince, retryAt, ...status }: ServerStatus): z.infer<typeof serverViewSchema> {
  const times = { stateSince: isoTime(stateSince), retryAt: retryAt === undefined ? undefined : isoTime(retryAt) };
  return serverViewSchema.parse({ ...status, ...times });
}

/** The keys of server entries, as MCP clients write them: those the hub uses, and those it ignores. */

/** The keys of the hub's form, which most clients share. */
export const ownKeys = [
  ...['command', 'args', 'env', 'cwd', 'url', 'headers', 'type'],
  ...['autoConnect', 'disabled', 'enabled', 'disabledTools', 'oauth'],
] as const;

/** One of the hub's keys. */
export type OwnKey = (typeof ownKeys)[number];

/** Other names of the hub's keys, with the clients that use them. */
export const aliases: Readonly<Record<string, OwnKey>> = {
  cmd: 'command', // Goose
  environment: 'env', // opencode
  envs: 'env', // Goose
  serverUrl: 'url', // Windsurf
  httpUrl: 'url', // Gemini CLI, for Streamable HTTP
  uri: 'url', // Goose
  baseUrl: 'url', // Cherry Studio
  http_headers: 'headers', // Codex
  transport: 'type', // LangChain, FastMCP
  transportType: 'type', // Cline
  auth: 'oauth', // Cursor, FastMCP
  isActive: 'enabled', // Cherry Studio
  disabled_tools: 'disabledTools', // Codex, mcp-hub
  excludeTools: 'disabledTools', // Gemini CLI
};

/** Keys that are translated into `env` or `headers`, with the clients that use them. */
export const translatedKeys = [
  'env_keys', // Goose: names of secrets
  'env_vars', // Codex: names of variables that are passed on
  'env_http_headers', // Codex: headers whose values are in variables
  'bearer_token_env_var', // Codex
  'bearerToken', // MetaMCP
  'requestInit', // the options of fetch, as the MCP library takes them
] as const;

/** Keys that change what the server gets in a way the hub has no equivalent for, and what to write instead. */
export const refusedKeys: Readonly<Record<string, string>> = {
  envFile:
    'the hub reads no file of variables; write each of them into "env", as in "env": { "NAME": "${NAME}" }, and start the hub with NAME set',
  headersHelper:
    'the hub runs no command for headers; write them into "headers", as in "headers": { "Authorization": "Bearer ${TOKEN}" }, and start the hub with TOKEN set',
  settings:
    'the settings are for an extension of the editor, which the hub cannot start; write the server of the extension as "command" and "args"',
};

const approval = 'approval of calls is up to the client that calls the hub';
const timeout = 'the hub has limits.callTimeoutMs and limits.connectTimeoutMs for all servers';
const tools = 'the hub offers all tools of the server but those of "disabledTools"';
const login = 'the hub logs in by itself; run: hestia servers login <id>. Scopes and a client id are keys of "oauth"';
const display = 'it is for display only';
const client = 'only the client needs it';

/** Keys that only a client needs, by what follows for the hub. */
const clientKeysByMeaning: ReadonlyArray<readonly [string, readonly string[]]> = [
  [
    approval,
    ['autoApprove', 'alwaysAllow', 'trust', 'default_tools_approval_mode', 'autoApproveAll', 'requireApproval'],
  ],
  [
    timeout,
    [
      ...['timeout', 'timeoutMs', 'timeout_ms', 'requestTimeout', 'initTimeout', 'connectTimeout', 'networkTimeout'],
      ...['startup_timeout_sec', 'startup_timeout_ms', 'tool_timeout_sec', 'sse_read_timeout', 'sseReadTimeout'],
    ],
  ],
  [
    tools,
    [
      ...['tools', 'includeTools', 'enabledTools', 'enabled_tools'],
      ...['available_tools', 'allowedTools', 'disabled_prompts', 'disabled_resources', 'disabled_resourceTemplates'],
    ],
  ],
  [
    login,
    [
      ...['authProviderType', 'oauth_tokens', 'oauthTokens', 'oauth_resource', 'scopes', 'oauthScopes'],
      ...['targetAudience', 'targetServiceAccount'],
    ],
  ],
  [
    display,
    [
      ...['name', 'title', 'displayName', 'display_name', 'description', 'icon', 'icons', 'iconUrl', 'iconPath'],
      ...['logoUrl', 'tags', 'provider', 'providerUrl', 'version', 'author', 'category', 'homepage', 'repository'],
      ...['note', 'notes', 'comment', 'custom_instructions', 'serverInstructions', 'reference', 'id', 'uuid'],
    ],
  ],
  [
    client,
    [
      ...['gallery', 'dev', 'sandbox', 'sandboxEnabled', 'watchPaths', 'source', 'sourcePath', 'registry', 'bundled'],
      ...['required', 'restart', 'installSource', 'longRunning', 'config_source', 'lastUpdated', 'metadata', 'group'],
      ...['supports_parallel_tool_calls', 'anythingllm', 'alwaysLoad', 'chatMenu', 'startup', 'managed', 'priority'],
      ...['experimental_environment', 'roots', 'remote_auth', 'autoStart', 'autoUpdate', 'deferTools', 'deferred'],
    ],
  ],
];

/** Keys that only a client needs, each with what that means for the hub. They are ignored with a warning. */
export const clientKeys: ReadonlyMap<string, string> = new Map(
  clientKeysByMeaning.flatMap(([meaning, keys]) => keys.map((key) => [key, meaning] as const)),
);

/** All keys that have a meaning, for hints about misspelled ones. */
export const knownKeys: readonly string[] = [
  ...ownKeys,
  ...Object.keys(aliases),
  ...translatedKeys,
  ...Object.keys(refusedKeys),
  ...clientKeys.keys(),
];

/** True for keys by which people write comments into JSON, such as `//` and `_comment`. */
export function isCommentKey(key: string): boolean {
  return /^(?:\/\/|#|_|\$)/.test(key);
}

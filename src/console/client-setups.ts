/** Configurations of MCP clients for this hub, in the form that the documentation of each client has. */

/** A client, where its configuration goes, and what to write there. The documents have a page of each, `docs/clients/<id>.md`. */
export interface ClientSetup {
  id: string;
  client: string;
  /** Where the text goes: a sentence without a full stop, or with one if it is more than one sentence. */
  place: string;
  language: 'json' | 'sh' | 'toml';
  /** The text for the URL of an MCP endpoint and an API key. */
  text: (hub: { url: string; key: string }) => string;
}

const bearer = (key: string) => `Bearer ${key}`;
const pretty = (value: object) => JSON.stringify(value, undefined, 2);

/** All clients with a configuration of their own. Pure. */
export const clientSetups: readonly ClientSetup[] = [
  {
    id: 'claude-code',
    client: 'Claude Code',
    place: 'On the command line',
    language: 'sh',
    text: ({ url, key }) =>
      `claude mcp add --scope user --transport http hestia ${url} --header "Authorization: ${bearer(key)}"`,
  },
  {
    id: 'claude-desktop',
    client: 'Claude Desktop',
    place: 'In claude_desktop_config.json. It starts servers as programs; mcp-remote is one that connects to this hub.',
    language: 'json',
    // The space of the value is not in `args`, where Claude Desktop on Windows splits it.
    text: ({ url, key }) =>
      pretty({
        mcpServers: {
          hestia: {
            command: 'npx',
            args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${HESTIA_AUTHORIZATION}'],
            env: { HESTIA_AUTHORIZATION: bearer(key) },
          },
        },
      }),
  },
  {
    id: 'vs-code',
    client: 'VS Code',
    place: 'In .vscode/mcp.json of a workspace, or the file that the command “MCP: Open User Configuration” opens',
    language: 'json',
    text: ({ url, key }) =>
      pretty({ servers: { hestia: { type: 'http', url, headers: { Authorization: bearer(key) } } } }),
  },
  {
    id: 'cursor',
    client: 'Cursor',
    place: 'In ~/.cursor/mcp.json, or .cursor/mcp.json of a project',
    language: 'json',
    text: ({ url, key }) => pretty({ mcpServers: { hestia: { url, headers: { Authorization: bearer(key) } } } }),
  },
  {
    id: 'windsurf',
    client: 'Windsurf',
    place: 'In ~/.codeium/windsurf/mcp_config.json',
    language: 'json',
    text: ({ url, key }) =>
      pretty({ mcpServers: { hestia: { serverUrl: url, headers: { Authorization: bearer(key) } } } }),
  },
  {
    id: 'codex',
    client: 'Codex',
    place: 'In ~/.codex/config.toml',
    language: 'toml',
    text: ({ url, key }) => `[mcp_servers.hestia]\nurl = "${url}"\nhttp_headers = { Authorization = "${bearer(key)}" }`,
  },
  {
    id: 'gemini-cli',
    client: 'Gemini CLI',
    place: 'In ~/.gemini/settings.json',
    language: 'json',
    text: ({ url, key }) =>
      pretty({ mcpServers: { hestia: { httpUrl: url, headers: { Authorization: bearer(key) } } } }),
  },
];

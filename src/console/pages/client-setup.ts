/** Configurations of MCP clients for this hub, to be copied. */
import type { Caller } from '../../shapes/access.ts';
import { html, lines, type Markup } from '../markup.ts';

/** A client, the file that its configuration is in, and the text. */
interface ClientSetup {
  client: string;
  file: string;
  text: (url: string) => string;
}

/** What stands for the key in the texts. */
const keyPlaceholder = 'YOUR_KEY';

const headers = { Authorization: `Bearer ${keyPlaceholder}` };
const pretty = (value: object) => JSON.stringify(value, undefined, 2);

// The formats of the clients' documentation.
const setups: readonly ClientSetup[] = [
  {
    client: 'Claude Code',
    file: 'command line',
    text: (url) => `claude mcp add --transport http hestia ${url} --header "Authorization: Bearer ${keyPlaceholder}"`,
  },
  {
    client: 'Claude Desktop',
    file: 'claude_desktop_config.json',
    text: (url) =>
      pretty({
        mcpServers: {
          hestia: {
            command: 'npx',
            args: ['-y', 'mcp-remote', url, '--header', `Authorization: Bearer ${keyPlaceholder}`],
          },
        },
      }),
  },
  {
    client: 'VS Code',
    file: '.vscode/mcp.json',
    text: (url) => pretty({ servers: { hestia: { type: 'http', url, headers } } }),
  },
  { client: 'Cursor', file: '.cursor/mcp.json', text: (url) => pretty({ mcpServers: { hestia: { url, headers } } }) },
  {
    client: 'Codex',
    file: '~/.codex/config.toml',
    text: (url) => `[mcp_servers.hestia]\nurl = "${url}"\nbearer_token_env_var = "HESTIA_KEY"`,
  },
  {
    client: 'Gemini CLI',
    file: '~/.gemini/settings.json',
    text: (url) => pretty({ mcpServers: { hestia: { httpUrl: url, headers } } }),
  },
];

/** The configurations for the hub that a page is read from. */
export function clientSetup({ origin }: URL, { role }: Caller): Markup {
  const key =
    role === 'operator' ? html`<a href="/console/keys">Create a key</a> for the agent` : 'Use the key of the agent';
  return html`<p>${key}, and put it in the place of <code>${keyPlaceholder}</code>.</p>
    ${setups.map(
      ({ client, file, text }) =>
        html`<details><summary>${client}</summary><p class="hint">${file}</p><pre class="copy"><code>${lines(text(`${origin}/mcp`))}</code></pre></details>`,
    )}`;
}

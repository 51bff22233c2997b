/** The page that connects a client: a key of its own, and the configurations of MCP clients. */
import { Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import { keyRequestSchema } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { zodViolations } from '../../shapes/violation.ts';
import type { PageContext } from '../layout.ts';
import { html, lines, type Markup } from '../markup.ts';
import { actionForm, field } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** A client, where its configuration goes, and the text for a hub and a key. */
interface ClientSetup {
  client: string;
  place: string;
  text: (hub: { url: string; key: string }) => string;
}

/** What stands for the key where none was created. */
const keyPlaceholder = 'YOUR_KEY';

const bearer = (key: string) => `Bearer ${key}`;
const pretty = (value: object) => JSON.stringify(value, undefined, 2);

// The forms that the documentation of each client has.
const setups: readonly ClientSetup[] = [
  {
    client: 'Claude Code',
    place: 'On the command line',
    text: ({ url, key }) => `claude mcp add --transport http hestia ${url} --header "Authorization: ${bearer(key)}"`,
  },
  {
    client: 'Claude Desktop',
    place: 'In claude_desktop_config.json. It starts servers as programs; mcp-remote is one that connects to this hub.',
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
    client: 'VS Code',
    place: 'In .vscode/mcp.json',
    text: ({ url, key }) =>
      pretty({ servers: { hestia: { type: 'http', url, headers: { Authorization: bearer(key) } } } }),
  },
  {
    client: 'Cursor',
    place: 'In ~/.cursor/mcp.json, or .cursor/mcp.json of a project',
    text: ({ url, key }) => pretty({ mcpServers: { hestia: { url, headers: { Authorization: bearer(key) } } } }),
  },
  {
    client: 'Codex',
    place: 'In ~/.codex/config.toml',
    text: ({ url, key }) => `[mcp_servers.hestia]\nurl = "${url}"\nhttp_headers = { Authorization = "${bearer(key)}" }`,
  },
  {
    client: 'Gemini CLI',
    place: 'In ~/.gemini/settings.json',
    text: ({ url, key }) =>
      pretty({ mcpServers: { hestia: { httpUrl: url, headers: { Authorization: bearer(key) } } } }),
  },
];

/** The routes below `/console/connect`. */
export function connectPages({ access }: { access: AccessService }): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  const title = 'Connect a client';
  const about = 'An agent, an editor or an assistant that uses the tools and skills of this hub.';
  router.get('/console/connect', (c) => {
    const context = c.var.page;
    const content = html`${context.caller.role === 'operator' ? keyForm(context) : html`<p>Use the key of the agent, in the place of <code>${keyPlaceholder}</code>. An operator creates keys.</p>`}
      ${configurations(context, keyPlaceholder)}`;
    return show(c, { title, about, content });
  });
  router.post('/console/connect', async (c) => {
    const context = c.var.page;
    const { agentId } = await c.req.parseBody();
    const parsed = keyRequestSchema.safeParse({ agentId, namespace: context.caller.namespace });
    if (!parsed.success) {
      const [first] = zodViolations(parsed.error, { valueName: 'key' });
      throw new HestiaError('INVALID_REQUEST', `${first?.field}: ${first?.message}`);
    }
    const { key, secret } = await access.create(context.caller, parsed.data);
    const content = html`<p class="notice good" role="status">The key of ${key.agentId} is in the configurations below. It is shown only now.</p>
      ${configurations(context, secret)}<p><a href="/console/keys">All keys</a></p>`;
    return show(c, { title, about, content });
  });
  return router;
}

function keyForm(context: PageContext): Markup {
  const input = html`<input id="agentId" name="agentId" required maxlength="64" placeholder="my-laptop">`;
  const hint = 'Each client has a key of its own: what it does is on record under this name.';
  return html`<section class="card"><h2>1. A key for the client</h2>
    ${actionForm(context, { action: '/console/connect', button: 'Create a key', content: field('agentId', 'Name of the agent', input, hint) })}
  </section>`;
}

function configurations({ url: { origin } }: PageContext, key: string): Markup {
  const url = `${origin}/mcp`;
  const isPlaceholder = key === keyPlaceholder;
  return html`<section><h2>${isPlaceholder ? '2. ' : ''}Its configuration</h2>
    <p>${isPlaceholder && html`With a new key, it is in the place of <code>${keyPlaceholder}</code>. `}Any other client connects by Streamable HTTP to <code>${url}</code>, with the key as bearer token.</p>
    <div class="setups">${setups.map(
      ({ client, place, text }) =>
        html`<article class="card"><h3>${client}</h3><p class="hint">${place}</p><pre class="copy" data-client="${client}"><code>${lines(text({ url, key }))}</code></pre></article>`,
    )}</div></section>`;
}

/** The page that connects a client: a key of its own, and the configurations of MCP clients. */
import { Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import { keyRequestSchema } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { zodViolations } from '../../shapes/violation.ts';
import { clientSetups } from '../client-setups.ts';
import type { PageContext } from '../layout.ts';
import { html, lines, type Markup } from '../markup.ts';
import { actionForm, field } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

/** What stands for the key where none was created. */
const keyPlaceholder = 'YOUR_KEY';

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
    <div class="setups">${clientSetups.map(
      ({ client, place, text }) =>
        html`<article class="card"><h3>${client}</h3><p class="hint">${place}</p><pre class="copy" data-client="${client}"><code>${lines(text({ url, key }))}</code></pre></article>`,
    )}</div></section>`;
}

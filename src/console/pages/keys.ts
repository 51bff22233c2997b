/** The pages of API keys: who may use the hub, new keys and their revocation. */
import { Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import { type ApiKey, keyRequestSchema, roleSchema } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeCursor, encodeCursor } from '../../shapes/page.ts';
import { zodViolations } from '../../shapes/violation.ts';
import type { PageContext } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { actionForm, badge, choice, field, nextPage, table, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

const pageSize = 50;

/** The routes below `/console/keys`. */
export function keyPages({ access }: { access: AccessService }): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/keys', async (c) => {
    const context = c.var.page;
    const after = decodeCursor(c.req.query('cursor'));
    const keys = await access.list(context.caller, { limit: pageSize, ...(after !== undefined && { after }) });
    const last = keys.at(-1);
    const content = html`${table(keys, columns(context), 'No key.')}
      ${nextPage(context, keys.length === pageSize && last !== undefined ? encodeCursor(last.keyId) : undefined)}
      <section><h2>New key</h2>${createForm(context)}</section>`;
    return show(c, {
      title: 'Keys',
      about: 'Who may use the hub, and as what. A secret is shown once, when its key is created.',
      content,
    });
  });
  router.post('/console/keys', async (c) => {
    const context = c.var.page;
    const { formToken: _, ...fields } = await c.req.parseBody();
    const { key, secret } = await access.create(context.caller, keyRequest(fields));
    const content = html`<p class="notice good" role="status">The key of ${key.agentId} was created. Its secret is shown only now:</p>
      <pre class="copy secret"><code>${secret}</code></pre><p><a href="/console/keys">All keys</a></p>`;
    return show(c, { title: 'New key', content });
  });
  router.post('/console/keys/:id/revoke', async (c) => {
    await access.revoke(c.var.page.caller, c.req.param('id'));
    return c.redirect('/console/keys', 303);
  });
  return router;
}

function columns(context: PageContext) {
  const { now } = context;
  return [
    {
      title: 'Agent',
      cell: ({ agentId }: ApiKey) => html`<a href="/console/activity?agent=${agentId}&amp;order=newest">${agentId}</a>`,
    },
    { title: 'Namespace', cell: ({ namespace }: ApiKey) => namespace },
    { title: 'Role', cell: ({ role }: ApiKey) => role },
    { title: 'Limited to', cell: ({ scope }: ApiKey) => scope && JSON.stringify(scope) },
    { title: 'Created', cell: ({ createdAt }: ApiKey) => time(createdAt, now) },
    { title: 'Last used', cell: ({ lastUsedAt }: ApiKey) => time(lastUsedAt, now) ?? 'never' },
    { title: 'State', cell: (key: ApiKey) => stateOf(key, context) },
  ];
}

function stateOf({ keyId, revokedAt, expiresAt }: ApiKey, context: PageContext): Markup {
  const { now } = context;
  if (revokedAt !== undefined) return html`${badge('revoked', 'neutral')} ${time(revokedAt, now)}`;
  if (expiresAt !== undefined && expiresAt <= now) return html`${badge('expired', 'neutral')} ${time(expiresAt, now)}`;
  const revoke = actionForm(context, { action: `/console/keys/${keyId}/revoke`, button: 'Revoke', tone: 'quiet' });
  return html`${badge('valid', 'good')}${expiresAt !== undefined && html` until ${time(expiresAt, now)}`} ${revoke}`;
}

function createForm(context: PageContext): Markup {
  const content = html`
    ${field('agentId', 'Agent', html`<input id="agentId" name="agentId" required maxlength="64" placeholder="billing-bot">`)}
    ${field('namespace', 'Namespace', html`<input id="namespace" name="namespace" maxlength="64" placeholder="default">`)}
    ${field('role', 'Role', choice('role', roleSchema.options, { none: 'agent', selected: undefined }))}
    ${field('expiresInDays', 'Valid for, days', html`<input id="expiresInDays" name="expiresInDays" inputmode="numeric" placeholder="for ever">`)}
    <div class="field"><label><input type="checkbox" name="readOnly" value="true"> Only tools that read</label></div>`;
  return actionForm(context, { action: '/console/keys', button: 'Create', content });
}

/** The request of a form. @throws HestiaError INVALID_REQUEST */
function keyRequest({ agentId, namespace, role, expiresInDays, readOnly }: Record<string, unknown>) {
  const given = (value: unknown) => (value === '' ? undefined : value);
  const request = {
    agentId,
    namespace: given(namespace),
    role: given(role),
    expiresInDays: given(expiresInDays) === undefined ? undefined : Number(expiresInDays),
    scope: readOnly === 'true' ? { readOnly: true } : undefined,
  };
  const present = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
  const parsed = keyRequestSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const [first] = zodViolations(parsed.error, { valueName: 'key' });
  throw new HestiaError('INVALID_REQUEST', `${first?.field}: ${first?.message}`);
}

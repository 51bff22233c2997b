/** The pages of API keys: who may use the hub, new keys and their revocation. */
import { Hono } from 'hono';
import type { AccessService } from '../../domain/access-service.ts';
import {
  type ApiKey,
  type KeyScope,
  keyFilterSchema,
  keyRequestSchema,
  keyState,
  keyStateSchema,
  roleSchema,
} from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeCursor } from '../../shapes/page.ts';
import { zodViolations } from '../../shapes/violation.ts';
import type { PageContext } from '../layout.ts';
import { choicesOf, cursorOf, type Filter, filterForm, given, givenChoice, listTable } from '../list.ts';
import { html, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, choice, field, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';

const pageSize = 50;

const filters: readonly Filter[] = [
  { name: 'query', label: 'Agent or key', placeholder: 'billing-bot' },
  { name: 'namespace', label: 'Namespace', placeholder: 'default' },
  { name: 'role', label: 'Role', choices: choicesOf(roleSchema.options) },
  {
    name: 'state',
    label: 'State',
    choices: { ...choicesOf(keyStateSchema.options), expiring: 'ends within 30 days' },
  },
];

/** The routes below `/console/keys`. */
export function keyPages({ access }: { access: AccessService }): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/keys', async (c) => {
    const context = c.var.page;
    const keys = await access.list(context.caller, {
      query: given(context, 'query'),
      namespace: given(context, 'namespace'),
      role: givenChoice(context, 'role', roleSchema),
      state: givenChoice(context, 'state', keyFilterSchema.shape.state.unwrap()),
      after: decodeCursor(cursorOf(context)),
      limit: pageSize,
    });
    const page = { rows: keys, pageSize, position: ({ keyId }: ApiKey) => keyId, columns: columns(context), filters };
    const content = html`${filterForm(context, filters)}
      ${listTable(context, { ...page, noun: 'key', empty: 'No key yet. Create one below.' })}
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
      cell: ({ agentId, keyId }: ApiKey) =>
        html`<a href="/console/activity?agent=${agentId}">${agentId}</a><code class="hint line" title="the id of the key">${keyId}</code>`,
      isText: true,
    },
    { title: 'Namespace', cell: ({ namespace }: ApiKey) => namespace },
    { title: 'Role', cell: ({ role }: ApiKey) => role },
    { title: 'Limited to', cell: ({ scope }: ApiKey) => scope && limits(scope) },
    { title: 'Created', cell: ({ createdAt }: ApiKey) => time(createdAt, now) },
    { title: 'Last used', cell: ({ lastUsedAt }: ApiKey) => time(lastUsedAt, now) ?? 'never' },
    { title: 'State', cell: (key: ApiKey) => stateOf(key, context) },
  ];
}

/** What a key is limited to, one condition a line. */
function limits({ readOnly, servers, tools }: KeyScope): Shown {
  const list = [readOnly === true && 'tools that read', ...(servers ?? []), ...(tools ?? [])];
  return list.filter((each) => each !== false).map((each) => html`<span class="line">${each}</span>`);
}

function stateOf(key: ApiKey, context: PageContext): Markup {
  const { keyId, revokedAt, expiresAt } = key;
  const { now } = context;
  const state = keyState(key, now);
  if (state !== 'valid') return html`${badge(state, 'neutral')} ${time(revokedAt ?? expiresAt, now)}`;
  const revoke = actionForm(context, { action: `/console/keys/${keyId}/revoke`, button: 'Revoke', tone: 'quiet' });
  return html`${badge('valid', 'good')}${expiresAt !== undefined && html` ends ${time(expiresAt, now)}`} ${revoke}`;
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

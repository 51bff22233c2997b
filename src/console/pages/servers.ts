/** The pages of upstream servers: their states, why one does not connect, and their changes. */
import { type Context, Hono } from 'hono';
import { type ParseError, parse as parseJsonc } from 'jsonc-parser';
import type { ServerService } from '../../domain/server-service.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { LoginView } from '../../shapes/oauth/login.ts';
import { decodeCursor } from '../../shapes/page.ts';
import { type ServerStatus, serverStateSchema } from '../../shapes/server.ts';
import type { PageContext } from '../layout.ts';
import { choicesOf, cursorOf, type Filter, filterForm, given, givenChoice, listTable } from '../list.ts';
import { html, lines, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, facts, field, type Tone, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { serverAdvice } from './server-advice.ts';

/** Dependencies of the pages. */
export interface ServerPagesDeps {
  servers: ServerService;
}

/** The routes below `/console/servers`. */
export function serverPages({ servers }: ServerPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/servers', async (c) => {
    const context = c.var.page;
    const isOperator = context.caller.role === 'operator';
    const empty = html`No server is configured yet. ${isOperator ? 'Paste a configuration below, or write it into' : 'An operator adds one here, or in'} <code>mcpServers</code> of <code>hestia.config.json</code>.`;
    const list = listTable(context, {
      rows: await filtered(servers, context),
      pageSize,
      position: ({ serverId }) => serverId,
      columns: columns(context),
      empty,
      noun: 'server',
      filters,
    });
    return show(c, {
      title: 'Servers',
      about: 'The MCP servers whose tools agents use through the hub.',
      content: html`${filterForm(context, filters)}${list}
        ${isOperator && addForm(context)}`,
    });
  });
  router.post('/console/servers', async (c) => {
    const { configuration } = await c.req.parseBody();
    for (const server of pastedServers(typeof configuration === 'string' ? configuration : ''))
      await servers.add(c.var.page.caller, server);
    return c.redirect('/console/servers', 303);
  });
  router.get('/console/servers/:id', async (c) => {
    const context = c.var.page;
    const list = await servers.list(context.caller);
    const server = list.find(({ serverId }) => serverId === c.req.param('id'));
    if (server === undefined) throw notFound('server');
    return show(c, {
      title: server.serverId,
      about: 'An MCP server behind the hub.',
      content: details(server, context),
    });
  });
  router.post('/console/servers/:id/connect', (c) => changed(c, (id) => servers.connect(c.var.page.caller, id)));
  router.post('/console/servers/:id/disconnect', (c) => changed(c, (id) => servers.disconnect(c.var.page.caller, id)));
  router.post('/console/servers/:id/remove', async (c) => {
    await servers.remove(c.var.page.caller, c.req.param('id'));
    return c.redirect('/console/servers', 303);
  });
  addChanges(router, servers);
  return router;
}

/** Adds the changes of one server: switched off or on, edited, logged in to or out of. */
function addChanges(router: Hono<ConsoleEnv>, servers: ServerService): void {
  router.post('/console/servers/:id/switch-off', (c) =>
    changed(c, (serverId) => servers.change(c.var.page.caller, { serverId, configuration: { disabled: true } })),
  );
  router.post('/console/servers/:id/switch-on', (c) =>
    changed(c, (serverId) => servers.change(c.var.page.caller, { serverId, configuration: switchedOn })),
  );
  router.post('/console/servers/:id/edit', async (c) => {
    const { change } = await c.req.parseBody();
    const configuration = pastedJson('change', typeof change === 'string' ? change : '');
    if (!isJsonObject(configuration))
      throw new HestiaError('INVALID_REQUEST', `change: must be an object such as ${exampleChange}`);
    return changed(c, (serverId) => servers.change(c.var.page.caller, { serverId, configuration }));
  });
  router.post('/console/servers/:id/login', async (c) => {
    const serverId = c.req.param('id');
    const { flow } = await c.req.parseBody();
    const request = { flow: flow === 'device' ? 'device' : 'browser' } as const;
    return show(c, loginPage(await servers.beginLogin(c.var.page.caller, serverId, request)));
  });
  router.post('/console/servers/:id/logout', (c) =>
    changed(c, (serverId) => servers.logout(c.var.page.caller, serverId, {})),
  );
}

const pageSize = 100;

const filters: readonly Filter[] = [
  { name: 'query', label: 'Server', placeholder: 'github' },
  { name: 'state', label: 'State', choices: choicesOf(serverStateSchema.options) },
];

/** The servers of a page, in the order of their names. */
async function filtered(servers: ServerService, context: PageContext): Promise<ServerStatus[]> {
  const state = givenChoice(context, 'state', serverStateSchema);
  const query = given(context, 'query')?.toLowerCase() ?? '';
  const after = decodeCursor(cursorOf(context));
  return (await servers.list(context.caller))
    .filter(
      (server) =>
        (state === undefined || server.state === state) &&
        server.serverId.toLowerCase().includes(query) &&
        (after === undefined || server.serverId > after),
    )
    .toSorted((a, b) => (a.serverId < b.serverId ? -1 : 1))
    .slice(0, pageSize);
}

async function changed(
  c: Context<ConsoleEnv, '/console/servers/:id/connect'>,
  change: (id: string) => Promise<unknown>,
) {
  await change(c.req.param('id'));
  return c.redirect(serverPath(c.req.param('id')), 303);
}

function serverPath(serverId: string): string {
  return `/console/servers/${encodeURIComponent(serverId)}`;
}

const tones: Record<ServerStatus['state'], Tone> = {
  connected: 'good',
  connecting: 'neutral',
  reconnecting: 'warning',
  disconnected: 'neutral',
  misconfigured: 'bad',
};

function stateBadge({ state }: ServerStatus): Markup {
  return badge(state, tones[serverStateSchema.parse(state)]);
}

function columns({ now }: PageContext) {
  return [
    { title: 'Server', cell: ({ serverId }: ServerStatus) => html`<a href="${serverPath(serverId)}">${serverId}</a>` },
    { title: 'State', cell: stateBadge },
    { title: 'Since', cell: ({ stateSince }: ServerStatus) => time(stateSince, now) },
    { title: 'Tools', cell: ({ toolsCount }: ServerStatus) => toolsCount, isNumber: true },
    { title: 'Transport', cell: ({ transport }: ServerStatus) => transport },
    { title: 'Why', cell: (server: ServerStatus) => whyNot(server), isText: true },
  ];
}

/** Why a server is not connected, in one line; undefined for one that is. */
function whyNot({ reason, errorType, failure }: ServerStatus): Shown {
  if (reason !== undefined) return reason;
  const { httpStatus, systemCode, jsonRpcCode, exitCode, exitSignal } = failure ?? {};
  const codes = [
    httpStatus !== undefined && `HTTP ${httpStatus}`,
    systemCode,
    jsonRpcCode !== undefined && `JSON-RPC ${jsonRpcCode}`,
    exitCode !== undefined && `exit code ${exitCode}`,
    exitSignal,
  ].filter((code) => typeof code === 'string');
  return [errorType, ...codes].filter((part) => part !== undefined).join(', ');
}

function details(server: ServerStatus, context: PageContext): Markup {
  const { serverId, failure } = server;
  const why = whyNot(server);
  return html`${facts([
    ['State', html`${stateBadge(server)} ${time(server.stateSince, context.now)}`],
    ['Why', why === '' ? undefined : why],
    ['What to do', server.state !== 'connected' && serverAdvice(server)],
    ['Next attempt', time(server.retryAt, context.now)],
    ['Transport', server.transport],
    ['Protocol', server.protocolVersion],
    ['Tools', html`<a href="/console/tools?server=${serverId}">${server.toolsCount}</a>`],
    ['Tools refused', server.toolsRefusedCount === 0 ? undefined : server.toolsRefusedCount],
  ])}
    ${failure?.stderrLines !== undefined && html`<h2>Standard error, last lines</h2><pre>${lines(failure.stderrLines.join('\n'))}</pre>`}
    <p><a href="/console/activity?server=${encodeURIComponent(serverId)}">What agents did with it</a></p>
    ${context.caller.role === 'operator' && html`${loginPart(server, context)}${changes(server, context)}`}`;
}

/** What makes the hub connect a server at its start again. */
const switchedOn = { disabled: null, autoConnect: null };

function loginPart({ serverId, errorType, transport, state }: ServerStatus, context: PageContext): Shown {
  if (transport !== 'http') return undefined;
  const path = serverPath(serverId);
  const isRequired = errorType === 'login_required';
  const device = html`<input type="hidden" name="flow" value="device">`;
  const forms = html`<div class="actions">
    ${actionForm(context, { action: `${path}/login`, button: 'Log in', ...(!isRequired && { tone: 'quiet' }) })}
    ${actionForm(context, { action: `${path}/login`, button: 'With a device code', content: device, tone: 'quiet' })}
    ${state === 'connected' && actionForm(context, { action: `${path}/logout`, button: 'Log out', tone: 'quiet' })}
  </div>`;
  if (isRequired)
    return html`<section class="notice warning"><p>The server requires a login. Log in as the hub: all agents then use it.</p>${forms}</section>`;
  return html`<details><summary>Login (OAuth)</summary><p class="hint">For servers that require one. What the hub has is kept until a new login replaces it.</p>${forms}</details>`;
}

function changes({ serverId, state }: ServerStatus, context: PageContext): Markup {
  const path = serverPath(serverId);
  const isIdle = state === 'disconnected' || state === 'reconnecting';
  const input = html`<textarea id="change" name="change" rows="5" required spellcheck="false" placeholder="${exampleChange}"></textarea>`;
  const hint =
    'The keys of its entry to change, as in mcpServers; null removes a key. The present values are not shown, since they may be secret.';
  return html`<div class="actions">
      ${state !== 'misconfigured' && actionForm(context, isIdle ? { action: `${path}/connect`, button: 'Connect now' } : { action: `${path}/disconnect`, button: 'Disconnect', tone: 'quiet' })}
      ${state === 'disconnected' ? actionForm(context, { action: `${path}/switch-on`, button: 'Switch on', tone: 'quiet' }) : actionForm(context, { action: `${path}/switch-off`, button: 'Switch off', tone: 'quiet' })}
      ${actionForm(context, { action: `${path}/remove`, button: 'Remove', tone: 'danger' })}
    </div>
    <p class="hint">Disconnect lasts until the hub starts again; a server that is switched off stays off.</p>
    <section><h2>Edit</h2>${actionForm(context, { action: `${path}/edit`, button: 'Change', content: field('change', 'Change', input, hint) })}</section>`;
}

const exampleChange = '{ "env": { "API_TOKEN": "${API_TOKEN}" }, "args": ["-y", "some-server@2"] }';

/** Where a person goes on with a login. Its address is that of another site, so it is shown in full. */
function loginPage({ serverId, state, url, userCode, message, expiresAt }: LoginView) {
  const content =
    state === 'pending'
      ? html`<p>Open this address in this browser${userCode !== undefined && html`, and enter the code <strong class="code">${userCode}</strong>`}:</p>
        <p><a href="${url}" rel="noopener noreferrer" target="_blank">${url}</a></p>
        <p class="hint">It is valid until ${expiresAt}. The hub connects the server once the login is done.</p>`
      : html`<p class="notice ${state === 'completed' ? 'good' : 'bad'}">${message ?? 'The hub is logged in.'}</p>`;
  const back = html`<p><a href="${serverPath(serverId)}">Back to ${serverId}</a></p>`;
  return {
    title: `Log in to ${serverId}`,
    about: 'Its authorization server asks you who you are.',
    content: html`${content}${back}`,
  };
}

const example =
  '{ "mcpServers": { "everything": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-everything"] } } }';

function addForm(context: PageContext): Markup {
  const input = html`<textarea id="configuration" name="configuration" rows="8" required spellcheck="false" placeholder="${example}"></textarea>`;
  const hint = 'As of any MCP client, with its mcpServers or servers. Comments and trailing commas are fine.';
  return html`<section><h2>Add servers</h2>
    ${actionForm(context, { action: '/console/servers', button: 'Add', content: field('configuration', 'Configuration', input, hint) })}
  </section>`;
}

/** The keys under which clients have their servers. */
const serverKeys = ['mcpServers', 'servers', 'context_servers', 'mcp'];

/** The servers of a pasted configuration. @throws HestiaError INVALID_REQUEST where it has none */
function pastedServers(text: string): { serverId: string; configuration: JsonObject }[] {
  const pasted = pastedJson('configuration', text);
  const key = isJsonObject(pasted) ? serverKeys.find((name) => isJsonObject(pasted[name])) : undefined;
  const servers = isJsonObject(pasted) && key !== undefined ? pasted[key] : pasted;
  const entries = isJsonObject(servers) ? Object.entries(servers) : [];
  const found = entries.flatMap(([serverId, configuration]) =>
    isJsonObject(configuration) ? [{ serverId, configuration }] : [],
  );
  if (found.length === 0 || found.length < entries.length)
    throw new HestiaError('INVALID_REQUEST', `configuration: must be an object such as ${example}`);
  return found;
}

/** The value of pasted JSON with comments. @throws HestiaError INVALID_REQUEST with the field and the place of an error */
function pastedJson(name: string, text: string): unknown {
  const errors: ParseError[] = [];
  const pasted: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const at = errors[0]?.offset;
  if (at === undefined) return pasted;
  const before = text.slice(0, at).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  throw new HestiaError('INVALID_REQUEST', `${name}: not valid JSON at ${place}`);
}

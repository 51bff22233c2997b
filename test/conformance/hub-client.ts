/**
 * The client that the conformance suite starts: it adds the suite's server to a running hub, and uses what that offers through
 * the hub. Its argument is the URL of the server. `HUB_URL` and `HUB_KEY` name the hub.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const {
  HUB_URL = '',
  HUB_KEY = '',
  MCP_CONFORMANCE_CONTEXT: context,
  MCP_CONFORMANCE_SCENARIO: scenario,
} = process.env;
const isModern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
/** What the suite gives the client of a scenario: a client that is registered, calls to make. */
const given = context === undefined ? {} : JSON.parse(context);
/** Logins to a server: the second is for a larger scope. */
const loginsMax = 3;
const headers = { authorization: `Bearer ${HUB_KEY}`, 'content-type': 'application/json' };

async function hub(method: string, path: string, json?: object): Promise<Record<string, unknown>> {
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`${HUB_URL}${path}`, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

/**
 * The URL of a proxy in front of the server. Some servers of the suite speak 2026-07-28 and do not answer `server/discover`,
 * which the revision requires of servers: the proxy answers it for them, as the client of the TypeScript SDK does.
 */
async function withDiscovery(url: string): Promise<string> {
  const forward = async (request: Request): Promise<Response> => {
    const body = request.method === 'POST' ? await request.text() : null;
    const answer = await fetch(url, { method: request.method, headers: request.headers, body, redirect: 'manual' });
    const message = body === null ? undefined : JSON.parse(body);
    if (message?.method !== 'server/discover') return answer;
    const answered = await answer.clone().text();
    if (!answered.includes('"error"') || answered.includes('supported')) return answer;
    const result = {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, resources: {}, prompts: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'suite', version: '1.0.0' } },
    };
    return Response.json({ jsonrpc: '2.0', id: message.id, result });
  };
  return new Promise((resolve) => {
    serve({ fetch: forward, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(`http://127.0.0.1:${port}/mcp`));
  });
}

/** The login of a scenario that does not leave it to the client how to identify itself. */
function oauthOf(): Record<string, unknown> | undefined {
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = given;
  if (scenario === 'auth/basic-cimd')
    return { clientMetadataUrl: 'https://conformance-test.local/client-metadata.json' };
  if (clientId === undefined) return undefined;
  const grant = scenario?.startsWith('auth/client-credentials') ? { grant: 'client_credentials' } : {};
  return { ...grant, clientId, clientSecret, privateKey };
}

/** Logs in to a server, as a person does in a browser. The address that the browser returns to is that of the hub. */
async function logIn(serverId: string): Promise<void> {
  const { url } = await hub('POST', `/v1/servers/${serverId}/login`, {});
  const answer = await fetch(String(url), { redirect: 'manual' });
  const { pathname, search } = new URL(answer.headers.get('location') ?? '');
  const page = await fetch(`${HUB_URL}${pathname}${search}`);
  if (!page.ok) throw new Error(`not logged in: ${await page.text()}`);
}

async function untilConnected(serverId: string): Promise<void> {
  for (let loginsCount = 0; ; ) {
    const { items } = await hub('GET', '/v1/servers');
    if (!Array.isArray(items)) throw new Error('no list of servers');
    const { state, reason, errorType } = items.find((item) => item.serverId === serverId) ?? {};
    if (state === 'connected') return;
    if (state === 'misconfigured') throw new Error(`not connected: ${reason}`);
    if (errorType === 'login_required') {
      if (loginsCount === loginsMax) throw new Error('not connected after a login');
      loginsCount += 1;
      await logIn(serverId);
    }
    await delay(50);
  }
}

/** Calls the tools that the hub offers and that are not these: the library leaves out tools that a hub must leave out itself. */
async function callWithoutLibrary(called: readonly string[]): Promise<void> {
  const { items } = await hub('GET', '/v1/tools?limit=200');
  if (!Array.isArray(items)) throw new Error('no list of tools');
  for (const { toolName } of items.filter((tool) => tool.serverId === serverId && !called.includes(tool.toolName))) {
    await hub('POST', `/v1/tools/${serverId}/${encodeURIComponent(toolName)}/call`, { arguments: {} }).catch(() => {});
  }
}

/** Calls a tool. Where the result says that a login is missing, a person logs in, and the call is made again. */
async function callWithLogin(
  client: Client,
  call: { name: string; arguments: Record<string, unknown> },
): Promise<void> {
  for (let loginsCount = 0; ; loginsCount += 1) {
    const { isError, content } = await client.callTool(call);
    if (!isError || !JSON.stringify(content).includes('hestia servers login')) return;
    if (loginsCount === loginsMax) throw new Error('not permitted after a login');
    await logIn(serverId);
    await untilConnected(serverId);
  }
}

/** Lists and uses everything that the server offers. */
async function useEverything(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  const schemaOf = (name: string) => tools.find((tool) => tool.name === name)?.inputSchema;
  const args: Record<string, Record<string, unknown>> = {
    add_numbers: { a: 5, b: 3 },
    json_schema_echo: { schema: schemaOf('json_schema_2020_12_tool') },
    valid_tool: { region: 'us-west1' },
  };
  const calls: { name: string; arguments: Record<string, unknown> }[] =
    given.toolCalls ?? tools.map(({ name }) => ({ name, arguments: args[name] ?? {} }));
  for (const call of calls) await callWithLogin(client, call);
  await callWithoutLibrary(tools.map(({ name }) => name));
  const { resources, prompts } = client.getServerCapabilities() ?? {};
  const [resource] = resources ? (await client.listResources()).resources : [];
  if (resource !== undefined) await client.readResource({ uri: resource.uri });
  const [prompt] = prompts ? (await client.listPrompts()).prompts : [];
  if (prompt !== undefined) await client.getPrompt({ name: prompt.name, arguments: {} });
}

// The suite ends only the shell that it starts this in.
setTimeout(() => process.exit(1), 28_000).unref();

const serverUrl = process.argv.at(-1) ?? '';
const serverId = `suite-${randomUUID()}`;
// The servers of logins have what the revision requires, and their metadata names their own address.
const url = isModern && !scenario?.startsWith('auth/') ? await withDiscovery(serverUrl) : serverUrl;
const oauth = oauthOf();
await hub('POST', '/v1/servers', { serverId, configuration: { url, ...(oauth && { oauth }) } });
try {
  await untilConnected(serverId);
  const client = new Client(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } } },
      versionNegotiation: { mode: isModern ? 'auto' : 'legacy' },
    },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const asksToConfirm = 'requestedSchema' in params && 'confirmed' in params.requestedSchema.properties;
    return { action: 'accept', content: asksToConfirm ? { confirmed: true } : {} };
  });
  const endpoint = new URL(`${HUB_URL}/mcp/${serverId}`);
  await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }));
  await useEverything(client);
  await client.close();
} finally {
  await hub('DELETE', `/v1/servers/${serverId}`);
}
process.exit();

/** An MCP server that requires OAuth, and its authorization server (oidc-provider), both over HTTP in this process. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { serve } from '@hono/node-server';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import Provider from 'oidc-provider';

/** Clients that are registered already. */
export const registeredClients = {
  machine: { client_id: 'machine', client_secret: 'machine-secret-0123456789' },
  person: { client_id: 'person', client_secret: 'person-secret-0123456789' },
};

/** Both servers. Disposing them stops them. */
export interface ProtectedServer extends AsyncDisposable {
  /** The MCP endpoint. */
  url: string;
  issuer: string;
  /** All access and refresh tokens that were issued, and all codes. */
  secrets: Set<string>;
  /** Requests to the token endpoint, by grant. */
  grants: string[];
  /** Revokes every token that was issued; refresh tokens too. */
  revokeAll(): Promise<void>;
  /** Revokes access tokens, but not refresh tokens. */
  revokeAccess(): Promise<void>;
  /** Follows the redirects of a login as a user, until the address returns to the hub. */
  browse(url: string, user: string): Promise<URL>;
  /** Enters a device code as a user. */
  enterCode(url: string, user: string): Promise<void>;
  /** What the metadata of the resource says, to be changed by tests. */
  metadata: Record<string, unknown>;
}

const signingKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The private key of the client `signer`, in PEM. */
export const signerKey = signingKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const scopes = 'tools:read tools:write';

/** Starts both on free ports. Browsers return to `redirectUrl`. */
export async function startProtectedServer(redirectUrl: string): Promise<ProtectedServer> {
  const issuerServer = createServer();
  const issuer = await listen(issuerServer);
  const resourcePort = Promise.withResolvers<number>();
  const url = resourcePort.promise.then((port) => `http://127.0.0.1:${port}/mcp`);
  const secrets = new Set<string>();
  const grants: string[] = [];
  const provider = createProvider(issuer, redirectUrl, url);
  const callback = provider.callback();
  provider.on('grant.success', (ctx) => grants.push(ctx.oidc.params.grant_type));
  const revoke = async (kinds: readonly ('AccessToken' | 'RefreshToken')[]) => {
    for (const secret of secrets) {
      for (const kind of kinds) await (await provider[kind].find(secret))?.destroy();
    }
  };
  issuerServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
    collectSecrets(response, secrets);
    if (request.url?.startsWith('/interaction/')) void interact(provider, request, response);
    else void callback(request, response);
  });
  const metadata: Record<string, unknown> = {};
  const resource = serveResource({ provider, metadata }, (port) => resourcePort.resolve(port));
  Object.assign(metadata, { resource: await url, authorization_servers: [issuer], scopes_supported: ['tools:read'] });
  return {
    ...{ url: await url, issuer, secrets, grants, metadata },
    revokeAll: () => revoke(['AccessToken', 'RefreshToken']),
    revokeAccess: () => revoke(['AccessToken']),
    browse: (start, user) => browse(start, user, redirectUrl),
    enterCode,
    [Symbol.asyncDispose]: async () => {
      issuerServer.closeAllConnections();
      issuerServer.close();
      await resource[Symbol.asyncDispose]();
    },
  };
}

/** Listens on a free port, and returns the origin. */
export function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
    });
  });
}

function createProvider(issuer: string, redirectUrl: string, resource: Promise<string>): Provider {
  const machine = {
    ...registeredClients.machine,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
  const person = {
    ...registeredClients.person,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [redirectUrl],
  };
  const signer = {
    client_id: 'signer',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...signingKeys.publicKey.export({ format: 'jwk' }), use: 'sig' }] },
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
  return new Provider(issuer, {
    clients: [machine, person, signer],
    clientDefaults: { token_endpoint_auth_method: 'client_secret_basic' },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    scopes: ['openid', 'offline_access', ...scopes.split(' ')],
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86_400, Grant: 86_400, Session: 86_400 },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx: unknown, client: { grantTypeAllowed(grant: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    findAccount: async (_ctx: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: async () => ({ scope: scopes, accessTokenFormat: 'opaque', audience: await resource }),
      },
    },
  });
}

/** Ends the interaction at once: the user of the request is logged in, and grants everything. */
export async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const user = String(request.headers['x-user'] ?? 'nobody');
  if (prompt.name === 'login') {
    const result = user === 'denier' ? { error: 'access_denied' } : { login: { accountId: user } };
    return provider.interactionFinished(request, response, result);
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? user, clientId: params.client_id });
  grant.addOIDCScope('openid offline_access');
  grant.addOIDCScope(params.scope ?? '');
  if (params.resource !== undefined) grant.addResourceScope(params.resource, params.scope ?? scopes);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

/** Keeps every token and code of a response. */
function collectSecrets(response: ServerResponse, secrets: Set<string>): void {
  const original = response.end;
  const end = (...args: unknown[]): unknown => {
    const body = String(args[0]);
    for (const [, secret = ''] of body.matchAll(
      /"(?:access_token|refresh_token|device_code|client_secret)":"([^"]+)"/g,
    )) {
      secrets.add(secret);
    }
    const code = /[?&]code=([^&]+)/.exec(String(response.getHeader('location') ?? ''))?.[1];
    if (code !== undefined) secrets.add(code);
    return Reflect.apply(original, response, args);
  };
  Object.assign(response, { end });
}

interface ResourceDeps {
  provider: Provider;
  metadata: Record<string, unknown>;
}

function serveResource({ provider, metadata }: ResourceDeps, onPort: (port: number) => void): AsyncDisposable {
  const handler = createMcpHandler(({ authInfo }) => createTools(authInfo?.clientId ?? ''));
  const wellKnown = '/.well-known/oauth-protected-resource/mcp';
  const server = serve(
    {
      fetch: async (request) => {
        const { pathname, origin } = new URL(request.url);
        if (pathname === wellKnown) return Response.json(metadata);
        if (pathname !== '/mcp') return new Response(null, { status: 404 });
        const token = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
        const found = await findToken(provider, token);
        const challenge = (rest: string) => ({
          'www-authenticate': `Bearer ${rest}, resource_metadata="${origin}${wellKnown}"`,
        });
        if (found === undefined || found.isExpired) {
          return new Response(null, { status: 401, headers: challenge('error="invalid_token"') });
        }
        const body: unknown = request.method === 'POST' ? await request.json() : undefined;
        if (JSON.stringify(body)?.includes('"write"') && !found.scope?.includes('tools:write')) {
          return new Response(null, {
            status: 403,
            headers: challenge('error="insufficient_scope", scope="tools:write"'),
          });
        }
        const authInfo = { token: '', clientId: found.accountId ?? found.clientId, scopes: [] };
        return handler.fetch(new Request(request.url, { method: request.method, headers: request.headers }), {
          authInfo,
          ...(body !== undefined && { parsedBody: body }),
        });
      },
      hostname: '127.0.0.1',
      port: 0,
    },
    ({ port }) => onPort(port),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  };
}

async function findToken(provider: Provider, token: string) {
  return (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
}

function createTools(user: string): McpServer {
  const server = new McpServer({ name: 'protected', version: '1.0.0' }, { capabilities: { tools: {} } });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('whoami', { description: 'Says who calls.' }, () => text(user));
  server.registerTool('write', { description: 'Writes.' }, () => text(`${user} wrote`));
  return server;
}

const redirectsMax = 20;

/** Cookies of one browser. */
class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #user: string;

  constructor(user: string) {
    this.#user = user;
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...init.headers, cookie, 'x-user': this.#user };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
    }
    return response;
  }

  /** Follows redirects. Returns the last response, or the address that begins with `until`. */
  async follow(start: string, init: RequestInit = {}, until?: string): Promise<{ response: Response; url: string }> {
    let url = start;
    let options = init;
    for (let count = 0; count < redirectsMax; count += 1) {
      const response = await this.fetch(url, options);
      const location = response.headers.get('location');
      if (location === null) return { response, url };
      url = new URL(location, url).href;
      if (until !== undefined && url.startsWith(until)) return { response, url };
      options = {};
    }
    throw new Error(`too many redirects: ${url}`);
  }
}

/** Follows the redirects of a login as a user, until the address begins with `redirectUrl`. */
export async function browse(start: string, user: string, redirectUrl: string): Promise<URL> {
  const { url, response } = await new Browser(user).follow(start, {}, redirectUrl);
  if (!url.startsWith(redirectUrl)) throw new Error(`${response.status} at ${url}: ${await response.text()}`);
  return new URL(url);
}

async function enterCode(start: string, user: string): Promise<void> {
  const browser = new Browser(user);
  let { response, url } = await browser.follow(start);
  for (let forms = 0; forms < 3; forms += 1) {
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (action === undefined) return;
    // The page also has a form that denies the login.
    const inputs = [...page.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)].filter(
      ([, name]) => name !== 'abort',
    );
    const body = new URLSearchParams(inputs.map(([, name = '', value = '']): [string, string] => [name, value]));
    ({ response, url } = await browser.follow(new URL(action, url).href, { method: 'POST', body }));
  }
}

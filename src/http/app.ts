/** The HTTP application: the order of the middleware, the routes, and their OpenAPI document. */

import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { AccessService } from '../domain/access-service.ts';
import type { AuditKeyService, AuditLogService, AuditService } from '../domain/audit-service.ts';
import type { Cleanup } from '../domain/cleanup.ts';
import type { HubStatus } from '../domain/hub-status.ts';
import type { QuarantineService } from '../domain/quarantine-service.ts';
import type { ServerService } from '../domain/server-service.ts';
import type { Caller } from '../shapes/access.ts';
import { configurationFileSchema } from '../shapes/configuration/config.ts';
import type { OauthConfiguration } from '../shapes/configuration/oauth.ts';
import { notFound } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { authenticate, challengeFor, type HubEnv, type MessageAdmission } from './authenticate.ts';
import { completeJson, secureHeaders } from './complete-response.ts';
import { withBodyFault } from './json-body.ts';
import { type KeySharesDeps, limitKeys } from './key-shares.ts';
import { allowOrigins, checkHost } from './origin-check.ts';
import { problemResponse } from './problem.ts';
import { refuseUnknownParameters } from './query-parameters.ts';
import { limitDeclaredBodies, limitRunning } from './request-limits.ts';
import { traceRequests } from './request-span.ts';
import { auditRoutes } from './routes/audit.ts';
import { auditKeyRoutes } from './routes/audit-key.ts';
import { auditLogRoutes } from './routes/audit-log.ts';
import { docsRoutes } from './routes/docs.ts';
import { type HealthRoutesDeps, healthRoutes } from './routes/health.ts';
import { hubStatusRoutes } from './routes/hub-status.ts';
import { keyRoutes } from './routes/key.ts';
import { type LoginCallbackDeps, loginCallbackRoutes } from './routes/login-callback.ts';
import { metadataUrl, protectedResourceRoutes } from './routes/protected-resource.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { createRememberingRouter } from './routes/route-memory.ts';
import { createRouter } from './routes/route-parts.ts';
import { schedulerRoutes } from './routes/scheduler.ts';
import { searchRoutes } from './routes/search.ts';
import { serverRoutes } from './routes/server.ts';
import { serverLoginRoutes } from './routes/server-login.ts';
import { type SkillRoutesDeps, skillRoutes } from './routes/skill.ts';
import { type ToolRoutesDeps, toolRoutes } from './routes/tool.ts';

/** Dependencies of the application. */
export interface AppDeps extends SkillRoutesDeps, ToolRoutesDeps {
  access: AccessService;
  audit: AuditService;
  auditLog: AuditLogService;
  auditKey: AuditKeyService;
  cleanup: Cleanup;
  hubStatus: Pick<HubStatus, 'read'>;
  servers: ServerService;
  quarantine: QuarantineService;
  health: HealthRoutesDeps;
  /** The pages for people, at `/` and below `/console`; `bindings` are those of the server. */
  console: (request: Request, bindings: unknown) => Promise<Response>;
  /** The MCP endpoint; it returns a response, or the JSON text of a complete one. */
  mcp: (request: Request, caller: Caller, admission: MessageAdmission) => Promise<Response | string>;
  /** The same endpoint for clients of the HTTP+SSE transport. */
  sse: (request: Request, caller: Caller, serverId?: string) => Promise<Response>;
  /** The MCP endpoint of a server, by its id. */
  serverMcp: (
    request: Request,
    caller: Caller,
    serverId: string,
    admission: MessageAdmission,
  ) => Promise<Response | string>;
  /** Called for each request but health probes. */
  onRequest: () => void;
  /** Addresses of logins to upstream servers. */
  logins: Omit<LoginCallbackDeps, 'servers'>;
  metrics: Metrics;
  log: Log;
  version: string;
  limits: KeySharesDeps['limits'];
  memory: KeySharesDeps['memory'];
  results: KeySharesDeps['results'];
  policy: {
    /** Accepted host names and origins, besides those of this machine. */
    hosts: readonly string[];
    origins: readonly string[];
    oauth: OauthConfiguration | undefined;
  };
}

/** Builds the application; it listens nowhere by itself. */
export function createApp(deps: AppDeps): OpenAPIHono<HubEnv> {
  const app = createRouter({ router: createRememberingRouter() });
  const problem = (error: unknown, path: string) =>
    problemResponse(error, { log: deps.log, challenge: challengeFor(path, metadataUrl(deps.policy.oauth)) });
  app.onError(async (error, c) => problem(await withBodyFault(error, c), c.req.path));
  app.notFound((c) => problem(notFound('page'), c.req.path));
  app.use(secureHeaders());
  app.use(limitRunning(deps));
  app.use(traceRequests(deps));
  // Probes come before the host check: they are sent to an address, and name servers only to who is signed in.
  app.route('/', healthRoutes(deps));
  app.use(checkHost(deps.policy));
  app.use(allowOrigins(deps.policy));
  app.use(limitDeclaredBodies(deps.limits));
  if (deps.policy.oauth) app.route('/', protectedResourceRoutes(deps.policy.oauth));
  // The console has sessions of its own.
  for (const path of ['/', '/console/*']) app.all(path, (c) => deps.console(c.req.raw, c.env));
  app.route('/', loginCallbackRoutes({ servers: deps.servers, ...deps.logins }));
  app.use(authenticate(deps));
  app.use(limitKeys(deps));
  app.use(refuseUnknownParameters(app));
  for (const routes of [
    skillRoutes(deps),
    toolRoutes(deps),
    searchRoutes(deps),
    serverRoutes(deps),
    serverLoginRoutes(deps),
    auditRoutes(deps),
    auditLogRoutes(deps),
    auditKeyRoutes(deps),
    keyRoutes(deps),
    quarantineRoutes(deps),
    schedulerRoutes(deps),
    hubStatusRoutes(deps),
  ]) {
    app.route('/', routes);
  }
  routeMcp(app, deps);
  let described: ReturnType<typeof openApiDocument> | undefined;
  app.get('/openapi.json', (c) => {
    described ??= openApiDocument(app, deps.version);
    return c.json(described);
  });
  app.get('/config.schema.json', (c) => c.json(z.toJSONSchema(configurationFileSchema, { io: 'input' })));
  app.route('/', docsRoutes());
  return app;
}

/** Adds the MCP endpoints. */
function routeMcp(app: OpenAPIHono<HubEnv>, deps: AppDeps): void {
  app.all('/mcp', async (c) => {
    const answer = await deps.mcp(c.req.raw, c.var.caller, c.var);
    return typeof answer === 'string' ? completeJson(answer) : answer;
  });
  app.all('/sse', (c) => deps.sse(c.req.raw, c.var.caller));
  app.all('/sse/:server{.+}', (c) => deps.sse(c.req.raw, c.var.caller, serverIdIn(c.req.url)));
  app.all('/mcp/:server{.+}', async (c) => {
    const answer = await deps.serverMcp(c.req.raw, c.var.caller, serverIdIn(c.req.url), c.var);
    return typeof answer === 'string' ? completeJson(answer) : answer;
  });
}

/** The server id in the URL of its endpoint: everything after `/mcp/` or `/sse/`, with or without percent-encoding. */
function serverIdIn(url: string): string {
  const encoded = new URL(url).pathname.replace(/^\/(?:mcp|sse)\//, '');
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** The OpenAPI 3.1 document of an application's routes. */
export function openApiDocument(app: OpenAPIHono<HubEnv>, version: string) {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer' });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Hestia',
      version,
      description:
        'An MCP hub that can be watched. Errors are problem details (RFC 9457) with a code of a closed list.',
      license: { name: 'Apache-2.0' },
    },
  });
}

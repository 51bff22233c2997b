/**
 * The HTTP door: the order of the middleware, the routes behind it, and the OpenAPI document that is made of them.
 * Nothing is decided here but who may pass the door at all.
 */

import type { OpenAPIHono } from '@hono/zod-openapi';
import { validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { z } from 'zod';
import type { AccessService } from '../domain/access-service.ts';
import type { AuditService } from '../domain/audit-service.ts';
import type { Cleanup } from '../domain/cleanup.ts';
import type { QuarantineService } from '../domain/quarantine-service.ts';
import type { RateLimits } from '../domain/rate-limits.ts';
import type { SearchLearning } from '../domain/search-learning.ts';
import type { ServerService } from '../domain/server-service.ts';
import type { Caller } from '../shapes/access.ts';
import { configurationFileSchema, type OauthConfiguration } from '../shapes/configuration.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { auditRoutes } from './audit-routes.ts';
import { authenticate, challengeFor, type HubEnv } from './authenticate.ts';
import { docsRoutes } from './docs-routes.ts';
import { type HealthRoutesDeps, healthRoutes } from './health-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { observe } from './observe.ts';
import { problemResponse } from './problem.ts';
import { metadataUrl, protectedResourceRoutes } from './protected-resource-routes.ts';
import { quarantineRoutes } from './quarantine-routes.ts';
import { createRouter } from './route-parts.ts';
import { schedulerRoutes } from './scheduler-routes.ts';
import { searchRoutes } from './search-routes.ts';
import { serverRoutes } from './server-routes.ts';
import { type SkillRoutesDeps, skillRoutes } from './skill-routes.ts';
import { type ToolRoutesDeps, toolRoutes } from './tool-routes.ts';

/** What the door opens onto. */
export interface AppDeps extends SkillRoutesDeps, ToolRoutesDeps {
  access: AccessService;
  rateLimits: RateLimits;
  audit: AuditService;
  cleanup: Cleanup;
  servers: ServerService;
  searchLearning: SearchLearning;
  quarantine: QuarantineService;
  health: HealthRoutesDeps;
  /** The MCP endpoint: a request of a known caller to a response. */
  mcp: (request: Request, caller: Caller) => Promise<Response>;
  metrics: Metrics;
  log: Log;
  version: string;
  policy: {
    hosts: readonly string[];
    origins: readonly string[];
    requestBytesMax: number;
    oauth: OauthConfiguration | undefined;
  };
}

/** Builds the application; it listens nowhere by itself. */
export function createApp(deps: AppDeps): OpenAPIHono<HubEnv> {
  const app = createRouter();
  const problem = (error: unknown, path: string) =>
    problemResponse(error, { log: deps.log, challenge: challengeFor(path, metadataUrl(deps.policy.oauth)) });
  app.onError((error, c) => problem(error, c.req.path));
  app.notFound((c) => problem(notFound('page'), c.req.path));
  app.use(observe(deps));
  app.use(secureHeaders({ crossOriginResourcePolicy: 'same-origin', strictTransportSecurity: false }));
  // Probes come before the host is looked at: they are sent to an address, and learn nothing a page could use.
  app.route('/', healthRoutes(deps.health));
  app.use(checkHost(deps.policy));
  app.use(bodyLimit({ maxSize: deps.policy.requestBytesMax, onError: () => refuseBody(deps.policy.requestBytesMax) }));
  if (deps.policy.oauth) app.route('/', protectedResourceRoutes(deps.policy.oauth));
  app.use(authenticate(deps));
  for (const routes of [
    skillRoutes(deps),
    toolRoutes(deps),
    searchRoutes(deps),
    serverRoutes(deps),
    auditRoutes(deps),
    keyRoutes(deps),
    quarantineRoutes(deps),
    schedulerRoutes(deps),
  ]) {
    app.route('/', routes);
  }
  app.all('/mcp', (c) => deps.mcp(c.req.raw, c.var.caller));
  let described: ReturnType<typeof openApiDocument> | undefined;
  app.get('/openapi.json', (c) => {
    described ??= openApiDocument(app, deps.version);
    return c.json(described);
  });
  app.get('/config.schema.json', (c) => c.json(z.toJSONSchema(configurationFileSchema, { io: 'input' })));
  app.route('/', docsRoutes());
  return app;
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

/** Refuses requests sent to or from names the hub does not know, which is how a web page would reach a local hub. */
function checkHost({ hosts, origins }: AppDeps['policy']): MiddlewareHandler {
  return async (c, next) => {
    if (!validateHostHeader(c.req.header('host'), [...hosts]).ok) {
      throw new HestiaError('FORBIDDEN', 'host: this name is not one the hub answers to; see policy.allowedHosts');
    }
    if (!validateOriginHeader(c.req.header('origin'), [...origins]).ok) {
      throw new HestiaError(
        'FORBIDDEN',
        'origin: pages of this origin may not call the hub; see policy.allowedOrigins',
      );
    }
    return next();
  };
}

function refuseBody(bytesMax: number): never {
  throw new HestiaError('PAYLOAD_TOO_LARGE', `the body must be at most ${bytesMax} bytes`);
}

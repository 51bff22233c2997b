/** Builds the HTTP and MCP interfaces of the hub over the same use cases. */
import type { Hono } from 'hono';
import type { ConsoleEnv } from '../console/session.ts';
import { createHeldResults, type HeldResults } from '../flow/held-results.ts';
import { type AppDeps, createApp } from '../http/app.ts';
import { clientSource } from '../http/client-address.ts';
import { createHubServer } from '../mcp/endpoint.ts';
import { createMetaTools } from '../mcp/meta-tools.ts';
import { createStreamPlaces } from '../mcp/request/stream-places.ts';
import { createServerEndpoints } from '../mcp/server-endpoint/endpoint.ts';
import type { SseEndpoint } from '../mcp/sse/endpoint-client.ts';
import { createSseTransport } from '../mcp/sse/transport.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { hubServerId } from '../shapes/server.ts';
import type { Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import type { Services } from './services.ts';
import type { Tools } from './tools.ts';

/** Builds both interfaces and adds the hub's own tools to the index. Nothing listens yet. */
export function createDoors(deps: HubDeps, foundation: Foundation, tools: Tools, services: Services) {
  const { config, version } = deps;
  const { log, metrics, access } = foundation;
  const { toolCall } = services;
  const results = createHeldResults(resultBytesMax(config, foundation));
  const mcpDoors = createMcpDoors(deps, foundation, tools, { ...services, results });
  const { hubServer, serverEndpoints, sse, endpointOf, closeMcp } = mcpDoors;
  let draining = false;
  const isDraining = () => draining;
  const app = createApp({
    skills: services.skills,
    lifecycle: services.lifecycle,
    strictSkills: config.skills.strict,
    toolSearch: services.toolSearch,
    toolCall,
    toolStatistics: services.toolStatistics,
    access,
    audit: services.auditService,
    auditLog: services.auditLog,
    auditKey: services.auditKey,
    cleanup: services.cleanup,
    servers: services.servers,
    quarantine: services.quarantine,
    hubStatus: services.hubStatus,
    health: healthDeps(foundation, tools, isDraining),
    console: createConsoleLoader(deps, foundation, services),
    mcp: hubServer.handle,
    sse: (request, caller, serverId) => sse.handle(request, caller, endpointOf(serverId)),
    serverMcp: serverEndpoints.handle,
    onRequest: services.backgroundPace.requestArrived,
    metrics,
    log,
    version,
    limits: config.limits,
    memory: foundation.memory,
    results,
    logins: config.logins,
    policy: {
      hosts: [config.host, ...loginHosts(config), ...config.policy.allowedHosts],
      origins: config.policy.allowedOrigins,
      oauth: config.policy.oauth,
    },
  });
  const drain = async () => {
    draining = true;
    await toolCall.drain(config.limits.drainMs);
  };
  return { closeMcp, sse, app, drain, isDraining };
}

/** Builds the MCP endpoints, and adds the hub's own tools to the index. */
function createMcpDoors(
  { config: { limits }, version }: HubDeps,
  foundation: Foundation,
  { toolIndex, skillTools }: Tools,
  services: Services & { results: HeldResults },
) {
  const { log, metrics } = foundation;
  const { skills, lifecycle, servers, toolSearch, toolCall, cleanup, hubStatus, skillResources } = services;
  const metaTools = createMetaTools({ skills, lifecycle, servers, toolSearch, toolCall, cleanup, hubStatus });
  const hubTools = metaTools.map(({ definition }) => ({ source: 'hub', definition, namespace: undefined }) as const);
  toolIndex.replaceServer(hubServerId, hubTools);
  const { serverOffers } = services;
  const shared = { toolCall, metrics, log, version, limits, streamPlaces: createStreamPlaces(limits.streamsMax) };
  const serverEndpoints = createServerEndpoints({ offers: serverOffers, ...shared });
  const hubDeps = { metaTools, skillTools, skillResources, skillCatalogue: services.skillCatalogue, ...shared };
  const hubServer = createHubServer({ ...hubDeps, servers: serverEndpoints });
  const sse = createSseTransport({ streamPlaces: shared.streamPlaces, results: services.results, log });
  const endpointOf = (serverId: string | undefined): SseEndpoint =>
    serverId === undefined
      ? hubServer
      : { handle: (request, caller, options) => serverEndpoints.handle(request, caller, serverId, options) };
  const closeMcp = async () => {
    await Promise.allSettled([hubServer.close(), serverEndpoints.close()]);
  };
  return { hubServer, serverEndpoints, sse, endpointOf, closeMcp };
}

function healthDeps({ database, trail, memory }: Foundation, { searchIndex, pool }: Tools, isDraining: () => boolean) {
  return {
    checkDatabase: database.checkWritable,
    checkJournal: trail.checkRecording,
    search: searchIndex.dependencies,
    servers: pool.list,
    memory,
    isDraining,
  };
}

/** The console, which is loaded when its first page is requested: a hub without readers does not need it. */
function createConsoleLoader({ config }: HubDeps, { access, log }: Foundation, services: Services): AppDeps['console'] {
  const { auditService: audit } = services;
  const { retention } = config;
  const strictSkills = config.skills.strict;
  let loading: Promise<Hono<ConsoleEnv>> | undefined;
  return async (request, bindings) => {
    loading ??= Promise.all([import('../console/console.ts'), import('../console/links.ts')]).then(
      ([{ createConsole }, { createConsoleLinks }]) => {
        const links = createConsoleLinks(config.console.grafanaUrl);
        const shared = { audit, access, log, links, retention, strictSkills };
        return createConsole({ ...services, ...shared, addressOf: clientSource });
      },
    );
    return (await loading).fetch(request, Object(bindings));
  };
}

/** Of the memory that the process may hold, the part that results may take until they are read. */
const resultMemoryShare = 0.25;

function resultBytesMax({ limits }: Config, { memory }: Foundation): number {
  return Math.min(limits.resultBytesHeldMax, Math.floor(memory.limitBytes * resultMemoryShare));
}

/** The host that browsers return to from a login. */
function loginHosts({ logins: { redirectUrl } }: Config): string[] {
  return redirectUrl === undefined ? [] : [new URL(redirectUrl).hostname];
}

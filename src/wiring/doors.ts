/** Builds the HTTP and MCP interfaces of the hub over the same use cases. */
import { createApp } from '../http/app.ts';
import { createHubServer } from '../mcp/endpoint.ts';
import { createMetaTools } from '../mcp/meta-tools.ts';
import { createSseTransport, type SseTransport } from '../mcp/sse/transport.ts';
import { hubServerId } from '../shapes/server.ts';
import type { Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import type { Services } from './services.ts';
import type { Tools } from './tools.ts';

/** Builds both interfaces and adds the hub's own tools to the index. Nothing listens yet. */
export function createDoors({ config, version }: HubDeps, foundation: Foundation, tools: Tools, services: Services) {
  const { log, metrics, access } = foundation;
  const { skills, lifecycle, servers, toolSearch, toolCall, toolStatistics, cleanup, hubStatus, quarantine } = services;
  const metaTools = createMetaTools({ skills, lifecycle, servers, toolSearch, toolCall, cleanup, hubStatus });
  const hubTools = metaTools.map(({ definition }) => ({ source: 'hub', definition, namespace: undefined }) as const);
  tools.toolIndex.replaceServer(hubServerId, hubTools);
  const { skillTools, skillResources } = { ...tools, ...services };
  const { limits } = config;
  const hubServer = createHubServer({ metaTools, skillTools, toolCall, skillResources, metrics, log, version, limits });
  const sse = createSse(foundation);
  let draining = false;
  const isDraining = () => draining;
  const app = createApp({
    skills,
    lifecycle,
    strictSkills: config.skills.strict,
    toolSearch,
    toolCall,
    toolStatistics,
    access,
    audit: services.auditService,
    auditLog: services.auditLog,
    auditKey: services.auditKey,
    cleanup,
    servers,
    quarantine,
    health: healthDeps(foundation, tools, isDraining),
    mcp: hubServer.handle,
    sse: (request, caller) => sse.handle(request, caller, hubServer),
    metrics,
    log,
    version,
    limits: config.limits,
    policy: {
      hosts: [config.host, ...config.policy.allowedHosts],
      origins: config.policy.allowedOrigins,
      oauth: config.policy.oauth,
    },
  });
  const drain = async () => {
    draining = true;
    await toolCall.drain(config.limits.drainMs);
  };
  return { app, sse, hubServer, drain, isDraining };
}

function healthDeps({ database, trail }: Foundation, { searchIndex, pool }: Tools, isDraining: () => boolean) {
  return {
    checkDatabase: database.checkWritable,
    checkJournal: trail.checkRecording,
    search: searchIndex.dependencies,
    servers: pool.list,
    isDraining,
  };
}

/** The HTTP+SSE transport, whose sessions end when their key is revoked. */
function createSse({ access, log }: Foundation): SseTransport {
  const sse = createSseTransport({ isKeyValid: access.isValid, log });
  access.onRevoked(sse.endSessionsOf);
  return sse;
}

/**
 * What upstream servers offer besides tools: prompts, resources, completion and subscriptions. Each
 * request is permitted, limited and recorded as a tool call is. Results pass through unchanged.
 */
import { type Span, SpanKind } from '@opentelemetry/api';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { JsonObject } from '../shapes/json.ts';
import type { ToolDefinition, ToolProgress } from '../shapes/tool.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { outgoingMeta } from '../telemetry/propagation.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { UpstreamConnection } from '../upstream/connection/contract.ts';
import type { ServerIntroduction } from '../upstream/connection/introduction.ts';
import type { ClientProfile } from '../upstream/mcp-client.ts';
import type { OfferKind } from '../upstream/offers/offer-list.ts';
import type { ClientDeclaration } from '../upstream/request/exchange.ts';
import type { AccessGuard } from './access/guard.ts';
import { findInScope, isInScope, isServerInScope, type ToolAddress } from './access/scope.ts';
import type { ContentDigest } from './audit/digest.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { Admission, Shutdown } from './call/admission.ts';
import { untilIntroduced } from './call/connecting-server.ts';
import { extendedByProgress, openDeadline } from './call/deadline.ts';
import { type CallFailure, classifyFailure } from './call/failure.ts';
import { heldResult } from './call/held-result.ts';
import type { OfferChanges } from './offer/changes.ts';
import { offerError } from './offer/failure.ts';
import { type OfferRequest, type OfferTarget, offerEvents, targetFields, targetOf } from './offer/request.ts';
import type { ServerSession, ServerSessions } from './offer/server-session.ts';
import { subscribe } from './offer/subscription.ts';
import { isUsable, type VisibleOffersDeps, visibleOffers } from './offer/visible-offers.ts';

export type { ServerOfferChange } from './offer/changes.ts';
export type { OfferMethod, OfferRequest } from './offer/request.ts';
export type { ServerSession } from './offer/server-session.ts';

/** Options that a door passes with a request. */
export interface OfferOptions {
  /** Aborts when the caller disconnects or cancels. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
  client?: ClientDeclaration | undefined;
  /** The session of the client with the server; if unset, the request goes over the session that all clients share. */
  via?: ServerSession | undefined;
}

/** A server as a client sees it. */
export interface OfferingServer {
  serverId: string;
  /** As the server declares them. Empty before its first session. */
  capabilities: JsonObject;
  /** What the server says about itself. Left out where the content scan holds it. */
  info: JsonObject | undefined;
  instructions: string | undefined;
  /**
   * Whether the server speaks a protocol before 2026-07-28, in which it asks for input by requests of its own. Not one that
   * each agent calls with its own login: there is no session with it for a client.
   */
  isLegacy: boolean;
  isAdmitted: boolean;
}

/** What servers offer. Errors: FORBIDDEN, STORAGE_FAILED, and those that a method names. */
export interface ServerOffers {
  /** The server, if the caller may use it. Another one and an unknown one are refused alike. @throws HestiaError NOT_FOUND */
  server(caller: Caller, serverId: string): Promise<OfferingServer>;
  /** The ids of the servers that the caller may use. */
  serverIds(caller: Caller): string[];
  /** The tools of one server, or of all, that the caller may use, by server and name. */
  tools(caller: Caller, serverId?: string): ToolDefinition[];
  /** The tool of a server, if the caller may call it. */
  tool(caller: Caller, address: ToolAddress): ToolDefinition | undefined;
  /** The tools that a server offers in a session of the client only, and that the caller may use. None if they cannot be listed. */
  extraTools(caller: Caller, via: ServerSession | undefined): Promise<ToolDefinition[]>;
  /** The prompts, resources or templates that the caller may use. @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, UPSTREAM_FAILED */
  list(caller: Caller, query: { serverId: string; kind: OfferKind; signal: AbortSignal }): Promise<JsonObject[]>;
  /**
   * Sends a request to a server, records it, and returns the result.
   * @throws HestiaError NOT_FOUND, INVALID_REQUEST, SERVER_UNAVAILABLE, UPSTREAM_FAILED, RESPONSE_TOO_LARGE, TIMEOUT,
   *   ABANDONED, SHUTTING_DOWN, OVERLOADED
   */
  request(caller: Caller, request: OfferRequest, options: OfferOptions): Promise<JsonObject>;
  /**
   * Subscribes to updates of a resource until the returned function is called. Updates are reported to {@link onChange}.
   * @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, UPSTREAM_FAILED
   */
  subscribe(caller: Caller, resource: { serverId: string; uri: string }, via?: ServerSession): Promise<() => void>;
  /**
   * Opens a session of one client with a server, in which the server may ask the client for input.
   * @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, OVERLOADED
   */
  openSession(caller: Caller, serverId: string, client: ClientProfile): Promise<ServerSession>;
  /** Calls the listener after each change, until the returned function is called. */
  onChange: OfferChanges['onChange'];
}

/** Dependencies of the use case. `limits` are milliseconds. */
export interface ServerOffersDeps extends VisibleOffersDeps {
  toolIndex: ToolIndex;
  changes: OfferChanges;
  sessions: ServerSessions;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  guard: AccessGuard;
  metrics: Metrics;
  admission: Admission;
  limits: { callTimeoutMs: number; callTimeoutMsMax: number; connectWaitMs: number };
}

/** Creates the use case. */
export function createServerOffers(deps: ServerOffersDeps): ServerOffers {
  return {
    ...createLists(deps),
    request: (caller, request, options) => {
      const serverId = isServerInScope(caller.scope, request.serverId) ? request.serverId : '';
      return deps.admission.run({ serverId, caller }, (shutdown) =>
        runRequest(deps, { caller, request, options, shutdown }),
      );
    },
    subscribe: async (caller, resource, via) => {
      await deps.guard.require(caller, 'server.use');
      const connection = await requireServer(deps, caller, resource.serverId);
      return subscribe(deps, caller, { ...resource, connection, via });
    },
    openSession: async (caller, serverId, client) => {
      await deps.guard.require(caller, 'server.use');
      const connection = await requireServer(deps, caller, serverId);
      try {
        return await deps.sessions.open(caller, { serverId, connection }, client);
      } catch (error) {
        throw error instanceof HestiaError ? error : offerError(classifyFailure(error, undefined, false));
      }
    },
    onChange: deps.changes.onChange,
  };
}

type Lists = Pick<ServerOffers, 'server' | 'serverIds' | 'tools' | 'extraTools' | 'tool' | 'list'>;

function createLists(deps: ServerOffersDeps): Lists {
  const isOffered = ({ scope }: Caller, serverId: string) =>
    isServerInScope(scope, serverId) && deps.pool.find(serverId) !== undefined;
  const introductions = new WeakMap<ServerIntroduction, OfferingServer>();
  return {
    server: async (caller, serverId) => {
      const connection = await requireServer(deps, caller, serverId);
      await untilIntroduced(connection, deps.limits);
      const introduction = connection.introduction();
      const known = introduction && introductions.get(introduction);
      if (known !== undefined) return known;
      const server = await offeringServer(deps, serverId, connection);
      if (introduction !== undefined && server.isAdmitted) introductions.set(introduction, server);
      return server;
    },
    serverIds: (caller) => {
      const listed = deps.pool.list().map(({ serverId }) => serverId);
      return listed.filter((serverId) => isOffered(caller, serverId));
    },
    tools: ({ scope }, serverId) =>
      deps.toolIndex
        .list({ serverId })
        .filter((tool) => tool.source === 'upstream' && isInScope(scope, tool))
        .map(({ definition }) => definition),
    tool: (caller, address) => {
      const found = findInScope(deps.toolIndex, caller, address);
      return found?.source === 'upstream' ? found.definition : undefined;
    },
    extraTools: async ({ scope }, via) => {
      const extra = (await via?.extraTools().catch(() => [])) ?? [];
      return extra.filter((definition) => isInScope(scope, { source: 'upstream', definition }));
    },
    list: async (caller, query) => {
      await requireServer(deps, caller, query.serverId);
      try {
        return await visibleOffers(deps, caller, query);
      } catch (error) {
        throw offerError(classifyFailure(error, query.signal.aborted ? 'caller' : undefined, false));
      }
    },
  };
}

/** The connection of a server that the caller may use. A refused attempt is recorded if the key's scope may be the reason. */
async function requireServer(
  { pool, guard }: ServerOffersDeps,
  caller: Caller,
  serverId: string,
): Promise<UpstreamConnection> {
  await guard.require(caller, 'server.read');
  const connection = isServerInScope(caller.scope, serverId) ? pool.find(serverId) : undefined;
  if (connection !== undefined) return connection;
  await guard.recordOutOfScope(caller, 'server.use', { serverId, toolName: '' });
  throw notFound('server');
}

async function offeringServer(
  { offerGate }: ServerOffersDeps,
  serverId: string,
  connection: UpstreamConnection,
): Promise<OfferingServer> {
  const { capabilities = {}, info, instructions, era } = connection.introduction() ?? {};
  const shown = { serverId, capabilities, isLegacy: era === 'legacy' && connection.agents === undefined };
  const content = { ...(info && { info }), ...(instructions !== undefined && { instructions }) };
  const [admitted] = await offerGate.admitted([{ serverId, name: 'introduction', content }]);
  if (admitted !== undefined) return { ...shown, info, instructions, isAdmitted: true };
  return { ...shown, info: undefined, instructions: undefined, isAdmitted: false };
}

interface RequestedOffer {
  caller: Caller;
  request: OfferRequest;
  options: OfferOptions;
  shutdown: Shutdown;
}

interface PermittedOffer extends RequestedOffer {
  target: OfferTarget;
  connection: UpstreamConnection;
}

async function runRequest(deps: ServerOffersDeps, requested: RequestedOffer): Promise<JsonObject> {
  const { caller, request, options } = requested;
  const { serverId, method, params } = request;
  await deps.guard.require(caller, 'server.use');
  const connection = await requireServer(deps, caller, serverId);
  const target = targetOf(method, params);
  if (target === undefined)
    throw new HestiaError('INVALID_REQUEST', `params: found nothing that ${method} can refer to`);
  if (!(await isUsable(deps, caller, { serverId, target, signal: options.signal }))) {
    await deps.guard.recordOutOfScope(caller, 'server.use', { serverId, toolName: target.key });
    throw notFound(target.kind === 'prompts' ? 'prompt' : 'resource');
  }
  if (deps.trail.isRequired) await deps.trail.admit();
  const attributesOfRequest = {
    [attributes.mcpMethodName]: method,
    [attributes.genAiAgentId]: caller.agentId,
    [attributes.namespace]: caller.namespace,
    [attributes.serverId]: serverId,
  };
  return inSpan(method, { kind: SpanKind.CLIENT, attributes: attributesOfRequest }, (span) =>
    deps.trail.operation(span, () => performAndRecord(deps, { ...requested, target, connection }, span)),
  );
}

async function performAndRecord(deps: ServerOffersDeps, offer: PermittedOffer, span: Span): Promise<JsonObject> {
  const { caller, request, target } = offer;
  const startedAt = performance.now();
  const argumentsDigest = deps.contentDigest(request.params);
  const ending = await perform(deps, offer);
  const latencyMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
  const { errorType } = 'failure' in ending ? ending.failure : { errorType: undefined };
  if (errorType !== undefined) failSpan(span, errorType);
  const { serverId, method } = request;
  const fields = {
    server_id: serverId,
    ...targetFields(target),
    agent_id: caller.agentId,
    namespace: caller.namespace,
    latency_ms: latencyMs,
    error_type: errorType,
  };
  const isRecorded = await deps.trail.record({
    event: { kind: 'security', name: offerEvents[method], failed: errorType !== undefined, fields },
    by: caller,
    span,
    digests: { arguments: argumentsDigest, result: 'result' in ending ? deps.contentDigest(ending.result) : undefined },
  });
  deps.metrics.mcpClientOperation(latencyMs / 1000, { method, serverId, errorType });
  if ('failure' in ending) throw offerError(ending.failure);
  if (isRecorded || !deps.trail.isRequired) return ending.result;
  throw new HestiaError(
    'STORAGE_FAILED',
    'the audit record of this request could not be written, and policy.auditMode requires one: the result is withheld',
  );
}

/** Sends the request under a deadline. Never throws. */
async function perform(
  { limits }: ServerOffersDeps,
  { caller, request, options, shutdown, connection }: PermittedOffer,
): Promise<{ result: JsonObject } | { failure: CallFailure }> {
  const ends = { caller: options.signal, credential: caller.ended, shutdown: shutdown.signal };
  const deadline = openDeadline({ timeoutMs: limits.callTimeoutMs, timeoutMsMax: limits.callTimeoutMsMax, ...ends });
  const onProgress = extendedByProgress(deadline, options.onProgress);
  const stopWaiting = options.via?.onWaiting(deadline.extend);
  try {
    const { method, params } = request;
    const sent = { method, params, meta: outgoingMeta(), client: options.client, signal: deadline.signal, onProgress };
    const used = connection.agents?.find(caller) ?? options.via ?? connection;
    return { result: heldResult(await deadline.race(used.request(sent))) };
  } catch (error) {
    return { failure: classifyFailure(error, deadline.reason(), shutdown.hasBegun()) };
  } finally {
    stopWaiting?.();
    deadline.close();
  }
}

/**
 * The MCP endpoints of upstream servers, `/mcp/{server}`. Each passes one server through, with everything it offers. They
 * serve both protocol eras. A plain tool call takes the same fast path as at `/mcp`.
 */
import { strict as assert } from 'node:assert';
import { createMcpHandler, type McpRequestContext, ProtocolError } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ServerOfferChange, ServerOffers } from '../../domain/server-offers.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { mirrorsArguments } from '../../shapes/tool.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type PlainCall, plainCall, plainCallResponse } from '../fast-path.ts';
import { type Answer, cancelledResponse, keptAlive } from '../late-response.ts';
import { createLegacySessions, type LegacySessions } from '../legacy-session.ts';
import { jsonRpcRefusal, methodNotAllowed, noSession } from '../refusal.ts';
import { declarationOf } from '../request/client-declaration.ts';
import { callOnFastPath, cancelCall, sessionHeader, versionHeader } from '../request/tool-calls.ts';
import { readBody } from '../request-body.ts';
import { protocolError } from '../tool-result.ts';
import { TracedMcpServer } from '../traced-server.ts';
import type { EndpointFace, EndpointOffers } from './endpoint-offers.ts';
import { createEndpointTools } from './endpoint-tools.ts';
import { answerRequest, type EndpointRequest, endpointMethods } from './handlers.ts';
import { createSingleServer } from './single-server.ts';

/** The endpoints of all servers. */
export interface ServerEndpoints {
  /** Answers one HTTP request of an authenticated caller to the endpoint of this name. */
  handle(request: Request, caller: Caller, name: string): Promise<Answer>;
  /** Closes open streams; running requests finish by themselves. */
  close(): Promise<void>;
}

/** Dependencies of the endpoints. */
export interface ServerEndpointsDeps {
  offers: ServerOffers;
  toolCall: ToolCall;
  metrics: Metrics;
  log: Log;
}

/** Creates the endpoints. They report changes of the servers to open streams until they are closed. */
export function createServerEndpoints(deps: ServerEndpointsDeps): ServerEndpoints {
  const calls = createLegacySessions();
  const endpoints = new Map<string, Endpoint>();
  const endpointOf = (name: string) => {
    const found = endpoints.get(name) ?? createEndpoint(deps, createSingleServer(deps.offers, name), calls);
    endpoints.set(name, found);
    return found;
  };
  const stopListening = deps.offers.onChange((change) => {
    for (const endpoint of endpoints.values()) endpoint.changed(change);
  });
  return {
    handle: async (request, caller, name) => {
      let face: EndpointFace;
      try {
        // An endpoint exists for servers that the caller may use. Others are refused before anything is kept for them.
        face = await createSingleServer(deps.offers, name).face(caller);
      } catch (error) {
        return refusal(request, error, deps.log);
      }
      return endpointOf(name).handle(request, caller, face);
    },
    close: async () => {
      stopListening();
      await Promise.all([...endpoints.values()].map((endpoint) => endpoint.close()));
    },
  };
}

/** The endpoint of one name. */
interface Endpoint {
  handle(request: Request, caller: Caller, face: EndpointFace): Promise<Answer>;
  changed(change: ServerOfferChange): void;
  close(): Promise<void>;
}

/** The SDK's description of an authenticated client; the exchange is found by it. */
type AuthInfo = NonNullable<McpRequestContext['authInfo']>;

interface Exchange {
  request: EndpointRequest;
  face: EndpointFace;
  /** Undefined for a list of messages, or one without a method. */
  method: string | undefined;
}

const messageSchema = z.looseObject({ method: z.string().optional(), params: z.looseObject({}).optional() });

function createEndpoint(deps: ServerEndpointsDeps, endpoint: EndpointOffers, calls: LegacySessions): Endpoint {
  const exchanges = new WeakMap<AuthInfo, Exchange>();
  const tools = createEndpointTools(deps, endpoint);
  const handler = createMcpHandler(serverFactory(deps, { endpoint, tools, calls, exchanges }), {
    legacy: 'stateless',
    onerror: (error) => deps.log.debug('MCP request failed', {}, { error }),
  });
  const handleMessage = async (request: Request, caller: Caller, face: EndpointFace, body: unknown) => {
    const message = messageSchema.safeParse(body);
    const { method, params = {} } = message.success ? message.data : {};
    if (method === 'notifications/cancelled') cancelCall(calls, request, caller, params);
    if (method === 'subscriptions/listen') await subscribeStream(endpoint, request, caller, params);
    const authInfo = { token: '', clientId: caller.agentId, scopes: [] };
    const exchange = { face, method, request: endpointRequest(request, caller, params) };
    exchanges.set(authInfo, exchange);
    const { signal } = exchange.request;
    const forwarded = new Request(request.url, { method: 'POST', headers: request.headers, signal });
    const response = await handler.fetch(forwarded, { authInfo, parsedBody: body });
    if (method === 'initialize' && response.ok) response.headers.set(sessionHeader, calls.newSessionId());
    return response;
  };
  /** Whether headers must mirror arguments of the call, which the SDK checks. */
  const mustMirror = ({ toolName, revision }: PlainCall, caller: Caller) => {
    const schema = revision === undefined ? undefined : tools.inputSchema(caller, toolName);
    return schema !== undefined && mirrorsArguments(schema);
  };
  return {
    handle: async (request, caller, face) => {
      if (request.method === 'GET') return noSession();
      if (request.method !== 'POST') return methodNotAllowed();
      const body = await readBody(request);
      if ('refusal' in body) return body.refusal;
      const call = plainCall(body.parsed, request.headers);
      const answer =
        call === undefined || mustMirror(call, caller)
          ? handleMessage(request, caller, face, body.parsed)
          : callOnFastPath(deps, { tools, sessions: calls }, call, { request, caller }).then((ending) =>
              ending === 'cancelled' ? cancelledResponse() : plainCallResponse(call, ending, face.info),
            );
      return keptAlive(answer, request.headers.get('accept'));
    },
    changed: (change) => {
      const event = endpoint.eventOf(change);
      if (event !== undefined) handler.bus.publish(event);
    },
    close: handler.close,
  };
}

function endpointRequest({ headers, signal }: Request, caller: Caller, params: JsonObject): EndpointRequest {
  const ended = new AbortController();
  return {
    caller,
    sessionId: headers.get(sessionHeader) ?? undefined,
    protocolVersion: headers.get(versionHeader) ?? undefined,
    signal: AbortSignal.any([signal, ended.signal, ...(caller.ended ? [caller.ended] : [])]),
    client: declarationOf(params),
    end: () => ended.abort(),
  };
}

interface ServerFactoryDeps {
  endpoint: EndpointOffers;
  tools: ReturnType<typeof createEndpointTools>;
  calls: LegacySessions;
  exchanges: WeakMap<AuthInfo, Exchange>;
}

function serverFactory(
  { metrics, log }: ServerEndpointsDeps,
  { endpoint, tools, calls, exchanges }: ServerFactoryDeps,
) {
  return ({ authInfo, era }: McpRequestContext) => {
    const exchange = authInfo && exchanges.get(authInfo);
    assert(exchange, 'the SDK passes the authInfo of the request on');
    const { face, method, request } = exchange;
    const { caller } = request;
    const mcpServer = new TracedMcpServer(
      face.info,
      { capabilities: face.capabilities, ...(face.instructions !== undefined && { instructions: face.instructions }) },
      {
        metrics,
        agentId: caller.agentId,
        isKnownTool: (name) => tools.isKnown(caller, name),
        inputSchemaOf: (name) => tools.inputSchema(caller, name),
      },
    );
    const handled = { ...request, client: era === 'modern' ? request.client : undefined };
    const methods = endpointMethods(face.capabilities);
    if (method === undefined || methods.has(method)) {
      mcpServer.server.passThrough(methods, (message, ctx) =>
        answerRequest({ endpoint, tools, calls, log }, message, ctx, handled),
      );
    }
    return mcpServer;
  };
}

/** Subscribes to the resources of a stream of 2026-07-28, until the client closes it. Those it may not use are left out. */
async function subscribeStream(
  endpoint: EndpointOffers,
  { signal }: Request,
  caller: Caller,
  { notifications }: Record<string, unknown>,
): Promise<void> {
  if (!isJsonObject(notifications) || !Array.isArray(notifications.resourceSubscriptions)) return;
  const uris = notifications.resourceSubscriptions.filter((uri) => typeof uri === 'string').slice(0, uriMax);
  const subscribed: string[] = [];
  for (const uri of uris) {
    try {
      const release = await endpoint.subscribe(caller, uri);
      if (signal.aborted) release();
      else signal.addEventListener('abort', release, { once: true });
      subscribed.push(uri);
    } catch (error) {
      if (!(error instanceof HestiaError)) throw error;
    }
  }
  notifications.resourceSubscriptions = subscribed;
}

/** The most resources to which one stream subscribes. */
const uriMax = 100;

/** The refusal of a request to an endpoint that the caller does not have. */
async function refusal(request: Request, error: unknown, log: Log): Promise<Response> {
  const body = request.method === 'POST' ? await readBody(request) : { parsed: undefined };
  const parsed = 'parsed' in body && isJsonObject(body.parsed) ? body.parsed.id : undefined;
  const id = typeof parsed === 'string' || typeof parsed === 'number' ? parsed : null;
  const isUnknown = error instanceof HestiaError && error.code === 'NOT_FOUND';
  const answered = isUnknown
    ? new ProtocolError(-32602, 'no such server: it is unknown, or this key may not use it', { code: 'NOT_FOUND' })
    : protocolError(error, log);
  return jsonRpcRefusal(isUnknown ? 404 : 500, answered, id);
}

/**
 * Messages at the endpoint of a server that belong to no session. They are those of protocol 2026-07-28, and those of 2025-era
 * clients that have not initialized. The SDK's handler serves each on its own.
 */
import { strict as assert } from 'node:assert';
import { createMcpHandler, type McpRequestContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { boundedStream } from '../bounded-stream.ts';
import { type ChangeBus, createChangeBus } from '../list-change/bus.ts';
import { tooManyStreams } from '../refusal.ts';
import { declarationOf } from '../request/client-declaration.ts';
import type { StreamPlaces } from '../request/stream-places.ts';
import { cancelCall, sessionHeader, versionHeader } from '../request/tool-calls.ts';
import { TracedMcpServer } from '../traced-server.ts';
import type { EndpointFace, EndpointOffers } from './endpoint-offers.ts';
import type { EndpointTools } from './endpoint-tools.ts';
import { type EndpointRequest, endpointMethods, type HandlersDeps } from './handlers.ts';
import type { InputRounds } from './input-rounds.ts';

/** Answers messages without a session. */
export interface MessageHandler {
  handle(request: Request, caller: Caller, face: EndpointFace, body: unknown): Promise<Response>;
  /** Reports a change to the streams that subscribed to it, of callers that it concerns. */
  publishTo: ChangeBus['publishTo'];
  close(): Promise<void>;
}

/** Dependencies of the handler. */
export interface MessageHandlerDeps extends HandlersDeps {
  tools: EndpointTools;
  rounds: InputRounds;
  metrics: Metrics;
  streamPlaces: StreamPlaces;
  streamsMax: number;
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

/** Creates the handler. */
export function createMessageHandler(deps: MessageHandlerDeps): MessageHandler {
  const { endpoint, calls, log } = deps;
  const exchanges = new WeakMap<AuthInfo, Exchange>();
  const bus = createChangeBus(deps.streamPlaces);
  const handler = createMcpHandler(serverFactory(deps, exchanges), {
    legacy: 'stateless',
    bus,
    maxSubscriptions: deps.streamsMax,
    onerror: (error) => log.debug('MCP request failed', {}, { error }),
  });
  return {
    handle: async (request, caller, face, body) => {
      const message = messageSchema.safeParse(body);
      const { method, params = {} } = message.success ? message.data : {};
      if (method === 'notifications/cancelled') cancelCall(calls, request, caller, params);
      const authInfo = { token: '', clientId: caller.agentId, scopes: [] };
      const exchange = { face, method, request: endpointRequest(request, caller, params) };
      exchanges.set(authInfo, exchange);
      const { url, headers } = request;
      const { signal } = exchange.request;
      const forwarded = new Request(url, { method: 'POST', headers, signal });
      const answering = () => handler.fetch(forwarded, { authInfo, parsedBody: body });
      if (method !== 'subscriptions/listen') return boundedStream(await answering());
      const listening = async () => {
        await subscribeStream(endpoint, { caller, signal }, params);
        return answering();
      };
      const answer = await bus.subscribing(caller, listening);
      return answer === undefined ? tooManyStreams() : boundedStream(answer);
    },
    publishTo: bus.publishTo,
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

function serverFactory(deps: MessageHandlerDeps, exchanges: WeakMap<AuthInfo, Exchange>) {
  const { tools, metrics } = deps;
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
    // An unknown method has the status 404, for which the SDK has to find no handler.
    if (method === undefined || methods.has(method)) {
      mcpServer.server.passThrough(methods, ({ method, params = {} }, ctx) =>
        deps.rounds.answer({ method, params }, ctx, handled),
      );
    }
    return mcpServer;
  };
}

/** The most resources to which one stream subscribes. */
const urisMax = 100;

/**
 * Subscribes to the resources that a stream of 2026-07-28 names, until the client closes it. Those that the caller may not use
 * are removed from the request, so that the stream does not confirm them.
 */
async function subscribeStream(
  endpoint: EndpointOffers,
  { caller, signal }: { caller: Caller; signal: AbortSignal },
  { notifications }: JsonObject,
): Promise<void> {
  if (!isJsonObject(notifications) || !Array.isArray(notifications.resourceSubscriptions)) return;
  const uris = notifications.resourceSubscriptions.filter((uri) => typeof uri === 'string').slice(0, urisMax);
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

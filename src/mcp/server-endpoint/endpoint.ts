/**
 * The MCP endpoints of upstream servers, `/mcp/{server}` and `/mcp/all`. One passes a server through with everything it
 * offers, the other all servers. They serve both protocol eras. A plain tool call takes the same fast path as at `/mcp`.
 */
import { classifyInboundRequest, ProtocolError } from '@modelcontextprotocol/server';
import type { ServerOfferChange, ServerOffers } from '../../domain/server-offers.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import { createFairBudget, type FairBudget } from '../../flow/fair-budget.ts';
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
import { answerEach, type BatchOptions } from '../request/batch.ts';
import { declarationOf } from '../request/client-declaration.ts';
import type { StreamOptions, StreamPlaces } from '../request/stream-places.ts';
import { callOnFastPath } from '../request/tool-calls.ts';
import { readBody, requestId } from '../request-body.ts';
import { protocolError } from '../tool-result.ts';
import { allServersName, createAllServers } from './all-servers.ts';
import type { ClientSession } from './client-session.ts';
import { type ClientSessions, createClientSessions } from './client-sessions.ts';
import type { EndpointFace, EndpointOffers } from './endpoint-offers.ts';
import { createEndpointTools, type EndpointTools } from './endpoint-tools.ts';
import { createInputRounds, type InputRounds } from './input-rounds.ts';
import { createLentSessions, type LentSessions } from './lent-sessions.ts';
import { createMessageHandler, type MessageHandler } from './messages.ts';
import { createSingleServer } from './single-server.ts';

/** The endpoints of all servers. */
export interface ServerEndpoints {
  /** Answers one HTTP request of an authenticated caller to the endpoint of this name. */
  handle(request: Request, caller: Caller, name: string, options?: StreamOptions & BatchOptions): Promise<Answer>;
  /** Answers a message of `/mcp` about prompts, resources or completion as `/mcp/all` does. */
  passOn(request: Request, caller: Caller, body: unknown): Promise<Response>;
  /** The resources of all servers that the caller may use, under the URIs of `/mcp/all`. */
  listResources(caller: Caller, signal: AbortSignal): Promise<JsonObject[]>;
  onChange: ServerOffers['onChange'];
  /** Closes open streams; running requests finish by themselves. */
  close(): Promise<void>;
}

/** Dependencies of the endpoints. */
export interface ServerEndpointsDeps {
  offers: ServerOffers;
  toolCall: ToolCall;
  metrics: Metrics;
  log: Log;
  version: string;
  /** The places of streams and subscriptions, which are those of `/mcp`. */
  streamPlaces: StreamPlaces;
  /** Counts and milliseconds. */
  limits: { clientSessionsMax: number; streamsMax: number; clientSessionIdleMs: number; callTimeoutMsMax: number };
}

/** Creates the endpoints. They report changes of the servers to open streams until they are closed. */
export function createServerEndpoints(deps: ServerEndpointsDeps): ServerEndpoints {
  const shared = {
    calls: createLegacySessions(),
    sessionPlaces: createFairBudget(deps.limits.clientSessionsMax),
    lentSessions: createLentSessions(deps),
  };
  const all = createAllServers(deps.offers, deps.version);
  const offersOf = (name: string) => (name === allServersName ? all : createSingleServer(deps.offers, name));
  const endpoints = new Map<string, Endpoint>();
  const endpointOf = (name: string, offers: EndpointOffers) => {
    const found = endpoints.get(name) ?? createEndpoint(deps, offers, shared);
    endpoints.set(name, found);
    return found;
  };
  const stopListening = deps.offers.onChange((change, concerns) => {
    for (const endpoint of endpoints.values()) endpoint.changed(change, concerns);
  });
  return {
    handle: async (request, caller, name, options) => {
      const offers = endpoints.get(name)?.offers ?? offersOf(name);
      let face: EndpointFace;
      try {
        // An endpoint exists for servers that the caller may use. Others are refused before anything is kept for them.
        face = await offers.face(caller);
      } catch (error) {
        return refusal(request, error, deps.log);
      }
      return endpointOf(name, offers).handle(request, caller, face, options);
    },
    passOn: async (request, caller, body) =>
      endpointOf(allServersName, all).handleMessage(request, caller, await all.face(caller), body),
    listResources: (caller, signal) => all.list(caller, 'resources', signal),
    onChange: deps.offers.onChange,
    close: async () => {
      stopListening();
      await Promise.all([...endpoints.values()].map((endpoint) => endpoint.close()));
      await shared.lentSessions.close();
    },
  };
}

/** What all endpoints share. */
interface SharedParts {
  calls: LegacySessions;
  /** Places of sessions of 2025-era clients. */
  sessionPlaces: FairBudget;
  /** Sessions with servers of 2025 for clients of 2026-07-28. */
  lentSessions: LentSessions;
}

/** The endpoint of one name. */
interface Endpoint {
  offers: EndpointOffers;
  handle(request: Request, caller: Caller, face: EndpointFace, options?: StreamOptions & BatchOptions): Promise<Answer>;
  /** Answers a message that belongs to no session. */
  handleMessage: MessageHandler['handle'];
  changed(change: ServerOfferChange, concerns: (caller: Caller) => boolean): void;
  close(): Promise<void>;
}

function createEndpoint(deps: ServerEndpointsDeps, endpoint: EndpointOffers, shared: SharedParts): Endpoint {
  const tools = createEndpointTools(deps, endpoint);
  const { calls } = shared;
  const parts = { endpoint, tools, calls, log: deps.log };
  const { streamsMax } = deps.limits;
  const { lentSessions } = shared;
  const rounds = createInputRounds({ ...deps, ...parts, sessions: lentSessions });
  const messages = createMessageHandler({ ...deps, ...parts, rounds, streamsMax });
  const sessionDeps = { ...deps, ...parts, isKnownTool: tools.isKnown };
  const sessions = createClientSessions(sessionDeps, shared.sessionPlaces);
  return {
    offers: endpoint,
    handle: async (request, caller, face, options) => {
      const session = sessions.find(request, caller);
      if (request.method === 'GET' || request.method === 'DELETE') {
        if (session === 'unknown') return sessionNotFound(undefined);
        return session === undefined ? noSession() : sessions.handle(session, request, undefined, options);
      }
      if (request.method !== 'POST') return methodNotAllowed();
      const body = await readBody(request);
      if ('refusal' in body) return body.refusal;
      if (session === 'unknown') return sessionNotFound(body.parsed);
      const endpointParts = { tools, calls, messages, sessions, rounds };
      const answerOne = (message: unknown) =>
        answerPost(deps, endpointParts, { request, caller, face, session, body: message });
      const answer = answerEach(body.parsed, answerOne, { ...options, signal: request.signal, log: deps.log });
      return keptAlive(answer, request.headers.get('accept'));
    },
    handleMessage: messages.handle,
    changed: (change, concerns) => {
      const event = endpoint.eventOf(change);
      if (event === undefined) return;
      messages.publishTo(concerns, event);
      sessions.notify(concerns, event);
    },
    close: async () => {
      rounds.close();
      await Promise.all([messages.close(), sessions.close()]);
    },
  };
}

interface EndpointParts {
  tools: EndpointTools;
  calls: LegacySessions;
  messages: MessageHandler;
  sessions: ClientSessions;
  rounds: InputRounds;
}

interface PostedMessage {
  request: Request;
  caller: Caller;
  face: EndpointFace;
  session: ClientSession | undefined;
  body: unknown;
}

async function answerPost(
  deps: ServerEndpointsDeps,
  { tools, calls, messages, sessions, rounds }: EndpointParts,
  { request, caller, face, session, body }: PostedMessage,
): Promise<Answer> {
  const call = session?.hasOwnChannel() ? undefined : plainCall(body, request.headers);
  if (call !== undefined && !mustMirror(tools, call, caller) && !(await isAsked(rounds, call, { request, caller }))) {
    session?.touch();
    const ending = await callOnFastPath(deps, { tools, sessions: calls }, call, { request, caller });
    return ending === 'cancelled' ? cancelledResponse() : plainCallResponse(call, ending, face.info);
  }
  if (session !== undefined) return sessions.handle(session, request, body);
  return isInitialization(body)
    ? sessions.open(request, caller, face, body)
    : messages.handle(request, caller, face, body);
}

/** Whether the server may ask the client of the call for input, for which the fast path has no way. */
async function isAsked(
  rounds: InputRounds,
  { toolName: name, meta, revision }: PlainCall,
  { request: { signal }, caller }: Pick<PostedMessage, 'request' | 'caller'>,
): Promise<boolean> {
  if (revision === undefined) return false;
  return rounds.concern(caller, { method: 'tools/call', params: { name } }, declarationOf({ _meta: meta }), signal);
}

/** Whether headers must mirror arguments of the call, which the SDK checks. */
function mustMirror(tools: EndpointTools, { toolName, revision }: PlainCall, caller: Caller): boolean {
  const schema = revision === undefined ? undefined : tools.inputSchema(caller, toolName);
  return schema !== undefined && mirrorsArguments(schema);
}

/** Whether the body asks for a session of a 2025-era client. */
function isInitialization(body: unknown): boolean {
  return (
    isJsonObject(body) &&
    body.method === 'initialize' &&
    classifyInboundRequest({ httpMethod: 'POST', body }).kind === 'legacy'
  );
}

/** The answer to a request of a session that has ended, after which a client initializes again. */
function sessionNotFound(body: unknown): Response {
  const error = new ProtocolError(-32001, 'no such session: initialize again', { code: 'NOT_FOUND' });
  return jsonRpcRefusal(404, error, requestId(body));
}

/** The refusal of a request to an endpoint that the caller does not have. */
async function refusal(request: Request, error: unknown, log: Log): Promise<Response> {
  const body = request.method === 'POST' ? await readBody(request) : { parsed: undefined };
  const id = 'parsed' in body ? requestId(body.parsed) : undefined;
  const isUnknown = error instanceof HestiaError && error.code === 'NOT_FOUND';
  const answered = isUnknown
    ? new ProtocolError(-32602, 'no such server: it is unknown, or this key may not use it', { code: 'NOT_FOUND' })
    : protocolError(error, log);
  return jsonRpcRefusal(isUnknown ? 404 : 500, answered, id);
}

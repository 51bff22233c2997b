/**
 * The MCP endpoint: Streamable HTTP for protocol 2026-07-28 and for 2025-era clients. The SDK's stateless handler serves
 * it, but for plain tool calls, which take a fast path. Both share the tools, the spans and the translation of errors.
 */
import { strict as assert } from 'node:assert';
import {
  createMcpHandler,
  isSpecType,
  type McpRequestContext,
  type McpServer,
  ProtocolError,
  ResourceTemplate,
  type Tool,
} from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { z } from 'zod';
import type { Caller } from '../shapes/access.ts';
import { isJsonObject, type JsonObject } from '../shapes/json.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { boundedStream } from './bounded-stream.ts';
import { type PlainCall, plainCall, plainCallResponse } from './fast-path.ts';
import { createHubTools, type HubTools, type HubToolsDeps } from './hub-tools.ts';
import { type Answer, cancelledResponse, keptAlive } from './late-response.ts';
import { createLegacySessions, type LegacySessions } from './legacy-session.ts';
import { type ChangeBus, createChangeBus } from './list-change/bus.ts';
import { type ListSources, reportListChanges } from './list-change/reports.ts';
import { createListChangeStreams } from './list-change/streams.ts';
import { methodNotAllowed, noSession, tooManyStreams } from './refusal.ts';
import { answerEach, type BatchOptions } from './request/batch.ts';
import { type ClientDeclaration, declarationOf } from './request/client-declaration.ts';
import type { StreamOptions, StreamPlaces } from './request/stream-places.ts';
import { callOnFastPath, cancelCall, progressRelay, sessionHeader, versionHeader } from './request/tool-calls.ts';
import { readBody } from './request-body.ts';
import type { ServerEndpoints } from './server-endpoint/endpoint.ts';
import { resourceOf, serverResources } from './server-endpoint/qualified-name.ts';
import { readableEntry } from './server-endpoint/readable-offer.ts';
import { createSkillsExtension, type SkillsExtensionDeps } from './skills-extension.ts';
import { protocolError } from './tool-result.ts';
import { TracedMcpServer } from './traced-server.ts';

/** The MCP endpoint. */
export interface HubServer {
  /**
   * Answers one HTTP request of an authenticated caller.
   * @returns a response; for a call on the fast path, the JSON-RPC message that is the whole body of a 200. What takes
   *   long is a stream of events. It has no answer if the client has cancelled the call
   */
  handle(request: Request, caller: Caller, options?: StreamOptions & BatchOptions): Promise<Answer>;
  /** Closes open streams; running requests finish by themselves. */
  close(): Promise<void>;
}

/** Dependencies of the endpoint. */
export interface HubServerDeps extends HubToolsDeps, SkillsExtensionDeps {
  servers: PassedServers;
  skillCatalogue: ListSources['skillCatalogue'];
  metrics: Metrics;
  version: string;
  /** The places of streams and subscriptions, and how many there are. */
  streamPlaces: StreamPlaces;
  limits: { streamsMax: number };
}

const instructions =
  'This hub finds and calls tools of many MCP servers, and turns skills into tools. Describe what you need to search_tools, read the schema with get_tool_schema, call with call_mcp_tool and quote the search_id. Active skills are listed as skill_<name>.';

const messageSchema = z.looseObject({ method: z.string().optional(), params: z.looseObject({}).optional() });

/** Creates the endpoint; it reports changes of its lists to open streams until it is closed. */
export function createHubServer(deps: HubServerDeps): HubServer {
  const sessions = createLegacySessions();
  const streams = createListChangeStreams(deps.streamPlaces);
  const tools = createHubTools(deps);
  const serverInfo = { name: 'hestia', version: deps.version };
  const bus = createChangeBus(deps.streamPlaces);
  const messages = createMessageHandler(deps, { tools, sessions, serverInfo, bus });
  const stopListening = reportListChanges(deps, { bus, streams });
  const answerCall = async (call: PlainCall, request: Request, caller: Caller): Promise<Answer> => {
    const ending = await callOnFastPath(deps, { tools, sessions }, call, { request, caller });
    return ending === 'cancelled' ? cancelledResponse() : plainCallResponse(call, ending, serverInfo);
  };
  const answerOne = async (message: unknown, request: Request, caller: Caller): Promise<Answer> => {
    const call = plainCall(message, request.headers);
    if (call !== undefined) return answerCall(call, request, caller);
    return isPassedOn(message)
      ? deps.servers.passOn(request, caller, message)
      : messages.handle(request, caller, message);
  };
  return {
    handle: async (request, caller, options) => {
      if (request.method === 'GET') {
        if (!isOfSession(request)) return noSession();
        return streams.open(caller, request.signal, options) ?? tooManyStreams();
      }
      if (request.method !== 'POST') return methodNotAllowed();
      const body = await readBody(request);
      if ('refusal' in body) return body.refusal;
      const context = { ...options, signal: request.signal, log: deps.log };
      const answer = answerEach(body.parsed, (message) => answerOne(message, request, caller), context);
      return keptAlive(answer, request.headers.get('accept'));
    },
    close: async () => {
      stopListening();
      streams.close();
      await messages.close();
    },
  };
}

/** What servers offer besides tools, at this endpoint. */
export type PassedServers = Pick<ServerEndpoints, 'passOn' | 'listResources' | 'onChange'>;

const passedMethods: ReadonlySet<unknown> = new Set([
  'prompts/list',
  'prompts/get',
  'resources/templates/list',
  'completion/complete',
]);

/** Whether a message is about what servers offer besides tools. Resources of other schemes are skills. */
function isPassedOn(body: unknown): boolean {
  if (!isJsonObject(body)) return false;
  if (passedMethods.has(body.method)) return true;
  const { method, params } = body;
  return (
    method === 'resources/read' &&
    isJsonObject(params) &&
    typeof params.uri === 'string' &&
    resourceOf(params.uri) !== undefined
  );
}

/** Answers messages with the handler of the SDK. */
function createMessageHandler(
  deps: HubServerDeps,
  { bus, ...shared }: Omit<ServerFactoryDeps, 'exchanges'> & { bus: ChangeBus },
) {
  const exchanges = new WeakMap<AuthInfo, Exchange>();
  const handler = createMcpHandler(serverFactory(deps, { ...shared, exchanges }), {
    legacy: 'stateless',
    bus,
    maxSubscriptions: deps.limits.streamsMax,
    onerror: (error) => deps.log.debug('MCP request failed', {}, { error }),
  });
  const handle = async (request: Request, caller: Caller, body: unknown): Promise<Response> => {
    const message = messageSchema.safeParse(body);
    const { method, params } = message.success ? message.data : {};
    if (method === 'notifications/cancelled') cancelCall(shared.sessions, request, caller, params);
    const authInfo = { token: '', clientId: caller.agentId, scopes: [] };
    const ended = new AbortController();
    exchanges.set(authInfo, { caller, client: declarationOf(params ?? {}), end: () => ended.abort() });
    const forwarded = endingWith(request, [ended.signal, ...(caller.ended ? [caller.ended] : [])]);
    const answering = () => handler.fetch(forwarded, { authInfo, parsedBody: body });
    const answer = await (method === 'subscriptions/listen' ? bus.subscribing(caller, answering) : answering());
    if (answer === undefined) return tooManyStreams();
    const response = boundedStream(answer);
    if (method === 'initialize' && response.ok) response.headers.set(sessionHeader, shared.sessions.newSessionId());
    return response;
  };
  return { handle, close: handler.close };
}

/** The request without its body, which was read before. It is aborted with each of the signals, too. */
function endingWith({ url, method, headers, signal }: Request, signals: AbortSignal[]): Request {
  return new Request(url, { method, headers, signal: AbortSignal.any([signal, ...signals]) });
}

/** What the SDK's handler and the fast path share. */
interface Shared {
  tools: HubTools;
  sessions: LegacySessions;
}

/** The SDK's description of an authenticated client; the exchange is found by it. */
type AuthInfo = NonNullable<McpRequestContext['authInfo']>;

/** A request that the SDK answers. */
interface Exchange {
  caller: Caller;
  /** What a client of 2026-07-28 declares. */
  client: ClientDeclaration;
  /** Ends the response without an answer, as if the client had disconnected. */
  end: () => void;
}

interface ServerFactoryDeps extends Shared {
  serverInfo: { name: string; version: string };
  exchanges: WeakMap<AuthInfo, Exchange>;
}

function serverFactory(deps: HubServerDeps, { tools, sessions, serverInfo, exchanges }: ServerFactoryDeps) {
  const { metrics, log } = deps;
  const jsonSchemaValidator = new AjvJsonSchemaValidator();
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true },
    completions: {},
  };
  return ({ authInfo, requestInfo, era }: McpRequestContext) => {
    const exchange = authInfo && exchanges.get(authInfo);
    assert(exchange, 'the SDK passes the authInfo of the request on');
    const { caller } = exchange;
    const mcpServer = new TracedMcpServer(
      serverInfo,
      { capabilities, instructions, jsonSchemaValidator },
      { metrics, agentId: caller.agentId, isKnownTool: (name) => tools.isKnown(caller, name) },
    );
    createSkillsExtension(deps, caller).attach(mcpServer);
    listServerResources(mcpServer, () => deps.servers.listResources(caller, requestInfo?.signal ?? neverAborted));
    const { server } = mcpServer;
    server.setRequestHandler('tools/list', async ({ params }) => {
      try {
        const { tools: page, nextCursor } = tools.list(caller, params?.cursor);
        return { tools: page.map(mcpTool), ...(nextCursor !== undefined && { nextCursor }) };
      } catch (error) {
        throw protocolError(error, log);
      }
    });
    server.setRequestHandler('tools/call', async ({ params }, ctx) => {
      const sessionId = requestInfo?.headers.get(sessionHeader) ?? undefined;
      const gone = AbortSignal.any([ctx.mcpReq.signal, ...(requestInfo ? [requestInfo.signal] : [])]);
      const call = sessions.open({ keyId: caller.keyId, sessionId, requestId: ctx.mcpReq.id }, gone);
      const client = era === 'modern' ? exchange.client : undefined;
      const protocolVersion = requestInfo?.headers.get(versionHeader) ?? undefined;
      const invocation = { caller, signal: call.signal, onProgress: progressRelay(ctx), protocolVersion, client };
      try {
        return await tools.call(params, invocation);
      } catch (error) {
        throw protocolError(error, log);
      } finally {
        if (call.signal.aborted) exchange.end();
        call.close();
      }
    });
    return mcpServer;
  };
}

const neverAborted = new AbortController().signal;

/** Adds the resources of servers to `resources/list`, beside those of skills. They are read as at `/mcp/all`. */
function listServerResources(mcpServer: McpServer, list: () => Promise<JsonObject[]>): void {
  const resources = async () => ({
    resources: (await list()).flatMap((entry) => readableEntry('resources', entry) ?? []).filter(isSpecType.Resource),
  });
  const template = new ResourceTemplate(serverResources, { list: resources });
  mcpServer.registerResource('servers', template, {}, () => {
    throw new ProtocolError(-32602, 'no such resource');
  });
}

function mcpTool({ toolName, title, description, inputSchema, annotations }: ToolDefinition): Tool {
  return {
    name: toolName,
    ...(title !== undefined && { title }),
    description,
    inputSchema: { ...inputSchema, type: 'object' },
    ...(annotations && { annotations }),
  };
}

/** Whether a client that has initialized sent the request: it names its session, or the version that was negotiated. */
function isOfSession({ headers }: Request): boolean {
  return headers.has(sessionHeader) || headers.has(versionHeader);
}

/**
 * The MCP door: Streamable HTTP for protocol 2026-07-28 and for 2025-era clients, on the SDK's stateless handler, with a
 * short way for the calls that need nothing of it. Both ways share the tools and the watch over them.
 */
import {
  createMcpHandler,
  type McpRequestContext,
  ProtocolError,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { z } from 'zod';
import { type Caller, callerSchema } from '../shapes/access.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type DirectCall, type DirectEnding, directAnswer, directCall } from './fast-path.ts';
import { createHubTools, type HubTools, type HubToolsDeps } from './hub-tools.ts';
import { createLegacySessions, createListChangeStreams, type LegacySessions } from './legacy-session.ts';
import type { ToolInvocation } from './meta-tools.ts';
import { watchRequest } from './request-span.ts';
import { protocolError } from './tool-result.ts';
import { WatchedServer } from './traced-server.ts';

/** The MCP endpoint. */
export interface HubServer {
  /**
   * Answers one HTTP request of an authenticated caller: a response, or, where it was a call that took the short way,
   * the JSON-RPC message that is the whole of the body of a 200.
   */
  handle(request: Request, caller: Caller): Promise<Response | string>;
  /** Ends open streams; requests under way finish by themselves. */
  close(): Promise<void>;
}

/** What the endpoint is made of. */
export interface HubServerDeps extends HubToolsDeps {
  metrics: Metrics;
  log: Log;
  version: string;
}

const instructions =
  'This hub finds and calls tools of many MCP servers, and turns skills into tools. Describe what you need to search_tools, read the schema with get_tool_schema, call with call_mcp_tool and quote the search_id. Active skills are listed as skill_<name>.';

const messageSchema = z.looseObject({ method: z.string().optional(), params: z.looseObject({}).optional() });
const cancelledSchema = z.looseObject({ requestId: z.union([z.string().max(256), z.number()]) });
const sessionHeader = 'mcp-session-id';

/** Makes the endpoint; it listens for changes of the skill tools until closed. */
export function createHubServer(deps: HubServerDeps): HubServer {
  const sessions = createLegacySessions();
  const streams = createListChangeStreams();
  const tools = createHubTools(deps);
  const serverInfo = { name: 'hestia', version: deps.version };
  const handler = createMcpHandler(serverFactory(deps, { tools, sessions, serverInfo }), {
    legacy: 'stateless',
    onerror: (error) => deps.log.debug('MCP request failed', {}, { error }),
  });
  const stopListening = deps.skillTools.onChange(() => {
    handler.notify.toolsChanged();
    streams.notify();
  });
  const handleMessage = async (request: Request, caller: Caller, body: unknown): Promise<Response> => {
    const message = messageSchema.safeParse(body);
    const { method, params } = message.success ? message.data : {};
    if (method === 'notifications/cancelled') cancel(sessions, request, caller, params);
    const authInfo = { token: '', clientId: caller.agentId, scopes: [], extra: { caller } };
    const response = await handler.fetch(request, { authInfo, parsedBody: body });
    if (method === 'initialize' && response.ok) response.headers.set(sessionHeader, sessions.newSessionId());
    return response;
  };
  return {
    handle: async (request, caller) => {
      if (request.method === 'GET') return streams.open(request.signal) ?? tooManyStreams();
      if (request.method !== 'POST') return methodNotAllowed();
      const body = await readBody(request);
      if ('refusal' in body) return body.refusal;
      const call = directCall(body.parsed, request.headers);
      if (call === undefined) return handleMessage(request, caller, body.parsed);
      return directAnswer(call, await callDirectly(deps, { tools, sessions }, call, { request, caller }), serverInfo);
    },
    close: async () => {
      stopListening();
      streams.close();
      await handler.close();
    },
  };
}

/** What both ways of a call share. */
interface Shared {
  tools: HubTools;
  sessions: LegacySessions;
}

function serverFactory(
  { metrics, log }: HubServerDeps,
  { tools, sessions, serverInfo }: Shared & { serverInfo: { name: string; version: string } },
) {
  const jsonSchemaValidator = new AjvJsonSchemaValidator();
  return ({ authInfo, requestInfo }: McpRequestContext) => {
    const caller = callerSchema.parse(authInfo?.extra?.caller);
    const server = new WatchedServer(
      serverInfo,
      { capabilities: { tools: { listChanged: true } }, instructions, jsonSchemaValidator },
      { metrics, agentId: caller.agentId, isKnownTool: (name) => tools.isKnown(caller, name) },
    );
    server.setRequestHandler('tools/list', async () => ({ tools: tools.list(caller).map(mcpTool) }));
    server.setRequestHandler('tools/call', async ({ params }, ctx) => {
      const sessionId = requestInfo?.headers.get(sessionHeader) ?? undefined;
      const client = AbortSignal.any([ctx.mcpReq.signal, ...(requestInfo ? [requestInfo.signal] : [])]);
      const call = sessions.open({ keyId: caller.keyId, sessionId, requestId: ctx.mcpReq.id }, client);
      try {
        return await tools.call(params, { caller, signal: call.signal, onProgress: progressRelay(ctx) });
      } catch (error) {
        throw protocolError(error, log);
      } finally {
        call.close();
      }
    });
    return server;
  };
}

/** The call without a server of the SDK's; it ends when the client goes away, or when its session cancels it. */
async function callDirectly(
  { metrics, log }: HubServerDeps,
  { tools, sessions }: Shared,
  { id, toolName, arguments: args, meta, revision }: DirectCall,
  { request, caller }: { request: Request; caller: Caller },
): Promise<DirectEnding> {
  const sessionId = request.headers.get(sessionHeader) ?? undefined;
  const call = sessions.open({ keyId: caller.keyId, sessionId, requestId: id }, request.signal);
  const known = tools.isKnown(caller, toolName) ? toolName : undefined;
  const watched = { method: 'tools/call', toolName: known, id, protocolVersion: revision, meta };
  try {
    const result = await watchRequest({ metrics, agentId: caller.agentId }, watched, async () => {
      try {
        const invocation = { caller, signal: call.signal, onProgress: undefined };
        return await tools.call({ name: toolName, arguments: args }, invocation);
      } catch (error) {
        throw protocolError(error, log);
      }
    });
    return { result };
  } catch (error) {
    return { error: protocolError(error, log) };
  } finally {
    call.close();
  }
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

/** Passes progress on under the caller's own token; a caller that gave none gets none. */
function progressRelay(ctx: ServerContext): ToolInvocation['onProgress'] {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return ({ progress, total, message }) => {
    const params = {
      progressToken,
      progress,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    };
    ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

function cancel(sessions: LegacySessions, request: Request, caller: Caller, params: unknown): void {
  const parsed = cancelledSchema.safeParse(params);
  if (!parsed.success) return;
  sessions.cancel({
    keyId: caller.keyId,
    sessionId: request.headers.get(sessionHeader) ?? undefined,
    requestId: parsed.data.requestId,
  });
}

/** The body, read once and parsed; what it says is judged elsewhere. */
async function readBody(request: Request): Promise<{ parsed: unknown } | { refusal: Response }> {
  try {
    return { parsed: await request.json() };
  } catch {
    const error = new ProtocolError(-32700, 'the body is not valid JSON', { code: 'INVALID_REQUEST' });
    return { refusal: jsonRpcRefusal(400, error) };
  }
}

function methodNotAllowed(): Response {
  return jsonRpcRefusal(
    405,
    new ProtocolError(-32000, 'only POST and GET are served here', { code: 'METHOD_NOT_ALLOWED' }),
  );
}

/** Seconds after which a stream that was refused is worth another try: streams end when their clients go. */
const streamRetryAfterSeconds = 5;

function tooManyStreams(): Response {
  const error = new ProtocolError(-32603, 'too many streams are open; try again', { code: 'OVERLOADED' });
  const refusal = jsonRpcRefusal(503, error);
  refusal.headers.set('retry-after', String(streamRetryAfterSeconds));
  return refusal;
}

function jsonRpcRefusal(status: number, { code, message, data }: ProtocolError): Response {
  const headers = status === 405 ? { allow: 'GET, POST' } : {};
  return Response.json({ jsonrpc: '2.0', error: { code, message, data }, id: null }, { status, headers });
}

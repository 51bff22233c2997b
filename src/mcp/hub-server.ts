/**
 * The MCP door: Streamable HTTP for protocol 2026-07-28 and for 2025-era clients, on the SDK's stateless handler.
 * Each request gets a server of its own; what they share is the registry of tools and the domain behind it.
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
import type { SkillTools } from '../domain/skill-tools.ts';
import type { ToolCall } from '../domain/tool-call.ts';
import { type Caller, callerSchema } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import { hubServerId } from '../shapes/server.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createLegacySessions, createListChangeStreams, type LegacySessions } from './legacy-session.ts';
import type { MetaTool, ToolInvocation } from './meta-tools.ts';
import { invalidArguments, passedThrough, protocolError } from './tool-result.ts';
import { WatchedServer } from './watched-server.ts';

/** The MCP endpoint. */
export interface HubServer {
  /** Answers one HTTP request of an authenticated caller. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** Ends open streams; requests under way finish by themselves. */
  close(): Promise<void>;
}

/** What the endpoint is made of. */
export interface HubServerDeps {
  metaTools: readonly MetaTool[];
  skillTools: SkillTools;
  toolCall: ToolCall;
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
  const factory = serverFactory(deps, sessions);
  const handler = createMcpHandler(factory, {
    onerror: (error) => deps.log.debug('An MCP request was refused', { reason: error.name }),
  });
  const stopListening = deps.skillTools.onChange(() => {
    handler.notify.toolsChanged();
    streams.notify();
  });
  return {
    handle: async (request, caller) => {
      if (request.method === 'GET') return streams.open(request.signal) ?? methodNotAllowed();
      if (request.method !== 'POST') return methodNotAllowed();
      const message = await readMessage(request);
      if ('refusal' in message) return message.refusal;
      const { parsedBody, method, params } = message;
      if (method === 'notifications/cancelled') cancel(sessions, request, caller, params);
      const response = await handler.fetch(request, {
        authInfo: { token: '', clientId: caller.agentId, scopes: [], extra: { caller } },
        parsedBody,
      });
      if (method === 'initialize' && response.ok) response.headers.set(sessionHeader, sessions.newSessionId());
      return response;
    },
    close: async () => {
      stopListening();
      streams.close();
      await handler.close();
    },
  };
}

function serverFactory(deps: HubServerDeps, sessions: LegacySessions) {
  const { metaTools, skillTools, metrics, version } = deps;
  const byName = new Map(metaTools.map((tool) => [tool.definition.toolName, tool]));
  const jsonSchemaValidator = new AjvJsonSchemaValidator();
  return ({ authInfo, requestInfo }: McpRequestContext) => {
    const caller = callerSchema.parse(authInfo?.extra?.caller);
    const server = new WatchedServer(
      { name: 'hestia', version },
      { capabilities: { tools: { listChanged: true } }, instructions, jsonSchemaValidator },
      {
        metrics,
        agentId: caller.agentId,
        isKnownTool: (name) => byName.has(name) || skillTools.find(caller.namespace, name) !== undefined,
      },
    );
    server.setRequestHandler('tools/list', async () => ({
      tools: [...metaTools, ...skillTools.list(caller.namespace)].map(({ definition }) => mcpTool(definition)),
    }));
    server.setRequestHandler('tools/call', async ({ params }, ctx) => {
      const sessionId = requestInfo?.headers.get(sessionHeader) ?? undefined;
      const call = sessions.open({ keyId: caller.keyId, sessionId, requestId: ctx.mcpReq.id });
      const invocation: ToolInvocation = {
        caller,
        signal: AbortSignal.any([ctx.mcpReq.signal, call.signal, ...(requestInfo ? [requestInfo.signal] : [])]),
        onProgress: progressRelay(ctx),
      };
      try {
        const tool = byName.get(params.name);
        return tool ? await tool.call(params.arguments, invocation) : await callSkillTool(deps, params, invocation);
      } catch (error) {
        throw protocolError(error, deps.log);
      } finally {
        call.close();
      }
    });
    return server;
  };
}

async function callSkillTool(
  { skillTools, toolCall }: HubServerDeps,
  params: { name: string; arguments?: unknown },
  { caller, signal, onProgress }: ToolInvocation,
) {
  if (skillTools.find(caller.namespace, params.name) === undefined) throw notFound('tool');
  const args = z.record(z.string(), z.unknown()).safeParse(params.arguments ?? {});
  if (!args.success) throw invalidArguments(args.error);
  const request = {
    serverId: hubServerId,
    toolName: params.name,
    arguments: args.data,
    timeoutMs: undefined,
    searchId: undefined,
  };
  return passedThrough((await toolCall.call(caller, request, { signal, onProgress })).result);
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

/** The body, read once; a batch or anything else that is not one message has no method here and is the SDK's to judge. */
async function readMessage(
  request: Request,
): Promise<{ parsedBody: unknown; method?: string | undefined; params?: unknown } | { refusal: Response }> {
  let parsedBody: unknown;
  try {
    parsedBody = await request.json();
  } catch {
    return {
      refusal: jsonRpcRefusal(
        400,
        new ProtocolError(-32700, 'the body is not valid JSON', { code: 'INVALID_REQUEST' }),
      ),
    };
  }
  const message = messageSchema.safeParse(parsedBody);
  return { parsedBody, ...(message.success && { method: message.data.method, params: message.data.params }) };
}

function methodNotAllowed(): Response {
  return jsonRpcRefusal(
    405,
    new ProtocolError(-32000, 'only POST and GET are served here', { code: 'METHOD_NOT_ALLOWED' }),
  );
}

function jsonRpcRefusal(status: number, { code, message, data }: ProtocolError): Response {
  const headers = status === 405 ? { allow: 'GET, POST' } : {};
  return Response.json({ jsonrpc: '2.0', error: { code, message, data }, id: null }, { status, headers });
}

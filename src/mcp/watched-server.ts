/**
 * The SDK's server with a span and a duration around every request it handles: MCP and GenAI conventions, the parent
 * taken from `params._meta`, the HTTP span linked.
 */
import {
  type Implementation,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  type Result,
  Server,
  type ServerContext,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import { type Span, SpanKind } from '@opentelemetry/api';
import { printable, truncated } from '../shapes/text.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { ambientSpanContext, remoteContext } from '../telemetry/propagation.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';

/** Longest text of a caller's own on a span, in UTF-16 units. */
const requestIdLengthMax = 64;

/** What watching needs besides the server. */
export interface WatchedServerDeps {
  metrics: Metrics;
  agentId: string;
  /** Whether a name belongs to a tool that exists; other names are not repeated on signals. */
  isKnownTool: (toolName: string) => boolean;
}

/** One instance serves one request, as the stateless protocol has it. */
export class WatchedServer extends Server {
  readonly #deps: WatchedServerDeps;

  constructor(info: Implementation, options: ServerOptions, deps: WatchedServerDeps) {
    super(info, options);
    this.#deps = deps;
  }

  protected override _wrapHandler(
    method: string,
    handler: (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>,
  ): (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result> {
    const inner = super._wrapHandler(method, handler);
    return (request, ctx) => observed(this.#deps, method, request, ctx, () => inner(request, ctx));
  }
}

async function observed(
  deps: WatchedServerDeps,
  method: string,
  request: JSONRPCRequest,
  ctx: ServerContext,
  handle: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  const toolName = knownToolName(deps, method, request);
  const ambient = ambientSpanContext();
  const parent = remoteContext(ctx.mcpReq._meta);
  let errorType: string | undefined;
  const options = {
    kind: SpanKind.SERVER,
    attributes: requestAttributes(deps, method, toolName, ctx),
    ...(parent && { parent }),
    ...(parent && ambient && { links: [{ context: ambient }] }),
  };
  try {
    return await inSpan(toolName === undefined ? method : `${method} ${toolName}`, options, async (span) => {
      try {
        const result = await handle();
        if (method === 'tools/call' && result.isError === true) errorType = 'tool_error';
        return result;
      } catch (error) {
        errorType = error instanceof ProtocolError ? String(error.code) : '_OTHER';
        throw error;
      } finally {
        if (errorType !== undefined) markFailed(span, errorType);
      }
    });
  } finally {
    deps.metrics.mcpServerOperation((performance.now() - startedAt) / 1000, { method, toolName, errorType });
  }
}

function markFailed(span: Span, errorType: string): void {
  failSpan(span, errorType);
  if (/^-?\d+$/.test(errorType)) span.setAttribute(attributes.rpcStatusCode, errorType);
}

function requestAttributes(
  { agentId }: WatchedServerDeps,
  method: string,
  toolName: string | undefined,
  ctx: ServerContext,
) {
  const envelope: Record<string, unknown> = { ...ctx.mcpReq.envelope };
  const protocolVersion = envelope[PROTOCOL_VERSION_META_KEY];
  return {
    [attributes.mcpMethodName]: method,
    [attributes.jsonrpcRequestId]: printable(truncated(String(ctx.mcpReq.id), requestIdLengthMax)),
    [attributes.networkTransport]: 'tcp',
    [attributes.genAiAgentId]: agentId,
    ...(toolName !== undefined && {
      [attributes.genAiToolName]: toolName,
      [attributes.genAiOperationName]: 'execute_tool',
    }),
    ...(typeof protocolVersion === 'string' && {
      [attributes.mcpProtocolVersion]: printable(truncated(protocolVersion, requestIdLengthMax)),
    }),
  };
}

function knownToolName(deps: WatchedServerDeps, method: string, request: JSONRPCRequest): string | undefined {
  const name = request.params?.name;
  return method === 'tools/call' && typeof name === 'string' && deps.isKnownTool(name) ? name : undefined;
}
